"""Has a pod's Envoy the endpoints of a service, of every family, that the cluster's API has?"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.kube import envoy_clusters as reader
from pytest_v6probe.kube import families
from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.probes import envoy_admin, envoy_causes, replies
from pytest_v6probe.result import Endpoint, Family, Finding, Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.kube.envoy_clusters import Backends, UpstreamCluster
    from pytest_v6probe.kube.services import ServicePort
    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.vantage import Vantage

SHOWN_LINES = 8
TCP = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyEndpoints(Finding):
    """The endpoints of one service as one pod's Envoy has them, additional addresses counted, and as the
    EndpointSlices have them.

    Verdicts: ``equal``; ``family-missing`` (it has no endpoint of a family that has ready ones, see
    *lacking*); ``unhealthy`` (it sends nothing to some that are ready); ``differs`` (it lacks some, or
    has others: soon after a change that is no fault); ``service-unknown`` (it has no cluster
    ``outbound|PORT||NAME.NAMESPACE.svc.…``); ``absent`` (the API has no such service); ``no-envoy``
    (nobody answers at its admin interface); ``malformed`` (what came is not what Envoy's documentation
    says).
    """

    layer: ClassVar[Layer] = Layer.SIDECAR
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    service: str = ""
    """``namespace/name``."""
    endpoints: frozenset[Endpoint] = frozenset()
    """Those that Envoy has."""
    missing: frozenset[Endpoint] = frozenset()
    """Those that are ready, and that it has not."""
    extra: frozenset[Endpoint] = frozenset()
    """Those that it has, and that are not ready."""
    unhealthy: frozenset[Endpoint] = frozenset()
    """Those that are ready, and that it sends nothing to."""
    lacking: tuple[Family, ...] = ()
    """The families that it has no endpoint of."""
    namespace: str = ""
    """Of the pod."""

    @property
    def families(self) -> frozenset[Family]:
        """The families of the endpoints that Envoy has."""
        return frozenset(families.of(one.address) for one in self.endpoints)

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Why endpoints lack, and what tells more."""
        return envoy_causes.of_endpoints(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What Envoy says: its clusters, and all addresses of their endpoints."""

    clusters: tuple[UpstreamCluster, ...] = ()
    backends: Backends = field(default_factory=dict)


def envoy_endpoints(at: Vantage, found: KubeService, *, timeout_s: float = 5.0) -> EnvoyEndpoints:
    """Ask the Envoy of the pod *at* for its endpoints of *found*, what `kube_service` returned.

    Raises Unobserved where the inventory names no admin interface, or the pod cannot be used.
    """
    known, trouble, line = Known(), "", ""
    try:
        said = envoy_admin.ask(at, (envoy_admin.clusters(_named(found)),), timeout_s=timeout_s)
        mine = reader.clusters(said[0].document)
        names = [one.eds_name for one, _ in _of_service(mine, found)]
        dumps = envoy_admin.endpoint_dumps(names) if names else ()
        said += envoy_admin.ask(at, dumps, timeout_s=timeout_s)
        held = [reader.backends(one.document) for one in said[1:]]
        known = Known(clusters=mine, backends=dict(ChainMap(*held)))
        trouble, line = envoy_admin.trouble(said)
    except Malformed as why:
        trouble, line = "malformed", replies.shown(str(why))
    finding = judge(at, known, found, trouble=trouble, line=line)
    at.witness(finding)
    return finding


def _named(found: KubeService) -> str:
    """A pattern for the names of the clusters of *found*."""
    service = found.service
    return envoy_admin.literal(f"|{service.name}.{service.namespace}.svc.") if service else "^$"


def judge(
    at: Vantage, known: Known, found: KubeService, *, trouble: str = "", line: str = ""
) -> EnvoyEndpoints:
    """Compare what Envoy has with the EndpointSlices. Pure."""
    of_ports = list(_of_ports(known, found))
    seen = Compared(
        held=frozenset(one for clusters, _ in of_ports for one in _addresses(known, clusters)),
        ready=frozenset(one for _, wanted in of_ports for one in wanted),
        ailing=frozenset(one for clusters, _ in of_ports for one in _unhealthy(known, clusters)),
    )
    verdict = trouble or _verdict(found, of_ports, seen)
    return EnvoyEndpoints(
        vantage=at.name,
        asked=f"the endpoints that its Envoy has of {found.asked}",
        verdict=verdict,
        service=found.service.id if found.service is not None else "",
        endpoints=seen.held,
        missing=seen.ready - seen.held,
        extra=seen.held - seen.ready,
        unhealthy=seen.ailing & seen.ready,
        namespace=at.host.pod.namespace if at.host.pod is not None else "",
        lacking=seen.lacking if verdict == "family-missing" else (),
        evidence=(line,) if line else _evidence(of_ports, seen),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The endpoints that Envoy has, those that are ready, and those that Envoy sends nothing to."""

    held: frozenset[Endpoint]
    ready: frozenset[Endpoint]
    ailing: frozenset[Endpoint]

    @property
    def lacking(self) -> tuple[Family, ...]:
        """The families of those that are ready, and of none that Envoy has."""
        wanted = {families.of(one.address) for one in self.ready}
        there = {families.of(one.address) for one in self.held}
        return tuple(family for family in Family if family in wanted - there)


Part = tuple[list["UpstreamCluster"], frozenset[Endpoint]]
"""The clusters for one port of the service, and the endpoints that are ready for it."""


def _of_ports(known: Known, found: KubeService) -> Iterator[Part]:
    for port in found.service.ports if found.service is not None else ():
        if port.protocol == TCP:
            mine = [one for one, of in _of_service(known.clusters, found) if of == port]
            yield mine, _ready(found, port)


def _of_service(
    clusters: tuple[UpstreamCluster, ...], found: KubeService
) -> Iterator[tuple[UpstreamCluster, ServicePort]]:
    """Those of *clusters* that lead to the service, and to which port."""
    service = found.service
    for port in service.ports if service is not None else ():
        for one in clusters:
            if service is not None and one.is_of(service.namespace, service.name, port.port):
                yield one, port


def _ready(found: KubeService, port: ServicePort) -> frozenset[Endpoint]:
    return frozenset(
        Endpoint(endpoint.address, at.port)
        for known in found.slices
        for at in known.ports
        if at.name == port.name and at.protocol == port.protocol
        for endpoint in known.endpoints
        if endpoint.ready
    )


def _addresses(known: Known, clusters: list[UpstreamCluster]) -> Iterator[Endpoint]:
    for cluster in clusters:
        yield from (host.at for host in cluster.hosts)
        for addresses in known.backends.get(cluster.eds_name, ()):
            yield from addresses


def _unhealthy(known: Known, clusters: list[UpstreamCluster]) -> Iterator[Endpoint]:
    """Every address of the endpoints that Envoy sends nothing to."""
    for cluster in clusters:
        ailing = {host.at for host in cluster.hosts if host.unhealthy}
        yield from ailing
        for addresses in known.backends.get(cluster.eds_name, ()):
            yield from addresses if ailing & {*addresses} else ()


def _verdict(found: KubeService, of_ports: list[Part], seen: Compared) -> str:
    if found.service is None:
        return "absent"
    if not all(clusters for clusters, _ in of_ports):
        return "service-unknown"
    if seen.lacking:
        return "family-missing"
    if seen.held != seen.ready:
        return "differs"
    return "unhealthy" if seen.ailing else "equal"


def _evidence(of_ports: list[Part], seen: Compared) -> tuple[str, ...]:
    mine = [cluster for clusters, _ in of_ports for cluster in clusters]
    lines = [
        f"Envoy's clusters: {' '.join(one.name for one in mine) or 'none of this service'}",
        f"Envoy has {_listed(seen.held)}",
        f"ready are {_listed(seen.ready)}",
        *(f"{host.at}: {host.unhealthy}" for one in mine for host in one.hosts if host.unhealthy),
    ]
    return tuple(map(replies.shown, lines[:SHOWN_LINES]))


def _listed(endpoints: frozenset[Endpoint]) -> str:
    return " ".join(sorted(map(str, endpoints))) or "none"
