"""What have runs that were killed left in a cluster? Namespaces with our label and our kind of name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_v6probe.actions.kube import NAMESPACES, RUN
from pytest_v6probe.kube.fields import Fields, Malformed
from pytest_v6probe.kube.ownership import NAME, OWNER
from pytest_v6probe.probes import replies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.cluster import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A namespace that a run made, and that is still there."""

    name: str
    age_s: int
    """In whole seconds, by the cluster's word of when it was made and this machine's clock."""
    run: str = ""
    """Who made it, in that run's own words."""
    going: bool = False
    """Whether it is being deleted already."""


def leftovers(cluster: Cluster, *, now: datetime) -> tuple[Leftover, ...]:
    """Every namespace of *cluster* that a run of v6probe made, the oldest first. Raises Unobserved."""
    label, value = OWNER
    said = cluster.api.list(NAMESPACES, selector=f"{label}={value}", timeout_s=cluster.timeout_s)
    found = [_leftover(namespace, now) for namespace in said]
    return tuple(sorted(filter(None, found), key=lambda left: -left.age_s))


def _leftover(said: Mapping[str, object], now: datetime) -> Leftover | None:
    """None for what somebody else made, whatever the API took the selector for."""
    try:
        metadata = Fields(said).inner("metadata")
        label, value = OWNER
        name, labelled = metadata.name("name"), metadata.inner("labels").text(label) == value
        made = datetime.fromisoformat(metadata.text("creationTimestamp"))  # RFC 3339, in UTC
        if not labelled or not NAME.fullmatch(name):
            return None
        return Leftover(
            name=name,
            age_s=int((now - made.replace(tzinfo=UTC)).total_seconds()),
            run=replies.shown(metadata.inner("annotations").text(RUN)),
            going=bool(metadata.text("deletionTimestamp")),
        )
    except (Malformed, ValueError):
        return None
