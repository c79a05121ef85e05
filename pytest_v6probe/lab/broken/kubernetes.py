"""What can be broken in a cluster? Its data plane, what it gives its pods, its DNS, its API."""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from pytest_v6probe.kube import rbac
from pytest_v6probe.lab.clouds import cluster_objects as objects
from pytest_v6probe.lab.clouds.cluster_network import BRIDGE, ROUTER
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.cluster_calls import NAMESPACES
from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.steps import Changed, Filtered, Set, Stopped, Unrouted, options
from pytest_v6probe.lab.steps_kubernetes import (
    Expired,
    Patched,
    Paused,
    Readdressed,
    Reserved,
    Rewired,
    SliceLost,
    Unready,
)

if TYPE_CHECKING:
    from pytest_v6probe.lab.clouds.cluster_plan import Plan
    from pytest_v6probe.lab.steps import Step

KIND, EKS, AKS, GKE = (PLANS[name] for name in ("kind", "eks", "aks", "gke"))
COREFILE_PATH = f"{NAMESPACES}/{objects.SYSTEM}/configmaps/{objects.COREDNS}"
WEB_PATH = f"/apis/apps/v1/namespaces/{objects.DEFAULT}/deployments/{objects.WEB}"
IPV4, LOOPBACK = IPv4Network("0.0.0.0/0"), IPv6Network("::1/128")
"""Where no prefix of a family is said, kube-proxy takes all of that family."""
ROLE_PATH = f"/apis/{rbac.GROUP}/v1/clusterroles/{rbac.NAME}"
UNPROXIED = """for family in ip ip6; do
  nft add table $family kube-proxy
  nft delete table $family kube-proxy
done
"""
"""Removes the rules of kube-proxy, of which there may be none."""
STANZA = "    reload 2s\n"


def of(plan: Plan, name: str, summary: str, *steps: Step) -> Fault:
    """The fault of the cluster *plan* whose name is its shape's and *name*."""
    return Fault(
        name=f"{plan.shape}-{name}",
        summary=summary,
        steps=steps,
        region=plan.region,
        shape=plan.shape,
    )


def _proxy_down(plan: Plan) -> Fault:
    far = plan.members[1]
    step = Stopped(daemon=f"{plan.node(far.name)}/kube-proxy", cleared=UNPROXIED)
    return of(plan, "proxy-down", f"kube-proxy does not run on {far.name}", step)


def _route_missing(plan: Plan) -> Fault:
    near, far = plan.members
    prefix = next(net for net in far.pods if net.version == 6)
    return of(
        plan,
        "pod-route-missing",
        f"{near.name} has no IPv6 route to the pods of {far.name}, nor has the cloud",
        Unrouted(node=plan.node(near.name), to=prefix),
        Filtered(
            node=plan.node(ROUTER),
            hook="forward",
            rule=f"iifname {BRIDGE} oifname {BRIDGE} ip6 daddr {prefix} drop",
        ),
    )


def _pods_filtered(plan: Plan) -> Fault:
    far = plan.members[1]
    prefix = next(net for net in far.pods if net.version == 6)
    return of(
        plan,
        "pods-filtered",
        f"a security group drops new TCP connections to the pods of {far.name}, over IPv6",
        Filtered(
            node=plan.node(far.name),
            hook="forward",
            rule=f"iifname eth0 ip6 daddr {prefix} meta l4proto tcp ct state new drop",
        ),
    )


def _forwarding_off(plan: Plan) -> Fault:
    far = plan.members[1]
    node = plan.node(far.name)
    return of(
        plan,
        "forwarding-off",
        f"{far.name} does not forward IPv6",
        Set(node=node, name="ipv6/conf/all/forwarding", value="0", was="1"),
    )


def _slice_missing(plan: Plan) -> Fault:
    return of(
        plan,
        "slice-missing",
        f"the service {objects.WEB} has no EndpointSlice of IPv6",
        SliceLost(region=plan.region, namespace=objects.DEFAULT, name=objects.WEB, family="IPv6"),
    )


def _pod_without_ipv6(plan: Plan) -> Fault:
    far = plan.members[1]
    return of(
        plan,
        "pod-without-ipv6",
        f"the CNI of {far.name} gives pods IPv4 addresses only",
        Rewired(
            region=plan.region,
            node=far.name,
            ranges=tuple(net for net in far.pods if net.version == 4),
            was=far.pods,
            namespace=objects.DEFAULT,
            selector=f"app={objects.WEB}",
        ),
    )


def _node_without_ipv6(plan: Plan) -> Fault:
    far = plan.members[1]
    return of(
        plan,
        "node-without-ipv6",
        f"{far.name} tells the API no IPv6 address",
        Readdressed(
            region=plan.region,
            node=far.name,
            addresses=(far.ipv4,),
            was=far.internal,
        ),
    )


