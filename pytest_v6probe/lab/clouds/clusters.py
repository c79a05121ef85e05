"""Which clusters are there? Data: kind's, and those of three clouds, as their documentation has them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab.clouds.cluster_plan import IPV4, IPV6, Plan, Range

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILIES = {"dual": (IPV6, IPV4), IPV6: (IPV6,), IPV4: (IPV4,)}
PROXIES = ("nftables", "iptables")
MOST_NODES = 8
OPTIONS = ("family", "primary", "nodes", "proxy")


def _range(link: str, pods: str, length: int, services: str, resolver: str) -> Range:
    return Range(
        link=ip_network(link),
        pods=ip_network(pods),
        node_length=length,
        services=ip_network(services),
        resolver=ip_address(resolver),
    )


KIND = Plan(
    shape="kind",
    cloud="aws",
    region="kind",
    # as kind and its Docker network have them
    ipv6=_range(
        "fc00:f853:ccd:e793::/64",
        "fd00:10:244::/56",
        64,
        "fd00:10:96::/112",
        "fc00:f853:ccd:e793::1",
    ),
    ipv4=_range("172.18.0.0/16", "10.244.0.0/16", 24, "10.96.0.0/16", "172.18.0.1"),
    block=IPv6Network("fc00:f853:ccd:e793::/64"),
)
EKS = Plan(
    shape="eks",
    cloud="aws",
    region="us-east-1",
    # https://docs.aws.amazon.com/eks/latest/userguide/cni-ipv6.html: a /80 for the pods of a node
    ipv6=_range(
        "2600:1f18:d:f70a::/64",
        "2600:1f18:d:f70c::/64",
        80,
        "fd7a:c1cb:c06a::/108",
        "fd00:ec2::253",
    ),
    ipv4=_range("192.168.0.0/19", "10.244.0.0/16", 24, "10.100.0.0/16", "169.254.169.253"),
    families=(IPV6,),
    block=IPv6Network("2600:1f18:d:f700::/56"),
    translated=True,
)
AKS = Plan(
    shape="aks",
    cloud="azure",
    region="eastus2",
    # https://learn.microsoft.com/azure/aks/configure-kubenet-dual-stack
    ipv6=_range(
        "fd00:db8:deca:deed::/64",
        "fd12:3456:789a::/64",
        80,
        "fd12:3456:789a:1::/108",
        "fd00:db8:deca:deed::1",
    ),
    ipv4=_range("10.224.0.0/16", "10.244.0.0/16", 24, "10.0.0.0/16", "168.63.129.16"),
    families=(IPV4, IPV6),
    block=IPv6Network("fd00:db8:deca:deed::/64"),
)
GKE = Plan(
    shape="gke",
    cloud="gcp",
    region="us-central1",
    # https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips: a /112 for the pods of a node
    ipv6=_range(
        "2600:1900:4000:af3c::/64",
        "2600:1900:4000:af3d::/64",
        112,
        "2600:2d00:0:4:e1c0:7b5a::/112",
        "fd20:ce::254",
    ),
    ipv4=_range("10.128.0.0/20", "10.4.0.0/14", 24, "34.118.224.0/20", "169.254.169.254"),
    families=(IPV4, IPV6),
    block=IPv6Network("2600:1900:4000:af3c::/63"),
)
PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "kubernetes": replace(KIND, shape="kubernetes", region="lab"),
        "kind": KIND,
        "kind-ipv4": replace(KIND, shape="kind-ipv4", families=(IPV4,)),
        "kind-ipv6": replace(KIND, shape="kind-ipv6", families=(IPV6,)),
        "metallb": replace(KIND, shape="metallb", region="metallb", metallb=True),
        # with IPv6 first, kube-router finds no pods of its own unless it is to enforce IPv6
        "policies": replace(
            KIND, shape="policies", region="policies", families=(IPV4, IPV6), policies=True
        ),
        "istio": replace(KIND, shape="istio", region="istio", istio=True),
        "eks": EKS,
        "aks": AKS,
        "gke": GKE,
    }
)
"""Each, by the name of its shape. Only of ``kubernetes`` more can be said."""


def planned(kind: str, options: Mapping[str, str]) -> Plan:
    """The cluster of shape *kind* with *options*: ``family``, ``primary``, ``nodes``, ``proxy``. Raises
    LabError that says what there is.
    """
    plan = PLANS[kind]
    if kind != "kubernetes":
        if options:
            raise LabError(f"a lab of shape {kind} takes no options; one of shape kubernetes does")
        return plan
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise LabError(f"there is no option {unknown[0]!r}; there is {', '.join(OPTIONS)}")
    families = _families(options)
    return replace(
        plan,
        families=families,
        count=_count(options.get("nodes", str(plan.count))),
        proxy=_one_of(options.get("proxy", plan.proxy), PROXIES, "proxy"),
        translated=families == (IPV6,),
    )


def _families(options: Mapping[str, str]) -> tuple[str, ...]:
    families = FAMILIES[_one_of(options.get("family", "dual"), FAMILIES, "family")]
    primary = _one_of(options.get("primary", families[0]), (IPV6, IPV4), "primary")
    if primary not in families:
        raise LabError(f"the primary family of a cluster with only {families[0]} is not {primary}")
    return families if primary == families[0] else families[::-1]


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MOST_NODES:
        raise LabError(f"nodes: {text!r} is no number from 1 to {MOST_NODES}")
    return int(text)


def _one_of(text: str, choice: Mapping[str, object] | tuple[str, ...], what: str) -> str:
    if text not in choice:
        raise LabError(f"{what}: {text!r} is none of {', '.join(choice)}")
    return text
