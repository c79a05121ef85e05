"""Where does a service of Kubernetes answer over one family: endpoints, ClusterIP, NodePorts, external
addresses?
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_v6probe.kube import families
from pytest_v6probe.probes import service_port
from pytest_v6probe.result import Endpoint, Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.kube.nodes import Node
    from pytest_v6probe.kube.services import Service, ServicePort
    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.result import Address

MOST = 256
"""Of a larger service only so many places are asked."""
TRIES, MOST_TRIES = 6, 16
"""Tries for each endpoint behind a NodePort: of two, one is missed by 12 tries in one of 4096 runs."""
CHOOSING = frozenset({"node-port", "external"})
TCP = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place to ask. *kind* is ``endpoint``, ``cluster-ip``, ``node-port`` or ``external``; *node*
    is the one it is on, empty where it is on none or nobody says.
    """

    kind: str
    at: Endpoint
    node: str = ""
    http: bool = False

    def operation(self, *, timeout_s: float) -> Operation:
        """Connect, and ask for a page where it speaks HTTP."""
        return service_port.operation(
            self.at.address,
            self.at.port,
            version=self.at.address.version,
            page="/",
            speaks=self.http,
            timeout_s=timeout_s,
        )

    def read(self, reply: Reply) -> tuple[str, bool]:
        """What became of it, and whether that is an answer."""
        return service_port.read(reply, speaks=self.http)


def targets(found: KubeService, family: Family, *, outside: bool) -> tuple[Target, ...]:
    """Every place where *found* is to answer over *family*: from *outside* the cluster only its
    NodePorts and external addresses. These come as often as it takes to meet every endpoint behind
    them: which one a connection gets, the node chooses.
    """
    service = found.service
    if service is None or family not in service.families:
        return ()
    entries = (
        *_node_ports(found, service, family, outside=outside),
        *_external(found, service, family),
    )
    inside = () if outside else (*_endpoints(found, family), *_cluster_ips(found, service, family))
    once = tuple(dict.fromkeys((*inside, *entries)))[:MOST]
    count = len(found.endpoints(family))
    tries = min(MOST_TRIES, TRIES * count if count > 1 else 1, MOST // max(len(once), 1))
    return tuple(
        place for place in once for _ in range(tries if place.kind in CHOOSING and tries else 1)
    )


def _endpoints(found: KubeService, family: Family) -> Iterator[Target]:
    first = found.service.ports[0].name if found.service and found.service.ports else ""
    for known in found.slices:
        ready = [one for one in known.endpoints if one.ready and known.family == family]
        for port in known.ports if ready else ():
            for endpoint in ready if port.protocol == TCP else ():
                yield Target(
                    kind="endpoint",
                    at=Endpoint(endpoint.address, port.port),
                    node=endpoint.node,
                    http=found.http and port.name == first,
                )


def _cluster_ips(found: KubeService, service: Service, family: Family) -> Iterator[Target]:
    for address in service.cluster_ips:
        for port in _tcp(service) if families.of(address) == family else ():
            yield Target(
                kind="cluster-ip",
                at=Endpoint(address, port.port),
                http=found.http and port is service.ports[0],
            )


def _node_ports(
    found: KubeService, service: Service, family: Family, *, outside: bool
) -> Iterator[Target]:
    """Where only nodes with an endpoint of their own answer (``externalTrafficPolicy: Local``), no
    other is asked.
    """
    holding = {endpoint.node for endpoint in found.endpoints(family)}
    for port in (port for port in _tcp(service) if port.node_port):
        for node in found.nodes:
            skipped = service.local_only and node.name not in holding
            for address in () if skipped else _where(node, family, outside=outside):
                yield Target(
                    kind="node-port",
                    at=Endpoint(address, port.node_port),
                    node=node.name,
                    http=found.http and port is service.ports[0],
                )


def _external(found: KubeService, service: Service, family: Family) -> Iterator[Target]:
    for address in service.external:
        for port in _tcp(service) if families.of(address) == family else ():
            yield Target(
                kind="external",
                at=Endpoint(address, port.port),
                http=found.http and port is service.ports[0],
            )


def _tcp(service: Service) -> tuple[ServicePort, ...]:
    return tuple(port for port in service.ports if port.protocol == TCP)


def _where(node: Node, family: Family, *, outside: bool) -> list[Address]:
    """The addresses of *node* that are asked: from outside the external ones, where it has any of
    the family; else the internal ones.
    """
    internal = [address for address in node.internal if families.of(address) == family]
    external = [address for address in node.external if families.of(address) == family]
    return (external or internal) if outside else (internal or external)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of asking one place: ``ok``, ``open``, ``timed-out``, ``status-404``, …, of several
    tries the first that failed.
    """

    target: Target
    verdict: str
    tries: int = 1
    failed: int = 0
    by_itself: bool = False
    """The asking pod is that endpoint itself: nothing left it."""
    local: Endpoint | None = field(default=None, compare=False)
    remote: Endpoint | None = field(default=None, compare=False)

    @property
    def answered(self) -> bool:
        """Whether every try got an answer."""
        return not self.failed

    @property
    def partly(self) -> bool:
        """Whether some tries got an answer, and others did not."""
        return 0 < self.failed < self.tries


def read_all(places: tuple[Target, ...], replies: Iterable[Reply]) -> tuple[Answered, ...]:
    """What became of each of *places*, all tries of one together."""
    tries: dict[Target, list[Reply]] = {}
    for place, reply in zip(places, replies, strict=True):
        tries.setdefault(place, []).append(reply)
    return tuple(_read(place, of_place) for place, of_place in tries.items())


def _read(place: Target, tries: list[Reply]) -> Answered:
    read = [(*place.read(reply), reply) for reply in tries]
    failed = [one for one in read if not one[1]]
    verdict, _, reply = (failed or read)[0]
    return Answered(
        target=place,
        verdict=verdict,
        tries=len(tries),
        failed=len(failed),
        by_itself=reply.local is not None and reply.local.address == place.at.address,
        local=reply.local,
        remote=reply.remote,
    )
