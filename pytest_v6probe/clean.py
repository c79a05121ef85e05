"""What does ``v6probe clean`` do? It removes from clusters what runs that were killed have left there."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_v6probe.actions.kube import remove
from pytest_v6probe.actions.kube_leftovers import leftovers
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.session import Settings, open_session

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_v6probe.actions.kube_leftovers import Leftover
    from pytest_v6probe.cluster import Cluster


def clean(environment: Path, *, older_than_s: int) -> int:
    """Find the leftovers on every cluster of the inventory *environment*, show each, and delete those
    that are *older_than_s* or more. The exit status: 1 where a cluster could not be asked, or refused.

    Raises InventoryError.
    """
    session = open_session(
        Settings(lab_name="", guardian_pid=0, environment=environment, disruptive=True)
    )
    failed = 0
    try:
        for spec in session.inventory.clusters:
            try:
                failed |= _cleaned(session.cluster(spec.id), older_than_s)
            except Unobserved as why:
                failed |= _complain(why)
    finally:
        session.close()
    return failed


def _cleaned(cluster: Cluster, older_than_s: int) -> int:
    found = leftovers(cluster, now=datetime.now(UTC))
    if not found:
        print(f"{cluster.name}: nothing is left")
    return max([_seen_to(cluster, left, older_than_s) for left in found], default=0)


def _seen_to(cluster: Cluster, left: Leftover, older_than_s: int) -> int:
    failed, done = 0, "deleted"
    if left.going:
        done = "being deleted already"
    elif left.age_s < older_than_s:
        done = f"spared: its run may still go on (--older-than-s {max(0, left.age_s)} deletes it)"
    else:
        try:
            remove(cluster, left.name)
        except Unobserved as why:
            failed, done = _complain(why), "still there"
    age = timedelta(seconds=left.age_s)
    print(f"{cluster.name}: {left.name}, {age} old, of {left.run or 'nobody knows whom'}: {done}")
    return failed


def _complain(why: Unobserved) -> int:
    print(f"v6probe: {why}", file=sys.stderr)
    return 1
