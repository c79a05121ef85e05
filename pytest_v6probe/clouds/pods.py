"""What cures a pod itself, on every cloud? Its addresses and routes are its CNI's, its resolver is the
cluster's.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_v6probe.clouds.model import Cloud, Cure
from pytest_v6probe.result import Layer

_ADDRESSES = (
    "kubectl get pod <pod> -o jsonpath='{.spec.nodeName} {.status.podIPs}'"
    "  # then that node's /etc/cni/net.d, and its podCIDRs"
)

CURES = (
    Cure(
        layer=Layer.ADDRESS, verdict="none",
        cause="the pod has no IPv6 address: its node's CNI gave it none",
        command=_ADDRESSES,
    ),
    Cure(
        layer=Layer.ADDRESS, verdict="absent",
        cause="the pod has another address than the inventory says",
        command=_ADDRESSES,
    ),
    Cure(
        layer=Layer.ROUTE, verdict="absent",
        cause="the pod has no IPv6 default route: its node's CNI made none",
        command="ip -6 route show default  # in the pod; then its node's /etc/cni/net.d",
    ),
    Cure(
        layer=Layer.ROUTE,
        cause="the pod's node has no route there",
        command="ip -6 route get <address>  # on the pod's node",
    ),
    Cure(
        layer=Layer.RESOLVER, verdict="no-route",
        cause="the address of the cluster's DNS leads nowhere: kube-proxy on the pod's node does not"
        " forward it",
        command="kubectl -n kube-system get pods -o wide | grep kube-proxy"
        "  # that of the pod's node, and its log",
    ),
    Cure(
        layer=Layer.RESOLVER,
        cause="the cluster's DNS does not answer the pod over IPv6",
        command="kubectl -n kube-system get endpointslices -l kubernetes.io/service-name=kube-dns"
        " && kubectl -n kube-system logs -l k8s-app=kube-dns",
    ),
)  # fmt: skip


def of_pods(cloud: Cloud) -> Cloud:
    """*cloud* as its pods see it: what cures a pod comes before what cures an instance."""
    return replace(cloud, cures=(*CURES, *cloud.cures))
