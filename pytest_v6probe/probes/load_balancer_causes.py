"""Why has a service not the external addresses that it is to have, or does not answer at them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.kube import families
from pytest_v6probe.kube.load_balancers import IP_ADDRESS_TYPE
from pytest_v6probe.result import Family

if TYPE_CHECKING:
    from pytest_v6probe.kube.load_balancers import LoadBalancer
    from pytest_v6probe.probes.kube_load_balancer import KubeLoadBalancer
    from pytest_v6probe.result import Address

_POOLS = "kubectl get ipaddresspools.metallb.io -A -o yaml"
_SPEAKERS = "kubectl -n metallb-system get pods -l component=speaker -o wide"
_OF_METALLB = ("AllocationFailed: ", "AdditionalAssignFailed: ")


def given(found: KubeLoadBalancer) -> tuple[str, str] | None:
    """Why *found* is not as declared, and which command cures it; None where nobody knows."""
    if found.balancer is None:
        return None
    if found.verdict == "annotation-missing":
        asked = found.balancer.ip_address_type or "nothing, which is ipv4"
        return (
            f"AWS gives a load balancer IPv6 only where it is asked for dualstack; asked is {asked}",
            f"{_kubectl(found, 'annotate')} --overwrite {IP_ADDRESS_TYPE}=dualstack",
        )
    if found.verdict == "outside-pool":
        strays = ", ".join(map(str, found.strays))
        return f"{strays}: from none of the ranges that the inventory declares", _POOLS
    if found.verdict in {"pending", "address-missing"}:
        return _missing(found, found.balancer)
    return None


def _missing(found: KubeLoadBalancer, balancer: LoadBalancer) -> tuple[str, str]:
    has = families.listed(balancer.service.address_families)
    lacks = families.listed(found.lacking)
    if missing := [one for one in found.lacking if one not in balancer.service.address_families]:
        return (
            f"the service has {has} only, by {balancer.service.policy or 'SingleStack'}: "
            f"no load balancer gives it {families.listed(missing)}",
            f'{_kubectl(found, "patch")} -p \'{{"spec":{{"ipFamilyPolicy":"RequireDualStack"}}}}\'',
        )
    if any(line.startswith(_OF_METALLB) for line in found.said):
        return (
            f"no pool of MetalLB has an address of {lacks if found.lacking else has} to give; all of a "
            f"service are from one pool, which must hold every family of it: {found.said[0]}",
            _POOLS,
        )
    if found.verdict == "pending":
        why = f": {found.said[0]}" if found.said else ", and nobody says why"
        return f"no controller has given it an address{why}", _kubectl(found, "describe")
    return (
        f"the cloud gave it no {lacks}: some give the first family alone, and then a second service "
        "with the other family is the way out (jenkins-infra/helpdesk#3639)",
        _kubectl(found, "describe"),
    )


def answers(
    found: KubeLoadBalancer, verdict: str, host: Address | str, family: Family
) -> tuple[str, str] | None:
    """Why asking at *host* of *found* gave *verdict*, where *found* tells."""
    if verdict == "external-silent":
        return silent(found, host, family)
    return found.known_cause if verdict == "address-missing" else None


def silent(found: KubeLoadBalancer, host: Address | str, family: Family) -> tuple[str, str]:
    """Why nothing comes back from *host*, an external address or the name of *found*."""
    word = families.SHOWN[family]
    if found.balancer is None or not found.balancer.pool_name:
        return (
            f"its load balancer does not answer over {word}",
            _kubectl(found, "describe"),
        )
    if found.announcers:
        nodes = " and ".join(found.announcers)
        shown = "ip -6 neigh show" if family is Family.IPV6 else "ip -4 neigh show"
        return (
            f"the speaker of MetalLB on {nodes} announces it, and over {word} nothing comes back: the "
            "router does not find it on its link, or has no route to it, or that node does not forward "
            "to the endpoints",
            f"{shown} {host}  # on the router, or the route to it; then kube-proxy of {nodes}",
        )
    if found.announcers is None:
        last = found.announced_last
        return (
            f"the speaker of MetalLB on {last or 'some node'} announced it last; over {word} nothing "
            "comes back",
            _SPEAKERS,
        )
    last = f"that of {found.announced_last} did last" if found.announced_last else "none ever did"
    return f"no speaker of MetalLB announces it: {last}", _SPEAKERS


def _kubectl(found: KubeLoadBalancer, verb: str) -> str:
    namespace, _, name = found.service.partition("/")
    return f"kubectl -n {namespace} {verb} service {name}"
