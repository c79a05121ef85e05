"""What load balancer stands before a cluster in a cloud of the lab? One at the region's router: an address
of each family, and behind it the NodePort of a node.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_v6probe.inventory.model import LoadBalancer
from pytest_v6probe.lab.clouds.cluster_objects import CORE, DEFAULT, PORT, WEB, Made
from pytest_v6probe.lab.clouds.internet import SOA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_v6probe.lab.clouds.cluster_plan import Plan
    from pytest_v6probe.result import Address

NAME, ADDRESS_PAGE = "web-lb", "/cgi-bin/address"
NODE_PORT = 30090
AWS = "service.beta.kubernetes.io/aws-load-balancer"
RULES = """
table inet balancer {{
  chain inward {{
    type nat hook prerouting priority -100; policy accept;
{lines}  }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """Addresses that the region's router answers at, and what the service says of them."""

    addresses: tuple[Address, ...]
    ingress: tuple[Mapping[str, str], ...]
    """As the cloud's controller writes it."""
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    host_name: str = ""
    zone: str = ""


NLB = "k8s-default-weblb-0a1b2c3d4e"
ELB_ZONE = "elb.us-east-1.amazonaws.com"
BALANCERS: Mapping[str, Balancer] = MappingProxyType(
    {
        # aws-load-balancer-controller, Service annotations
        "eks": Balancer(
            addresses=(IPv6Address("2600:1f18:d:f70a::8080"),),
            ingress=({"hostname": f"{NLB}.{ELB_ZONE}"},),
            annotations=MappingProxyType(
                {
                    f"{AWS}-type": "external",
                    f"{AWS}-scheme": "internet-facing",
                    f"{AWS}-nlb-target-type": "instance",
                    f"{AWS}-ip-address-type": "dualstack",
                }
            ),
            host_name=NLB,
            zone=ELB_ZONE,
        ),
        "aks": Balancer(
            addresses=(IPv4Address("3.208.64.80"), IPv6Address("fd00:db8:deca:deed::8080")),
            ingress=({"ip": "3.208.64.80"}, {"ip": "fd00:db8:deca:deed::8080"}),
        ),
        "gke": Balancer(
            addresses=(IPv4Address("3.208.64.80"), IPv6Address("2600:1900:4000:af3c:8080::")),
            ingress=({"ip": "3.208.64.80"}, {"ip": "2600:1900:4000:af3c:8080::"}),
        ),
    }
)
"""By the shape of the lab."""


def objects(plan: Plan) -> Iterator[Made]:
    """The service of the web site that the load balancer of *plan* stands before."""
    if plan.shape not in BALANCERS:
        return
    known = BALANCERS[plan.shape]
    spec = {
        "type": "LoadBalancer",
        "ipFamilyPolicy": "PreferDualStack",
        "externalTrafficPolicy": "Local",
        "selector": {"app": WEB},
        "ports": [{"name": "http", "port": PORT, "nodePort": NODE_PORT}],
    }
    service: dict[str, Any] = {
        "metadata": {"name": NAME, "annotations": dict(known.annotations)},
        "spec": spec,
        "status": status(*known.ingress),
    }
    yield f"{CORE}/namespaces/{DEFAULT}/services", service


def status(*ingress: Mapping[str, str]) -> dict[str, Any]:
    """What the service says once it has its load balancer."""
    return {"loadBalancer": {"ingress": list(map(dict, ingress))}}


def rules(plan: Plan) -> str:
    """What the router does with packets to the load balancer, in nft's language."""
    if plan.shape not in BALANCERS:
        return ""
    node, lines = plan.members[0], ""
    for address in BALANCERS[plan.shape].addresses:
        family = "ip6" if address.version == 6 else "ip"
        to = node.address(address.version)
        where = f"[{to}]:{NODE_PORT}" if address.version == 6 else f"{to}:{NODE_PORT}"
        lines += f"    {family} daddr {address} tcp dport {PORT} dnat {family} to {where}\n"
    return RULES.format(lines=lines)


def zones(plan: Plan) -> dict[str, str]:
    """The zone with the name of the load balancer, where it has one."""
    known = BALANCERS.get(plan.shape)
    if known is None or not known.zone:
        return {}
    kinds = {6: "AAAA", 4: "A"}
    lines = "".join(
        f"{known.host_name} 60 {kinds[address.version]} {address}\n" for address in known.addresses
    )
    return {known.zone: SOA + lines}


def load_balancers(plan: Plan, cluster: str) -> tuple[LoadBalancer, ...]:
    """What the inventory says of it."""
    if plan.shape not in BALANCERS:
        return ()
    return (
        LoadBalancer(
            name=NAME,
            cluster=cluster,
            families=plan.families,
            client_address_page=ADDRESS_PAGE,
        ),
    )
