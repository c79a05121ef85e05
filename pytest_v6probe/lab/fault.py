"""What is a fault? One thing broken on purpose in a lab, as data; `red` says what must then turn
red.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_v6probe.lab.red import Red, red

if TYPE_CHECKING:
    from pytest_v6probe.lab.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing broken: *steps* are applied in order, and reverted in the opposite order."""

    name: str
    summary: str
    steps: tuple[Step, ...]
    region: str = "us-east-1"
    """The region that its red tests are of; empty for one of the internet."""
    shape: str = "aws"
    """The lab that it breaks."""
    host: str = ""
    """The one host that can notice it, by its id; empty: any may."""

    @property
    def red(self) -> tuple[Red, ...]:
        """The tests that it turns red; every other one stays green."""
        return red(self.shape, self.name)
