"""What is known of a lab only once the lab is up? The keeper tells the inventory as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError, Unobserved
from pytest_v6probe.inventory import toml

if TYPE_CHECKING:
    from pytest_v6probe.inventory.model import Inventory
    from pytest_v6probe.transport.netns import Keeper

ANSWER_S = 2.0
"""How much longer than its own deadline the keeper's answer may take."""


def inventory(keeper: Keeper, *, timeout_s: float) -> Inventory:
    """The inventory of *keeper*'s lab, with the authority that its https sites and registries are
    trusted by.

    Waits until the lab is up. Raises Unobserved, also if the lab has ended.
    """
    try:
        reply, _ = keeper.request(
            {"do": "wait", "timeout_s": timeout_s}, timeout_s=timeout_s + ANSWER_S
        )
    except LabError as why:
        raise Unobserved(str(why), reason="no-lab") from why
    return toml.read(reply["inventory"], file=Path(f"lab {keeper.name}"))
