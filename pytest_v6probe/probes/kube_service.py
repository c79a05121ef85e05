"""Has a service of Kubernetes the families that it asks for, addresses of each, and endpoints behind
each? kubernetes.io, "IPv4/IPv6 dual-stack".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.inventory import kube
from pytest_v6probe.kube import endpoint_slices, families, fields, nodes, services
from pytest_v6probe.kube.endpoint_slices import EndpointSlice, ServiceEndpoint
from pytest_v6probe.kube.nodes import Node
from pytest_v6probe.kube.services import Service
from pytest_v6probe.probes import kube_service_causes, replies
from pytest_v6probe.probes.kube_nodes import NODES, SHOWN_LINES
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_v6probe.cluster import Cluster, Lists
    from pytest_v6probe.result import Address, Family

PREFER, REQUIRE = "PreferDualStack", "RequireDualStack"
_LAYERS = {"endpoints-missing": Layer.ENDPOINTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeService(Finding):
    """One service, its EndpointSlices and the nodes that its NodePorts are on, as the API has them.

    Verdicts: ``as-declared``; ``absent``; ``families-disagree`` (its ClusterIPs are not of its
    ``ipFamilies``); ``other-type``; ``family-missing``, ``family-unexpected``, ``other-order``
    (against the inventory, or against its own policy); ``fell-back`` (it prefers dual stack, and
    was given one family, where the inventory does not say one); ``outside-range`` (a ClusterIP is
    in none of the inventory's `service_ranges`); ``endpoints-missing`` (a family of it has no ready
    endpoint, see *lacking*); ``malformed`` (an object is not what the API's reference says).
    """

    layer: ClassVar[Layer] = Layer.SERVICE
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    service: Service | None = None
    slices: tuple[EndpointSlice, ...] = ()
    nodes: tuple[Node, ...] = ()
    cluster_families: tuple[str, ...] = ()
    """Those that the inventory says the cluster has."""
    http: bool = True
    """Whether its first port speaks HTTP."""
    lacking: tuple[str, ...] = ()
    """The families that the verdict says it lacks."""

    @property
    def fell_back(self) -> bool:
        """Whether it prefers dual stack, and was given one family: also where the inventory says
        one.
        """
        return self.service is not None and _fell_back(self.service)

    @property
    def families(self) -> tuple[Family, ...]:
        """Its ``ipFamilies``; none where it is absent."""
        return self.service.families if self.service is not None else ()

    @property
    def policy(self) -> str:
        """Its ``ipFamilyPolicy``; empty where it is absent."""
        return self.service.policy if self.service is not None else ""

    @property
    def cluster_ips(self) -> tuple[Address, ...]:
        """Its ClusterIPs; none where it is headless or absent."""
        return self.service.cluster_ips if self.service is not None else ()

    def cluster_ip(self, family: Family) -> Address | None:
        """Its ClusterIP of *family*; None if it has none."""
        return next((one for one in self.cluster_ips if families.of(one) == family), None)

    def endpoints(self, family: Family) -> tuple[ServiceEndpoint, ...]:
        """Its ready endpoints of *family*, each once."""
        found = {
            endpoint.address: endpoint
            for known in self.slices
            if known.family == family
            for endpoint in known.endpoints
            if endpoint.ready
        }
        return tuple(found.values())

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Why it is not as it is to be, and what mends it."""
        if self.service is None:
            return None
        return kube_service_causes.cause(
            self.verdict, self.service, self.slices, self.lacking, self.cluster_families
        )


def kube_service(cluster: Cluster, service: kube.Service | str) -> KubeService:
    """Look at *service* of *cluster*: one of the inventory, or any, as ``namespace/name``, that is
    judged by its own policy only. Raises Unobserved.
    """
    declared = service if isinstance(service, kube.Service) else None
    namespace, name = (
        (service.namespace, service.name)
        if isinstance(service, kube.Service)
        else tuple(service.split("/", 1))
    )
    paths = {
        "services": f"/api/v1/namespaces/{namespace}/services",
        "slices": f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
        "nodes": NODES,
    }
    return cluster.ask(
        paths, partial(judge, spec=cluster.spec, namespace=namespace, name=name, declared=declared)
    )


def judge(
    lists: Lists, *, spec: kube.Cluster, namespace: str, name: str, declared: kube.Service | None
) -> KubeService:
    """Compare what was asked for with what was given. Pure."""
    mine = [said for said in lists["services"] if fields.label(said) == f"{namespace}/{name}"]
    found, complaints = fields.read_all(mine, services.service)
    slices, bad_slices = fields.read_all(
        _of_service(lists["slices"], name), endpoint_slices.endpoint_slice
    )
    known, bad_nodes = fields.read_all(lists["nodes"], nodes.node)
    complaints = (*complaints, *bad_slices, *bad_nodes)
    service = found[0] if found else None
    verdict: str = "absent"
    lacking: tuple[str, ...] = ()
    if complaints:
        verdict = "malformed"
    elif service is not None:
        verdict, lacking = _verdict(service, slices, spec, declared)
    return KubeService(
        vantage=spec.id,
        asked=f"service {namespace}/{name}",
        verdict=verdict,
        service=service,
        slices=slices,
        nodes=known,
        cluster_families=spec.families,
        http=declared.http if declared is not None else False,
        lacking=lacking,
        evidence=_evidence(complaints, service, slices),
    )


def _of_service(said: Iterable[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """The slices of the service called *name*, and those of which nobody can tell."""
    mine = []
    for one in said:
        try:
            if endpoint_slices.service_of(one) == name:
                mine.append(one)
        except fields.Malformed:
            mine.append(one)
    return mine


def _verdict(  # noqa: PLR0911  one return for each verdict
    service: Service,
    slices: tuple[EndpointSlice, ...],
    spec: kube.Cluster,
    declared: kube.Service | None,
) -> tuple[str, tuple[str, ...]]:
    """The verdict, and the families that it says are lacking."""
    wanted = declared.families if declared is not None else _by_policy(service, spec)
    if not service.headless and service.address_families != service.families:
        return "families-disagree", ()
    if declared is not None and declared.type != service.kind:
        return "other-type", ()
    if lacking := tuple(family for family in wanted if family not in service.families):
        return "fell-back" if _fell_back(service) else "family-missing", lacking
    if any(family not in wanted for family in service.families):
        return "family-unexpected", ()
    if service.families != wanted:
        return "other-order", ()
    if families.outside(service.cluster_ips, spec.service_ranges):
        return "outside-range", ()
    if lacking := _without_endpoints(service, slices, spec):
        return "endpoints-missing", lacking
    said = declared is not None or not _fell_back(service)
    return "as-declared" if said else "fell-back", ()


def _fell_back(service: Service) -> bool:
    return service.policy == PREFER and len(service.families) == 1


def _by_policy(service: Service, spec: kube.Cluster) -> tuple[str, ...]:
    """The families that its own policy wants: what it has, and for dual stack the other one too,
    which a cluster with one family gives to nobody who only prefers it.
    """
    dual = service.policy == REQUIRE or (service.policy == PREFER and len(spec.families) > 1)
    both = (*service.families, "ipv6", "ipv4") if dual else service.families
    return tuple(dict.fromkeys(both))


def _without_endpoints(
    service: Service, slices: tuple[EndpointSlice, ...], spec: kube.Cluster
) -> tuple[str, ...]:
    """The families of *service* with no ready endpoint. A headless one without a selector has both
    families even on a cluster with one: what the cluster has not is not missed.
    """
    if service.type == "ExternalName":
        return ()
    ready = {
        known.family for known in slices if any(endpoint.ready for endpoint in known.endpoints)
    }
    return tuple(
        family for family in service.families if family in spec.families and family not in ready
    )


def _evidence(
    complaints: tuple[str, ...], service: Service | None, slices: tuple[EndpointSlice, ...]
) -> tuple[str, ...]:
    lines = [*complaints[:SHOWN_LINES]]
    if service is not None:
        addresses = " ".join(map(str, service.cluster_ips)) or "no ClusterIP"
        given = families.listed(service.families)
        fell = ", which it fell back to" if _fell_back(service) else ""
        lines.append(f"{service.kind} {service.policy}: {given}{fell}; {addresses}")
    lines += [
        f"EndpointSlice {known.name} of {families.SHOWN.get(known.family or '', 'names')}:"
        f" {sum(endpoint.ready for endpoint in known.endpoints)} of {len(known.endpoints)} ready"
        for known in slices[:SHOWN_LINES]
    ]
    return tuple(map(replies.shown, lines))
