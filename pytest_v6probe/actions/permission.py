"""May a host or a cluster be changed? Only where the run was told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.errors import Unobserved

if TYPE_CHECKING:
    from pytest_v6probe.cluster import Cluster
    from pytest_v6probe.vantage import Vantage


def permitted(place: Vantage | Cluster) -> None:
    """Return where actions on *place* are allowed. Raises Unobserved elsewhere."""
    if not place.disruptive:
        raise Unobserved(
            f"{place.name} would be changed, and this run may not: --v6-disruptive allows it",
            reason="not-disruptive",
            vantage=place.name,
        )
