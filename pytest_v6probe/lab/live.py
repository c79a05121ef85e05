"""What is known of a lab's site only once the lab is up? The keeper tells the inventory as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError, Unobserved
from pytest_v6probe.inventory import toml

if TYPE_CHECKING:
    from pytest_v6probe.inventory.model import Site
    from pytest_v6probe.transport.netns import Keeper

ANSWER_S = 2.0
"""How much longer than its own deadline the keeper's answer may take."""


def site(keeper: Keeper, declared: Site, *, timeout_s: float) -> Site:
    """The site of *keeper*'s lab that is called as the *declared* one, or that if the lab has none.

    Waits until the lab is up. Raises Unobserved, also if the lab has ended.
    """
    try:
        reply, _ = keeper.request(
            {"do": "wait", "timeout_s": timeout_s}, timeout_s=timeout_s + ANSWER_S
        )
    except LabError as why:
        raise Unobserved(str(why), reason="no-lab") from why
    inventory = toml.read(reply["inventory"], file=Path(f"lab {keeper.name}"))
    return next((live for live in inventory.sites if live.name == declared.name), declared)