def _service_range(plan: Plan) -> Fault:
    ranges = tuple(net for net in plan.services if net.version == 4)
    # its own first address is to be of the first range's family
    addresses = tuple(sorted(plan.control, key=lambda address: address.version))
    return of(
        plan,
        "service-range-without-ipv6",
        "the API server has IPv4 addresses only for new services",
        Reserved(region=plan.region, options=options(services=ranges, addresses=addresses)),
    )


def _service_range_ipv6(plan: Plan) -> Fault:
    ranges = tuple(net for net in plan.services if net.version == 6)
    return of(
        plan,
        "service-range-without-ipv4",
        f"the API server has IPv6 addresses only for new services, of which {objects.DNS} is one",
        Reserved(region=plan.region, options=options(services=ranges), remade=objects.DNS),
    )


def _second_service_range(plan: Plan) -> Fault:
    return of(
        plan,
        "second-service-range",
        "the API server has addresses of both families for new services",
        Reserved(region=plan.region, options=options(services=KIND.services)),
    )


def _node_port(plan: Plan) -> Fault:
    return of(
        plan,
        "node-port-ipv4-only",
        "kube-proxy offers NodePorts on IPv4 addresses only",
        *(
            Changed(
                daemon=f"{plan.node(member.name)}/kube-proxy",
                options=options(node_ports=(IPV4, LOOPBACK)),
                cleared=UNPROXIED,
            )
            for member in plan.members
        ),
    )


def _readiness(plan: Plan) -> Fault:
    return of(
        plan,
        "readiness-failing",
        "the servers in the pods listen on IPv4 only, and are asked over IPv6 whether they are ready",
        Unready(
            region=plan.region,
            path=WEB_PATH,
            change=_serving(f"0.0.0.0:{objects.PORT}"),
            undo=_serving(str(objects.PORT)),
        ),
    )


def _serving(where: str) -> dict[str, object]:
    """The whole pod of the deployment: a merge patch replaces lists."""
    return {"spec": {"template": {"spec": {"containers": [objects.web(where)]}}}}


def _dns(plan: Plan, name: str, summary: str, more: str) -> Fault:
    """CoreDNS has *more* in its server block."""
    text = objects.COREFILE.replace(STANZA, more + STANZA)
    return of(
        plan,
        name,
        summary,
        Patched(
            region=plan.region,
            path=COREFILE_PATH,
            change={"data": {"Corefile": text}},
            undo={"data": {"Corefile": objects.COREFILE}},
            namespace=objects.SYSTEM,
            selector=f"k8s-app={objects.DNS}",
        ),
    )


_dns_ipv4_only = partial(
    _dns,
    name="dns-ipv4-only",
    summary="CoreDNS heeds nothing that comes over IPv6",
    more="    acl {\n        drop net ::/0\n    }\n",  # Go listens on both, whatever `bind` says
)
_translate_all = partial(
    _dns,
    name="dns-translate-all",
    summary="CoreDNS's dns64 has translate_all",
    more="    dns64 {\n        translate_all\n    }\n",
)


def _exec_forbidden(plan: Plan) -> Fault:
    whole = (*rbac.LOOK, *rbac.DEBUG)
    without = [rule for rule in whole if "pods/exec" not in rule.resources]
    return of(
        plan,
        "exec-forbidden",
        "the account may not exec in pods",
        Patched(
            region=plan.region,
            path=ROLE_PATH,
            change={"rules": rbac.cluster_role(rbac.NAME, without)["rules"]},
            undo={"rules": rbac.cluster_role(rbac.NAME, whole)["rules"]},
        ),
    )


def _certificate_expired(plan: Plan) -> Fault:
    return of(
        plan,
        "api-certificate-expired",
        "the certificate of the API server, which is reached by a literal, has expired",
        Expired(region=plan.region),
    )


def _paused(plan: Plan) -> Fault:
    return of(plan, "api-paused", "the API server is paused", Paused(region=plan.region))


FAULTS: tuple[Fault, ...] = (
    *(
        fault(KIND)  # those that restart the API server lie apart: its clients get slower each time
        for fault in (
            _service_range,
            _proxy_down,
            _route_missing,
            _forwarding_off,
            _slice_missing,
            _pod_without_ipv6,
            _node_without_ipv6,
            _service_range_ipv6,
            _node_port,
            _readiness,
            _dns_ipv4_only,
            _translate_all,
            _exec_forbidden,
            _certificate_expired,
            _paused,
        )
    ),
    _second_service_range(PLANS["kind-ipv6"]),
    *(fault(EKS) for fault in (_proxy_down, _pods_filtered, _readiness, _node_without_ipv6)),
    *(
        fault(AKS)
        for fault in (
            _pods_filtered,
            _slice_missing,
            _pod_without_ipv6,
            _node_without_ipv6,
            _service_range,
        )
    ),
    *(
        fault(GKE)
        for fault in (
            _pods_filtered,
            _slice_missing,
            _pod_without_ipv6,
            _node_without_ipv6,
            _service_range,
            _node_port,
        )
    ),
)
