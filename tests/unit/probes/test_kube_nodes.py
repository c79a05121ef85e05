"""Does the judge of nodes say which node lacks what?"""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from pytest_v6probe.inventory import kube
from pytest_v6probe.kube.nodes import node
from pytest_v6probe.probes.kube_nodes import KubeNodes, judge, kube_nodes
from pytest_v6probe.result import Finding, Layer
from tests.unit.kube import objects
from tests.unit.kube.fake_api import Api, cluster

SPEC = kube.Cluster(
    name="lab",
    region="kind",
    families=("ipv6", "ipv4"),
    node_ranges=(ip_network("fc00:f853:ccd:e793::/64"), ip_network("172.18.0.0/16")),
)
ONE, TWO = objects.node(1), objects.node(2)
ONLY_FOUR = objects.node(2, addresses=[{"type": "InternalIP", "address": "172.18.0.4"}])


def found(*said, spec=SPEC):
    return judge({"nodes": said}, spec=spec)


def wanted(verdict, *said, at_fault=()):
    return KubeNodes(
        vantage="kind/lab",
        asked="nodes",
        verdict=verdict,
        nodes=tuple(map(node, said)),
        at_fault=at_fault,
    )


def test_nodes_with_both_families_in_their_ranges_are_as_declared():
    nodes = found(ONE, TWO)
    assert nodes == wanted("as-declared", ONE, TWO)
    assert nodes.evidence[0] == (
        "node-1: internal fc00:f853:ccd:e793::3 172.18.0.3, "
        "podCIDRs fd00:10:244:1::/64 10.244.1.0/24"
    )
    assert nodes.known_cause is None


@pytest.mark.parametrize(
    ("said", "verdict", "why"),
    [
        pytest.param(ONLY_FOUR, "family-missing", "no IPv6 address", id="address"),
        pytest.param(
            objects.but(TWO, "spec.podCIDRs", ["10.244.2.0/24"]),
            "family-missing",
            "no IPv6 in podCIDRs",
            id="range",
        ),
        pytest.param(
            objects.node(2, conditions=[]),
            "not-ready",
            "not ready: it has no condition Ready",
            id="not-ready",
        ),
        pytest.param(
            objects.but(TWO, "status.addresses.0.address", "2001:db8::2"),
            "outside-range",
            "2001:db8::2 in none of the node_ranges",
            id="range-of-nodes",
        ),
    ],
)
def test_the_node_at_fault_is_named(said, verdict, why):
    nodes = found(ONE, said)
    assert nodes == wanted(verdict, ONE, said, at_fault=("node-2",))
    assert nodes.evidence[0] == f"node-2: {why}"
    assert nodes.broken_layer is Layer.NODE


def test_an_external_address_counts_for_its_family():
    entries = [
        {"type": "InternalIP", "address": "172.18.0.3"},
        {"type": "ExternalIP", "address": "2600:1900::3"},
    ]
    assert found(objects.node(1, addresses=entries)).verdict == "as-declared"


def test_a_node_of_eks_without_ranges_lacks_none():
    spec = replace(SPEC, families=("ipv6",))
    assert found(objects.but(ONE, "spec", {}), spec=spec).verdict == "as-declared"


def test_no_node_at_all_is_said():
    assert found() == wanted("none")


def test_a_malformed_node_is_named_and_the_others_are_read():
    nodes = found(ONE, objects.but(TWO, "status", 7))
    assert nodes == wanted("malformed", ONE)
    assert nodes.evidence[0] == "node-2: status: an object was due"


def test_a_node_that_is_not_ready_comes_with_its_own_words():
    condition = {"type": "Ready", "status": "False", "message": "cni plugin not initialized"}
    assert found(objects.node(2, conditions=[condition])).known_cause == (
        "node node-2 is not ready: cni plugin not initialized",
        "kubectl describe node node-2",
    )


def test_a_family_that_is_missing_comes_with_the_settings_that_give_it():
    cause, command = found(ONLY_FOUR).known_cause
    assert cause == ("kubelet reports not every family of the cluster: node-2: no IPv6 address")
    assert "kubectl get node node-2" in command
    assert "--node-ip=" in command


def test_a_cluster_is_asked_for_its_nodes_and_the_finding_is_witnessed():
    api = Api(nodes=(ONE, TWO))
    witnessed: list[Finding] = []
    nodes = kube_nodes(cluster(SPEC, api, witnessed))
    assert nodes == wanted("as-declared", ONE, TWO)
    assert witnessed == [nodes]
    assert api.asked == ["/api/v1/nodes"]
