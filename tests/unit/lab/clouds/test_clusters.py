"""Do the clusters of the lab declare addresses, routes and an inventory that fit together?"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from itertools import combinations
from pathlib import Path

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.inventory import toml
from pytest_v6probe.inventory.dump import to_toml
from pytest_v6probe.inventory.model import Role
from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.clouds import clusters
from pytest_v6probe.lab.clouds.clusters import EKS, KIND, PLANS, planned

EVERY = pytest.mark.parametrize("kind", PLANS)


@EVERY
def test_the_inventory_is_read_back_as_it_was_declared(kind: str, tmp_path: Path):
    file = tmp_path / "lab.toml"
    inventory = shapes.shape(kind, name="test").inventory
    file.write_text(to_toml(inventory), encoding="utf-8")
    assert toml.load(file) == inventory


@EVERY
def test_ranges_do_not_overlap_and_each_nodes_pods_are_within_theirs(kind: str):
    plan = PLANS[kind]
    for known in (plan.ipv6, plan.ipv4):
        kinds = (known.link, known.pods, known.services)
        assert not any(one.overlaps(other) for one, other in combinations(kinds, 2))
        assert known.resolver.version == known.link.version
    prefixes = [prefix for member in plan.members for prefix in member.pods]
    pairs = combinations((net for net in prefixes if net.version == prefixes[0].version), 2)
    assert not any(one.overlaps(other) for one, other in pairs)
    assert [sum(prefix in member.pods for member in plan.members) for prefix in prefixes] == [
        1
    ] * len(prefixes)


@EVERY
def test_an_ipv6_range_of_services_is_as_small_as_the_api_server_wants(kind: str):
    lengths = {net.version: net.max_prefixlen - net.prefixlen for net in PLANS[kind].services}
    assert max(lengths.values()) <= 20  # kube-apiserver: validateServiceClusterIPRangeFlags


@EVERY
def test_pods_are_routed_from_every_other_node_and_from_the_router(kind: str):
    shape, plan = shapes.shape(kind, name="test"), PLANS[kind]
    for member in plan.members:
        node = shape.topology.node(plan.node(member.name))
        ways = {route.to: route.via for route in node.routes}
        others = [other for other in plan.members if other != member]
        expected = {
            prefix: other.address(prefix.version) for other in others for prefix in other.pods
        }
        assert {to: ways.get(to) for to in expected} == expected
        assert not set(member.pods) & set(ways)
        routes = shape.topology.node(plan.node("router")).routes
        assert set(member.pods) <= {route.to for route in routes}


def test_a_node_is_a_host_that_forwards_and_still_heeds_advertisements():
    node = shapes.shape("kind", name="test").topology.node("kind/node-1")
    assert (node.forwarding, node.accept_ra, node.fabric, node.engine) == (True, 2, False, True)
    assert node.advertised == ip_address("fc00:f853:ccd:e793::3")


def test_what_an_eks_cluster_has_and_where_its_api_server_is():
    assert EKS.families == ("ipv6",)
    assert EKS.server == "https://[2600:1f18:d:f70a::2]:6443"
    assert EKS.dns == (ip_address("fd7a:c1cb:c06a::a"),)
    assert [member.pods for member in EKS.members] == [
        (ip_network("2600:1f18:d:f70c:1::/80"),),
        (ip_network("2600:1f18:d:f70c:2::/80"),),
    ]
    names = {daemon.name for daemon in shapes.shape("eks", name="test").daemons}
    assert "us-east-1/tayga" in names
    assert PLANS["kind-ipv4"].server == "https://172.18.0.2:6443"


def test_pods_and_nodes_are_vantages_of_their_cluster():
    inventory = shapes.shape("kind", name="test").inventory
    seen = {
        host.id: (host.role, inventory.cluster_of(host))
        for host in inventory.hosts
        if host.role is not Role.OUTSIDE
    }
    assert seen == {
        "kind/node-1": (Role.NODE, "kind/lab"),
        "kind/node-2": (Role.NODE, "kind/lab"),
        "kind/lab.web-1": (Role.POD, "kind/lab"),
        "kind/lab.web-2": (Role.POD, "kind/lab"),
        "kind/lab.plain": (Role.POD, "kind/lab"),
    }
    assert [service.id for service in inventory.services] == [
        "kind/lab/default/web",
        "kind/lab/default/web-nodeport",
        "kind/lab/default/web-headless",
        "kind/lab/kube-system/kube-dns",
    ]


@pytest.mark.parametrize(
    ("options", "families", "count", "proxy", "translated"),
    [
        ({}, ("ipv6", "ipv4"), 2, "nftables", False),
        ({"primary": "ipv4"}, ("ipv4", "ipv6"), 2, "nftables", False),
        ({"family": "ipv6", "nodes": "3"}, ("ipv6",), 3, "nftables", True),
        ({"family": "ipv4", "proxy": "iptables"}, ("ipv4",), 2, "iptables", False),
    ],
)
def test_a_cluster_is_as_its_options_say(options, families, count, proxy, translated):
    plan = planned("kubernetes", options)
    assert (plan.families, plan.count, plan.proxy, plan.translated) == (
        families,
        count,
        proxy,
        translated,
    )
    assert len(plan.members) == count


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("kind", {"nodes": "3"}, "a lab of shape kind takes no options"),
        ("kubernetes", {"colour": "red"}, "no option 'colour'; there is family, primary, nodes"),
        ("kubernetes", {"family": "ipv5"}, "family: 'ipv5' is none of dual, ipv6, ipv4"),
        ("kubernetes", {"family": "ipv4", "primary": "ipv6"}, "with only ipv4 is not ipv6"),
        ("kubernetes", {"nodes": "9"}, "nodes: '9' is no number from 1 to 8"),
        ("kubernetes", {"nodes": "²"}, "nodes: '²' is no number"),
        ("kubernetes", {"proxy": "ipvs"}, "proxy: 'ipvs' is none of nftables, iptables"),
    ],
)
def test_options_that_are_none_are_refused(kind: str, options: dict[str, str], said: str):
    with pytest.raises(LabError, match=said):
        planned(kind, options)


def test_the_default_cluster_of_kind_has_ipv6_first():
    assert (KIND.families, clusters.MOST_NODES) == (("ipv6", "ipv4"), 8)
