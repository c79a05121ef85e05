"""Has every node of a cluster addresses of the cluster's families, from its ranges, and is it ready?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.kube import families, nodes
from pytest_v6probe.kube.fields import read_all
from pytest_v6probe.kube.nodes import Node
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from pytest_v6probe.cluster import Cluster, Lists
    from pytest_v6probe.inventory import kube

NODES = "/api/v1/nodes"
SHOWN_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeNodes(Finding):
    """Every node of one cluster, as its API has them.

    Verdicts: ``as-declared``; ``none`` (no node at all); ``not-ready``; ``family-missing`` (a node
    has no address, or no range for its pods, of a family that the inventory says the cluster has);
    ``outside-range`` (an internal address is in none of the inventory's `node_ranges`);
    ``malformed`` (an object is not what the API's reference says).
    """

    layer: ClassVar[Layer] = Layer.NODE
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    nodes: tuple[Node, ...] = ()
    at_fault: tuple[str, ...] = ()
    """The names of the nodes that the verdict is about."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """What the first node at fault lacks."""
        name = self.at_fault[0] if self.at_fault else ""
        if self.verdict == "not-ready":
            why = next(node.not_ready_why for node in self.nodes if node.name == name)
            return (
                f"node {name} is not ready: {replies.shown(why)}",
                f"kubectl describe node {name}",
            )
        if self.verdict == "family-missing":
            return (
                f"kubelet reports not every family of the cluster: {self.evidence[0]}",
                f"kubectl get node {name} -o jsonpath='{{.status.addresses}} {{.spec.podCIDRs}}'"
                "  # kubelet --node-ip=<ipv4>,<ipv6>; kube-controller-manager --cluster-cidr=<ipv4>,<ipv6>",
            )
        return None


def kube_nodes(cluster: Cluster) -> KubeNodes:
    """List the nodes of *cluster*, and compare them with what the inventory says of it. Raises
    Unobserved.
    """
    return cluster.ask({"nodes": NODES}, partial(judge, spec=cluster.spec))


def judge(lists: Lists, *, spec: kube.Cluster) -> KubeNodes:
    """Compare each node's addresses and ranges with the cluster's. Pure."""
    found, complaints = read_all(lists["nodes"], nodes.node)
    faults = {
        "not-ready": {
            node.name: f"not ready: {node.not_ready_why}" for node in found if not node.ready
        },
        "family-missing": {
            node.name: lacking for node in found if (lacking := _lacking(node, spec.families))
        },
        "outside-range": {
            node.name: f"{', '.join(map(str, stray))} in none of the node_ranges"
            for node in found
            if (stray := families.outside(node.internal, spec.node_ranges))
        },
    }
    verdict = next((verdict for verdict, at in faults.items() if at), "as-declared")
    if complaints or not found:
        verdict = "malformed" if complaints else "none"
    at_fault = faults.get(verdict, {})
    return KubeNodes(
        vantage=spec.id,
        asked="nodes",
        verdict=verdict,
        nodes=found,
        at_fault=tuple(at_fault),
        evidence=tuple(
            replies.shown(line)
            for line in (
                *complaints[:SHOWN_LINES],
                *(f"{name}: {why}" for name, why in [*at_fault.items()][:SHOWN_LINES]),
                *(_line(node) for node in found[:SHOWN_LINES]),
            )
        ),
    )


def _lacking(node: Node, wanted: tuple[str, ...]) -> str:
    """What *node* has not of every family that is *wanted*; empty if it has all."""
    addresses = [family for family in wanted if family not in node.families]
    given = families.of_all(node.pod_ranges)
    ranges = [family for family in wanted if given and family not in given]
    return ", ".join(
        filter(
            None,
            (
                f"no {families.listed(addresses)} address" if addresses else "",
                f"no {families.listed(ranges)} in podCIDRs" if ranges else "",
            ),
        )
    )


def _line(node: Node) -> str:
    internal = " ".join(map(str, node.internal)) or "none"
    external = "".join(f", external {address}" for address in node.external)
    ranges = " ".join(map(str, node.pod_ranges)) or "none"
    return f"{node.name}: internal {internal}{external}, podCIDRs {ranges}"
