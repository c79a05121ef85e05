"""Which shapes of lab are there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab.clouds import aws

if TYPE_CHECKING:
    from pytest_v6probe.lab.topology import Shape

NAMES = ("aws",)


def shape(kind: str, *, name: str) -> Shape:
    """The lab of shape *kind*, called *name*. Raises LabError that lists the shapes."""
    if kind not in NAMES:
        raise LabError(f"there is no lab of shape {kind!r}; there is {', '.join(NAMES)}")
    return aws.shape(name)
