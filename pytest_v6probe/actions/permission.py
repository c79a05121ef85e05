"""May a host be changed? Only where the run was told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.errors import Unobserved

if TYPE_CHECKING:
    from pytest_v6probe.vantage import Vantage


def permitted(host: Vantage) -> None:
    """Return where actions on *host* are allowed. Raises Unobserved elsewhere."""
    if not host.disruptive:
        raise Unobserved(
            f"{host.name} would be changed, and this run may not: --v6-disruptive allows it",
            reason="not-disruptive",
            vantage=host.name,
        )
