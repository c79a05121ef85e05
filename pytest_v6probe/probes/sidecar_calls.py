"""Were calls answered, and how many of them did a sidecar count? What the probes of both directions
share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_v6probe.kube import envoy_clusters, envoy_listeners
from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.probes import envoy_admin, http, replies, service_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.kube.envoy_clusters import Upstream, UpstreamCluster
    from pytest_v6probe.kube.envoy_listeners import Listener
    from pytest_v6probe.result import Endpoint, Family
    from pytest_v6probe.vantage import Vantage

CALLS = 8
"""Calls that are made: a probe of kubelet, or another's call in between, does not count as much."""
ANSWERED = "answered"
LOCAL = ("no-address", "no-route")
_OWN_FAULT = 500  # RFC 9110 §15.6: an Envoy that reaches nobody answers so in the service's place


@dataclass(frozen=True, slots=True, kw_only=True)
class Envoy:
    """What an Envoy says of itself at one time. *trouble* and *line* are those of `envoy_admin.Said`."""

    clusters: tuple[UpstreamCluster, ...] = ()
    listeners: tuple[Listener, ...] = ()
    trouble: str = ""
    line: str = ""

    def listens(self, name: str, family: Family) -> bool:
        """Whether its listener called *name* (or where it has none, any for any address) takes
        connections of *family*.
        """
        named = [one for one in self.listeners if one.name == name]
        others = [one for one in self.listeners if one.wildcard and not one.of_service]
        return any(family in one.families for one in named or others)


def look(at: Vantage, pattern: str, *, timeout_s: float) -> Envoy:
    """Ask the Envoy of the pod *at* for its listeners, and its clusters whose names *pattern* is found
    in, with their counters. Raises Unobserved.
    """
    asked = (envoy_admin.clusters(pattern), envoy_admin.LISTENERS)
    clusters, listeners = envoy_admin.ask(at, asked, timeout_s=timeout_s)
    try:
        return Envoy(
            clusters=envoy_clusters.clusters(clusters.document),
            listeners=envoy_listeners.listeners(listeners.document),
            trouble=clusters.trouble or listeners.trouble,
            line=clusters.line or listeners.line,
        )
    except Malformed as why:
        return Envoy(trouble="malformed", line=replies.shown(str(why)))


def _rise(before: int, after: int) -> int:
    return after - before if after >= before else after


def operations(at: Endpoint, *, timeout_s: float) -> list[Operation]:
    """The calls to *at*."""
    version = at.address.version
    one = service_port.operation(
        at.address, at.port, version=version, page="/", speaks=True, timeout_s=timeout_s
    )
    return [one] * CALLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What became of the calls. *verdict* is ``answered``, or of the first that was not, ``timed-out``,
    ``refused``, ``status-503``, …
    """

    verdict: str
    answered: int = 0
    local: Endpoint | None = None
    remote: Endpoint | None = None
    elapsed_s: float = 0.0
    line: str = ""


def read(came: list[Reply]) -> Calls:
    """Read the answers to `operations`."""
    said = [_read(reply) for reply in came]
    failed = [number for number, (verdict, _) in enumerate(said) if verdict != ANSWERED]
    shown = failed[0] if failed else 0
    return Calls(
        verdict=said[shown][0],
        answered=len(said) - len(failed),
        local=came[shown].local,
        remote=came[shown].remote,
        elapsed_s=max(reply.elapsed_s for reply in came),
        line=replies.shown(f"{len(said) - len(failed)} of {len(said)} answered; {said[shown][1]}"),
    )


def _read(reply: Reply) -> tuple[str, str]:
    """What became of one call, and a line on it."""
    verdict, response = http.read(reply, secure=False)
    if response is None:
        return verdict, replies.said(reply)
    server = response.header("server") or "not named"
    line = f"HTTP {response.status} from {reply.remote}, server: {server}"
    return (ANSWERED if response.status < _OWN_FAULT else verdict), line


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of the calls, and what Envoy said before and after them."""

    calls: Calls
    before: Envoy = field(default_factory=Envoy)
    after: Envoy = field(default_factory=Envoy)

    @property
    def trouble(self) -> str:
        """Why Envoy could not be asked; empty where it could."""
        return self.before.trouble or self.after.trouble

    @property
    def line(self) -> str:
        """What came instead of its answer."""
        return self.before.line or self.after.line

    def counted(self, kept: Callable[[UpstreamCluster, Upstream], bool]) -> int:
        """How many requests, or connections where there were more of those, Envoy sent to the hosts
        that *kept* holds of. A host's counters begin anew when it is forgotten in between.
        """
        old, new = _sums(self.before, kept), _sums(self.after, kept)
        rises = [_rises(old.get(place, (0, 0)), counts) for place, counts in new.items()]
        return max((sum(rise) for rise in zip(*rises, strict=True)), default=0)


Counts = tuple[int, int]
"""Requests and connections."""


def _sums(
    envoy: Envoy, kept: Callable[[UpstreamCluster, Upstream], bool]
) -> dict[tuple[str, Endpoint], Counts]:
    """The counters by cluster and address: each thread of Envoy may make a host of its own of an
    address that it is first asked for.
    """
    sums: dict[tuple[str, Endpoint], Counts] = {}
    for cluster in envoy.clusters:
        for host in cluster.hosts:
            if kept(cluster, host):
                requests, connections = sums.get((cluster.name, host.at), (0, 0))
                found = (requests + host.requests, connections + host.connections)
                sums[cluster.name, host.at] = found
    return sums


def _rises(before: Counts, after: Counts) -> Counts:
    return _rise(before[0], after[0]), _rise(before[1], after[1])


def captured(through: int) -> str:
    """The verdict on calls that were all answered, of which Envoy counted *through*."""
    if through >= CALLS:
        return "passed"
    return "partly-captured" if through else "not-captured"
