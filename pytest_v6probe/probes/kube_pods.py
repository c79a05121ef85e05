"""Has every pod of a cluster addresses of the cluster's families, out of its own node's ranges?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.kube import families, nodes, pods
from pytest_v6probe.kube.fields import read_all
from pytest_v6probe.kube.nodes import Node
from pytest_v6probe.kube.pods import Pod
from pytest_v6probe.probes import replies
from pytest_v6probe.probes.kube_nodes import NODES, SHOWN_LINES
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from pytest_v6probe.cluster import Cluster, Lists
    from pytest_v6probe.inventory import kube
    from pytest_v6probe.kube.fields import Network

PODS = "/api/v1/pods"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubePods(Finding):
    """Every running pod of one cluster, and its nodes, as its API has them; pods that have ended, or
    are about to, are left out.

    Verdicts: ``as-declared``; ``none`` (no pod with a network of its own runs); ``family-missing``
    and ``family-unexpected`` (against the families that the inventory says the cluster has);
    ``outside-range`` (an address is not in its own node's ``podCIDRs``, or in none of the
    inventory's `pod_ranges`; a pod on the host network has an address that its node has not);
    ``other-order`` (the first address is not of the cluster's primary family); ``malformed`` (an
    object is not what the API's reference says). Families are judged of pods with a network of
    their own only.
    """

    layer: ClassVar[Layer] = Layer.POD
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    pods: tuple[Pod, ...] = ()
    nodes: tuple[Node, ...] = ()
    at_fault: tuple[str, ...] = ()
    """The pods that the verdict is about, ``namespace/name``."""

    @property
    def networked(self) -> tuple[Pod, ...]:
        """The pods with a network of their own."""
        return tuple(pod for pod in self.pods if not pod.host_network)

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """What the first pod at fault lacks."""
        if self.verdict not in {"family-missing", "outside-range", "other-order"}:
            return None
        namespace, _, name = self.at_fault[0].partition("/")
        return (
            f"the CNI of the pod's node gives out other addresses: {self.evidence[0]}",
            f"kubectl -n {namespace} get pod {name} -o jsonpath='{{.spec.nodeName}} {{.status.podIPs}}'"
            "  # then that node's /etc/cni/net.d, and its podCIDRs",
        )


def kube_pods(cluster: Cluster) -> KubePods:
    """List the pods of all namespaces of *cluster*, and compare them with their nodes and with the
    inventory. Raises Unobserved.
    """
    return cluster.ask({"pods": PODS, "nodes": NODES}, partial(judge, spec=cluster.spec))


def judge(lists: Lists, *, spec: kube.Cluster) -> KubePods:
    """Compare each pod's addresses with the cluster's families and ranges. Pure."""
    every, bad_pods = read_all(lists["pods"], pods.pod)
    known, bad_nodes = read_all(lists["nodes"], nodes.node)
    found = tuple(pod for pod in every if pod.running)
    faults = _faults(found, {node.name: node for node in known}, spec)
    verdict = next((verdict for verdict, at in faults.items() if at), "as-declared")
    complaints = (*bad_pods, *bad_nodes)
    if complaints or all(pod.host_network for pod in found):
        verdict = "malformed" if complaints else "none"
    at_fault = faults.get(verdict, {})
    return KubePods(
        vantage=spec.id,
        asked="pods of all namespaces",
        verdict=verdict,
        pods=found,
        nodes=known,
        at_fault=tuple(at_fault),
        evidence=tuple(
            replies.shown(line)
            for line in (
                *complaints[:SHOWN_LINES],
                *(f"{name} {why}" for name, why in [*at_fault.items()][:SHOWN_LINES]),
                f"{len(found)} pods run, {sum(pod.host_network for pod in found)} of them on the host network",
            )
        ),
    )


def _faults(
    found: tuple[Pod, ...], known: dict[str, Node], spec: kube.Cluster
) -> dict[str, dict[str, str]]:
    """What is wrong, by verdict and by pod, the weightiest verdict first."""
    own = [pod for pod in found if not pod.host_network]
    return {
        "family-missing": {
            pod.id: f"on {pod.node} has no {families.listed(lacking)} address"
            for pod in own
            if (lacking := [family for family in spec.families if family not in pod.families])
        },
        "family-unexpected": {
            pod.id: f"on {pod.node} has {families.listed(more)} as well"
            for pod in own
            if (more := [family for family in pod.families if family not in spec.families])
        },
        "outside-range": {
            pod.id: f"on {pod.node}: {why}"
            for pod in found
            if (why := _stray(pod, known.get(pod.node), spec))
        },
        "other-order": {
            pod.id: f"on {pod.node} has {pod.families[0]} first"
            for pod in own
            if pod.families and pod.families != spec.families
        },
    }


def _stray(pod: Pod, node: Node | None, spec: kube.Cluster) -> str:
    """Which address of *pod* is not where it belongs; empty if all are."""
    if pod.host_network:
        known = node.addresses if node is not None else pod.addresses
        strange = [str(address) for address in pod.addresses if address not in known]
        return f"{', '.join(strange)} is no address of its node" if strange else ""
    if stray := families.outside(pod.addresses, spec.pod_ranges):
        return f"{', '.join(map(str, stray))} in none of the pod_ranges"
    if stray := families.outside(pod.addresses, _in_use(node, spec)):
        return f"{', '.join(map(str, stray))} not in its node's podCIDRs"
    return ""


def _in_use(node: Node | None, spec: kube.Cluster) -> tuple[Network, ...]:
    """The node's own ranges that its CNI goes by: not those outside of what the inventory says that
    pods have, for then it takes its addresses from elsewhere.
    """
    if node is None:
        return ()
    return tuple(
        own
        for own in node.pod_ranges
        if not families.outside((own.network_address,), spec.pod_ranges)
    )
