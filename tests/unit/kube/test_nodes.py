"""Is a Node read as the API's reference has it?"""

from ipaddress import ip_address, ip_network

import pytest

from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.kube.nodes import Node, node
from pytest_v6probe.result import Family
from tests.unit.kube import objects

NODE = Node(
    name="node-1",
    internal=(ip_address("fc00:f853:ccd:e793::3"), ip_address("172.18.0.3")),
    host_names=("node-1",),
    pod_ranges=(ip_network("fd00:10:244:1::/64"), ip_network("10.244.1.0/24")),
    ready=True,
)


def test_addresses_are_told_apart_by_type_and_keep_their_order():
    said = objects.node(
        addresses=[
            {"type": "InternalIP", "address": "10.128.0.3"},
            {"type": "ExternalIP", "address": "2600:1900:4000:af3c::3"},
            {"type": "ExternalIP", "address": "34.1.2.3"},
            {"type": "InternalDNS", "address": "node-1.internal"},
            {"type": "Hostname", "address": "node-1"},
        ]
    )
    found = node(said)
    assert found == Node(
        name="node-1",
        internal=(ip_address("10.128.0.3"),),
        external=(ip_address("2600:1900:4000:af3c::3"), ip_address("34.1.2.3")),
        host_names=("node-1.internal", "node-1"),
        pod_ranges=NODE.pod_ranges,
        ready=True,
    )
    assert found.families == (Family.IPV4, Family.IPV6)


def test_a_node_of_kind_is_whole():
    assert node(objects.node()) == NODE


def test_a_node_that_is_not_ready_says_why():
    condition = {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "cni"}
    found = node(objects.node(conditions=[condition]))
    assert (found.ready, found.not_ready_why) == (False, "KubeletNotReady: cni")


def test_a_node_of_eks_has_no_ranges():
    assert node(objects.but(objects.node(), "spec", {})).pod_ranges == ()


def test_a_node_without_a_status_is_not_ready():
    found = node({"metadata": {"name": "node-9"}})
    assert found == Node(name="node-9", not_ready_why="it has no condition Ready")


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("metadata.name", "node 1; rm -rf /", "metadata.name: a DNS name was due"),
        ("metadata", [], "metadata: an object was due"),
        ("spec.podCIDRs", ["10.244.1.0/33"], "spec.podCIDRs: a list of networks was due"),
        ("spec.podCIDRs", "10.244.1.0/24", "spec.podCIDRs: a list was due"),
        (
            "status.addresses.0.address",
            "x",
            r"status.addresses\[0\].address: an IP address was due",
        ),
        ("status.addresses.0.address", 7, r"status.addresses\[0\].address: a text was due"),
        ("status.addresses", [1], "status.addresses: a list of objects was due"),
        ("status.addresses", [{}] * 2000, "status.addresses: 2000 entries"),
        ("status.conditions.1.message", "x" * 5000, "5000 characters"),
    ],
)
def test_what_is_no_node_is_malformed(path, value, why):
    said = objects.node(conditions=[{}, {**objects.READY, "status": "False"}])
    with pytest.raises(Malformed, match=why):
        node(objects.but(said, path, value))
