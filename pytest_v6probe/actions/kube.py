"""Where does a scenario create what it needs in a cluster? In a namespace of its own, which goes away
whatever happens.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from platform import node
from typing import TYPE_CHECKING

from pytest_v6probe.actions.interruption import ended_in_order, uninterrupted
from pytest_v6probe.actions.permission import permitted
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.kube.fields import Fields, Malformed
from pytest_v6probe.kube.ownership import OWNER, new_name
from pytest_v6probe.probes import replies
from pytest_v6probe.transport.pod import rbac

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_v6probe.cluster import Cluster
    from pytest_v6probe.transport.pod.api import Answer
    from pytest_v6probe.transport.pod.rbac import Right

NAMESPACES = "/api/v1/namespaces"
RUN = "pytest-v6probe/run"
"""The annotation that says who made it, and when."""

FORBIDDEN, BY_RBAC = 403, re.compile(r" cannot \w+ resource ")
"""What RBAC, quotas and admission answer alike, and which words are RBAC's."""
CAUSES_SHOWN = 4
GONE = frozenset({404, 409})
"""What a deletion is answered where nothing is left to delete, or all is being deleted already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeNamespace:
    """A namespace that is there for as long as one test needs it."""

    cluster: Cluster
    name: str

    def path(self, *parts: str) -> str:
        """The API's path of a collection of the core group in it, or of an object there."""
        return "/".join((NAMESPACES, self.name, *parts))


@contextmanager
def kube_namespace(cluster: Cluster) -> Iterator[KubeNamespace]:
    """Make a namespace of its own in *cluster*, and delete it afterwards, with all that is in it: the
    deletion is asked for, and not waited for. Ctrl-C and SIGTERM do not keep it from that; what
    SIGKILL leaves, ``v6probe clean`` removes.

    Raises Unobserved if this is not allowed (``--v6-disruptive``, or a lab of this run), the API
    refuses it or cannot be asked, or (``not-removed``) the deletion failed; where the test failed as
    well, its error has that as a note.
    """
    permitted(cluster)
    api = cluster.api
    space = KubeNamespace(cluster=cluster, name=new_name())
    with ended_in_order(), ExitStack() as back:
        with uninterrupted():
            back.push(partial(_removed, space))  # at once: an answer may be lost
            answer = api.create(NAMESPACES, _body(space), timeout_s=cluster.timeout_s)
            if not answer.good:
                back.pop_all()
                right = rbac.right(NAMESPACES, "create", "delete")
                raise refused(cluster, answer, "a namespace could not be made", right=right)
        yield space


def remove(cluster: Cluster, name: str) -> None:
    """Ask for the deletion of the namespace *name*. Raises Unobserved if that is refused, or the API
    cannot be asked.
    """
    answer = cluster.api.delete(f"{NAMESPACES}/{name}", timeout_s=cluster.timeout_s)
    if not answer.good and answer.status not in GONE:
        what = f"the namespace {name} could not be deleted"
        raise refused(cluster, answer, what, right=rbac.right(NAMESPACES, "delete"))


def refused(cluster: Cluster, answer: Answer, what: str, *, right: Right) -> Unobserved:
    """The error that says that the API refused *what*, which wants the *right*, in its own words."""
    forbidden = answer.status == FORBIDDEN and BY_RBAC.search(answer.message)
    lacks = f": the right to {right} is missing: {right.cure}" if forbidden else ""
    return Unobserved(
        f"{cluster.name}: {what} (HTTP {answer.status}: {replies.shown(answer.message)}){lacks}",
        reason="forbidden" if forbidden else "api-refused",
        vantage=cluster.name,
    )


def fields_refused(answer: Answer) -> tuple[str, ...]:
    """The fields that a refusal names, in the causes of its Status object."""
    try:
        causes = Fields(answer.body).inner("details").each("causes")
        return tuple(replies.shown(cause.text("field")) for cause in causes[:CAUSES_SHOWN])
    except Malformed:
        return ()


def _body(space: KubeNamespace) -> dict[str, object]:
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": space.name,
            "labels": dict([OWNER]),
            "annotations": {RUN: f"pid {os.getpid()} on {node()}, {made}"},
        },
    }


def _removed(
    space: KubeNamespace,
    _: type[BaseException] | None,
    why: BaseException | None,
    __: TracebackType | None,
) -> None:
    """Remove *space* at the end of a test, which failed because of *why*, if it did."""
    try:
        with uninterrupted():
            remove(space.cluster, space.name)
    except Unobserved as failed:
        where = f"{space.cluster.name} may be left with the namespace {space.name}"
        said = f"{where} (v6probe clean removes it): {failed}"
        if why is None:
            raise Unobserved(said, reason="not-removed", vantage=space.cluster.name) from failed
        why.add_note(said)
