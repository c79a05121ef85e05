"""Has a service the external addresses that it is to have: of each family, out of the pool? MetalLB, and
the load balancers of clouds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.kube import families, fields, load_balancers
from pytest_v6probe.probes import load_balancer_causes, replies
from pytest_v6probe.result import Family, Finding, Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_v6probe.cluster import Cluster
    from pytest_v6probe.inventory import kube
    from pytest_v6probe.kube.load_balancers import LoadBalancer
    from pytest_v6probe.result import Address

STATUSES = (
    "/apis/metallb.io/v1beta1/servicel2statuses",
    "/apis/metallb.io/v1beta1/servicebgpstatuses",
)
SAID_LINES = 3
_UNTOLD = {"forbidden", "resource-absent"}
"""Why what only explains may be left out."""
_LAYERS = {"annotation-missing": Layer.CONFIGURATION}
Lists = tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeLoadBalancer(Finding):
    """What one service of type ``LoadBalancer`` has been given, as the API has it.

    Verdicts: ``as-declared``; ``absent``; ``other-type``; ``annotation-missing`` (AWS makes it, and
    nothing asks for IPv6); ``pending`` (it has no address at all); ``address-missing`` (none of a
    family, see *lacking*); ``families-disagree`` (its addresses are not of the families of its
    ClusterIPs, which MetalLB follows since 0.15); ``outside-pool`` (see *strays*); ``malformed``.
    The families of a name, as AWS gives, are asked by `load_balancer_answers`.
    """

    layer: ClassVar[Layer] = Layer.SERVICE
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    service: str
    """``namespace/name``."""
    balancer: LoadBalancer | None = None
    http: bool = True
    """Whether its first port speaks HTTP."""
    client_address_page: str = ""
    lacking: tuple[Family, ...] = ()
    strays: tuple[Address, ...] = ()
    """Its addresses that are from no range of the pool."""
    announcers: tuple[str, ...] | None = None
    """The nodes whose speakers say that they announce it (MetalLB); None: that was not told."""
    announced_last: str = ""
    """The node that began to last, where none is known to do so now."""
    said: tuple[str, ...] = ()
    """What controllers said against it last, ``reason: message``."""

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of its external addresses."""
        return self.balancer.families if self.balancer is not None else ()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Its external addresses."""
        return self.balancer.addresses if self.balancer is not None else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it has instead of addresses."""
        return self.balancer.names if self.balancer is not None else ()

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Why it is not as it is to be, and what mends it."""
        return load_balancer_causes.given(self)


def kube_load_balancer(cluster: Cluster, load_balancer: kube.LoadBalancer) -> KubeLoadBalancer:
    """Look at what *load_balancer* has been given in *cluster*, and where that is not as declared, or
    MetalLB gave it, at what is said of it. Raises Unobserved.
    """
    path = f"/api/v1/namespaces/{load_balancer.namespace}"
    listed = cluster.api.list(f"{path}/services", timeout_s=cluster.timeout_s)
    found = judge(listed, vantage=cluster.name, declared=load_balancer)
    of_metallb = found.balancer is not None and bool(found.balancer.pool_name)
    if of_metallb:
        found = _announced(cluster, found)
    if found.verdict != "as-declared" or (of_metallb and not found.announcers):
        found = explained(found, _told(cluster, f"{path}/events") or ())
    cluster.witness(found)
    return found


def judge(listed: Lists, *, vantage: str, declared: kube.LoadBalancer) -> KubeLoadBalancer:
    """Compare what was given with what is declared. Pure."""
    mine = [said for said in listed if fields.label(said) == declared.service_name]
    known, complaints = fields.read_all(mine, load_balancers.load_balancer)
    balancer = known[0] if known else None
    found = KubeLoadBalancer(
        vantage=vantage,
        asked=f"external addresses of {declared.service_name}",
        verdict="malformed" if complaints else "absent",
        service=declared.service_name,
        balancer=balancer,
        http=declared.http,
        client_address_page=declared.client_address_page,
        evidence=tuple(map(replies.shown, complaints)),
    )
    if balancer is None:
        return found
    lacking = tuple(Family(one) for one in declared.families if one not in balancer.families)
    strays = families.outside(balancer.addresses, declared.pool)
    verdict = _verdict(balancer, declared, lacking, strays)
    return replace(
        found,
        verdict=verdict,
        lacking=lacking if verdict == "address-missing" else (),
        strays=strays if verdict == "outside-pool" else (),
        evidence=(_line(balancer),),
    )


def announced(found: KubeLoadBalancer, statuses: Lists) -> KubeLoadBalancer:
    """*found* with the nodes that announce it, by MetalLB's *statuses*. Pure."""
    known, _ = fields.read_all(statuses, load_balancers.announcement)
    nodes = {one.node for one in known if one.service == found.service and one.node}
    return replace(found, announcers=tuple(sorted(nodes)))


def explained(found: KubeLoadBalancer, events: Lists) -> KubeLoadBalancer:
    """*found* with what *events* say of it. Pure."""
    known, _ = fields.read_all(events, load_balancers.event)
    mine = sorted(
        (one for one in known if one.service == found.service), key=lambda one: one.at, reverse=True
    )
    against = [one for one in mine if one.warning or one.reason == "AdditionalAssignFailed"]
    said = tuple(dict.fromkeys(replies.shown(f"{one.reason}: {one.message}") for one in against))[
        :SAID_LINES
    ]
    return replace(
        found,
        said=said,
        announced_last=next((one.node for one in mine if one.node), ""),
        evidence=(*found.evidence, *said),
    )


def _verdict(
    balancer: LoadBalancer,
    declared: kube.LoadBalancer,
    lacking: Sequence[Family],
    strays: Sequence[Address],
) -> str:
    if balancer.service.type != "LoadBalancer":
        return "other-type"
    wants_ipv6 = Family.IPV6 in declared.families
    if balancer.of_aws and wants_ipv6 and balancer.ip_address_type != "dualstack":
        return "annotation-missing"
    if balancer.pending:
        return "pending"
    if lacking and not balancer.names:
        return "address-missing"
    if balancer.addresses and set(balancer.families) != set(balancer.service.address_families):
        return "families-disagree"
    return "outside-pool" if strays else "as-declared"


def _line(balancer: LoadBalancer) -> str:
    given = " ".join((*map(str, balancer.addresses), *balancer.names)) or "nothing"
    pool = f" out of the pool {balancer.pool_name}" if balancer.pool_name else ""
    return replies.shown(f"{balancer.service.type} {balancer.service.policy}: {given}{pool}")


def _announced(cluster: Cluster, found: KubeLoadBalancer) -> KubeLoadBalancer:
    """*found* with its announcers; those by BGP are looked for where there are none on the link."""
    for path in STATUSES:
        statuses = _told(cluster, path)
        if statuses is None:
            return replace(found, announcers=None)
        found = announced(found, statuses)
        if found.announcers:
            break
    return found


def _told(cluster: Cluster, path: str) -> Lists | None:
    """The objects at *path*; None where there is no such kind, or this account may not see them.
    Raises Unobserved for anything else.
    """
    try:
        return tuple(cluster.api.list(path, timeout_s=cluster.timeout_s))
    except Unobserved as why:
        if why.reason in _UNTOLD:
            return None
        raise
