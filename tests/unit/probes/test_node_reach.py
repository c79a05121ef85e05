"""Is a node knocked at once, at its own address, and known by the addresses of its pods?"""

from ipaddress import ip_address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.kube.nodes import node
from pytest_v6probe.probes import node_reach
from pytest_v6probe.result import Endpoint, Family
from tests.unit.kube import objects

NODES = (node(objects.node(1)), node(objects.node(2)))
KNOCK = ("node-2", Endpoint(ip_address("fc00:f853:ccd:e793::4"), 10250))


def test_only_the_nodes_that_matter_are_knocked_at_over_one_family():
    assert node_reach.knocks(NODES, {"node-2", "gone"}, Family.IPV6) == (KNOCK,)
    operation = node_reach.operation(KNOCK, timeout_s=1.0)
    assert (operation["host"], operation["port"], operation["family"]) == (
        "fc00:f853:ccd:e793::4",
        10250,
        6,
    )


def test_a_node_with_two_addresses_of_a_family_is_knocked_at_once():
    entries = [
        {"type": "InternalIP", "address": "2001:db8::1"},
        {"type": "ExternalIP", "address": "2001:db8::2"},
    ]
    found = node_reach.knocks((node(objects.node(1, addresses=entries)),), {"node-1"}, Family.IPV6)
    assert found == (("node-1", Endpoint(ip_address("2001:db8::1"), 10250)),)


@pytest.mark.parametrize(
    ("outcome", "names"),
    [("answered", {"node-2"}), ("refused", {"node-2"}), ("timed-out", set()), ("no-route", set())],
)
def test_who_refuses_is_reached(outcome, names):
    assert node_reach.reached((KNOCK,), [Reply(outcome)]) == names


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("fc00:f853:ccd:e793::3", "node-1"),
        ("172.18.0.4", "node-2"),
        ("fd00:10:244:2::77", "node-2"),
        ("10.244.1.9", "node-1"),
        ("2001:db8::1", ""),
    ],
)
def test_an_address_is_a_node_s_own_or_that_of_a_pod_on_it(address, name):
    assert node_reach.node_of(ip_address(address), NODES) == name
