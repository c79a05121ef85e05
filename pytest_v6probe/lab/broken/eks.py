"""What keeps the pods of EKS from the internet, or lets them out another way? Faults, as data."""

from __future__ import annotations

from ipaddress import IPv4Network

from pytest_v6probe.lab.broken.kubernetes import of
from pytest_v6probe.lab.clouds import cluster_objects as objects
from pytest_v6probe.lab.clouds import internet
from pytest_v6probe.lab.clouds.cluster_network import ROUTER
from pytest_v6probe.lab.clouds.clusters import EKS
from pytest_v6probe.lab.clouds.vpc import PREFIX
from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.steps import Changed, Filtered, Forgotten, Unrouted, options
from pytest_v6probe.lab.steps_kubernetes import Masqueraded, PodsForgot, Rewired

EGRESS = IPv4Network("169.254.172.0/22")
"""What Amazon's CNI gives the pods of an IPv6 cluster: amazon-vpc-cni-k8s, README."""
ROUTER_NODE, FAR = EKS.node(ROUTER), EKS.members[1]
FRAGMENTATION_NEEDED = "icmp type destination-unreachable icmp code 4 drop"  # RFC 792, RFC 1191

FAULTS: tuple[Fault, ...] = (
    of(
        EKS,
        "dns64-off",
        "the subnet's DNS64 is off",
        Changed(daemon=EKS.node("resolver"), options=options(dns64=None)),
    ),
    of(
        EKS,
        "nat64-route-missing",
        "the subnet has no route to a NAT gateway for 64:ff9b::/96",
        Unrouted(node=ROUTER_NODE, to=PREFIX),
    ),
    of(
        EKS,
        "native-site-black-holed",
        "packets to the dual-stack site vanish over IPv6",
        Filtered(node=ROUTER_NODE, hook="forward", rule=f"ip6 daddr {internet.GOOGLE_IPV6} drop"),
    ),
    of(
        EKS,
        "packet-too-big-lost",
        "the translator's path has a small MTU, and nobody is told",
        Filtered(node=ROUTER_NODE, hook="forward", rule=f'oifname "nat64" {FRAGMENTATION_NEEDED}'),
        Filtered(node=internet.CARRIER, hook="output", rule=FRAGMENTATION_NEEDED),
        Forgotten(nodes=(ROUTER_NODE, internet.COMPUTE, internet.CARRIER)),
        PodsForgot(nodes=tuple(EKS.node(member.name) for member in EKS.members)),
    ),
    of(
        EKS,
        "ipv4-egress-left-over",
        f"the CNI of {FAR.name} gives pods a way out over IPv4 as well",
        Masqueraded(node=EKS.node(FAR.name), prefix=EGRESS),
        Rewired(
            region=EKS.region,
            node=FAR.name,
            ranges=(*FAR.pods, EGRESS),
            was=FAR.pods,
            namespace=objects.DEFAULT,
            selector=f"app={objects.WEB}",
        ),
    ),
)
