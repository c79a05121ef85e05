"""Is the lab's declaration consistent: names, addresses, prefixes, routes, and the inventory it
offers?
"""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address, IPv6Network, ip_address
from pathlib import Path

from pytest_v6probe.inventory import toml
from pytest_v6probe.inventory.dump import to_toml
from pytest_v6probe.inventory.model import Site
from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.clouds import aws, internet, vpc
from pytest_v6probe.rfc import rfc6052

SHAPE = aws.shape("test")


def test_the_names_and_addresses_are_those_of_the_talk():
    hosts = {host.id: host for host in SHAPE.inventory.hosts}
    web_1 = hosts["us-east-1/web-1"]
    assert web_1.address == IPv6Address("2600:1f18:d:f70a:8204:7788:7feb:7892")
    assert web_1.resource_name == "i-097019ae9f2908087.ec2.internal"
    assert rfc6052.embed(internet.COMPUTE_IPV4, vpc.PREFIX) == IPv6Address("64:ff9b::2cd2:6b5d")


def test_the_inventory_is_read_back_as_it_was_declared(tmp_path):
    file = tmp_path / "lab.toml"
    file.write_text(to_toml(SHAPE.inventory), encoding="utf-8")
    assert toml.load(file) == SHAPE.inventory


def test_the_https_site_has_ipv6_alone_and_no_authority_before_the_lab_is_up():
    (site,) = [site for site in SHAPE.inventory.sites if site.https]
    assert site == Site(
        name="ipv6.google.com", url="https://ipv6.google.com/", families=("ipv6",), ca=""
    )
    zone = SHAPE.daemon("dns").files(Path("/"))
    records = [
        line for text in zone.values() for line in text.splitlines() if "ipv6.google" in line
    ]
    assert records == ["ipv6.google 300 AAAA 2607:f8b0:4004:c17::8b"]


def test_names_are_unique():
    nodes = Counter(node.name for node in SHAPE.topology.nodes)
    daemons = Counter(daemon.name for daemon in SHAPE.daemons)
    interfaces = Counter(
        (end.node, end.interface) for link in SHAPE.topology.links for end in (link.a, link.b)
    )
    assert max((nodes | daemons | interfaces).values()) == 1


def test_interface_names_fit_the_kernel():
    names = {end.interface for link in SHAPE.topology.links for end in (link.a, link.b)}
    assert max(map(len, names)) <= 15


def test_every_link_and_daemon_stands_on_a_node():
    nodes = {node.name for node in SHAPE.topology.nodes}
    used = {end.node for link in SHAPE.topology.links for end in (link.a, link.b)}
    assert used | {daemon.node for daemon in SHAPE.daemons} <= nodes


def test_no_global_address_is_given_twice():
    declared = [
        address.ip
        for link in SHAPE.topology.links
        for end in (link.a, link.b)
        for address in end.addresses
    ]
    declared += [
        address.ip
        for node in SHAPE.topology.nodes
        for bridge in node.bridges
        for address in bridge.addresses
    ]
    declared += [node.advertised for node in SHAPE.topology.nodes if node.advertised is not None]
    counted = Counter(address for address in declared if not address.is_link_local)
    assert max(counted.values()) == 1


def test_hosts_start_as_real_hosts_do():
    hosts = [node for node in SHAPE.topology.nodes if node.advertised is not None]
    state = {node.name: (node.fabric, node.forwarding, node.accept_ra) for node in hosts}
    assert state == {
        "us-east-1/web-1": (False, False, 1),
        "us-east-1/private-1": (False, False, 1),
        "us-east-1/ecs-1": (False, True, 2),
        "us-west-2/web-1": (False, False, 1),
    }


def test_instances_lie_in_their_subnets_and_subnets_in_their_region():
    for region in aws.VPCS:
        for instance in region.instances:
            assert region.address(instance) in dict(region.subnets)[instance.subnet]
            assert instance.ipv4.is_link_local
        assert all(subnet.subnet_of(region.block) for _, subnet in region.subnets)


def test_the_containers_prefix_is_routed_inside_the_region_but_on_no_subnet():
    delegated = aws.ECS_1.delegated
    assert delegated is not None
    assert delegated.subnet_of(aws.EAST.block)
    assert not any(delegated.overlaps(subnet) for _, subnet in aws.EAST.subnets)
    assert aws.TASK_ADDRESS.ip in delegated


def test_translated_addresses_are_global():
    translated = [
        internet.COMPUTE_IPV4,
        internet.GOOGLE_IPV4,
        internet.ROOT_IPV4,
        ip_address("52.93.0.1"),
    ]
    assert all(address.is_global for address in translated)
    assert all(region.pool.is_global for region in aws.VPCS)


def test_prefixes_are_disjoint():
    blocks = [region.block for region in aws.VPCS]
    assert not blocks[0].overlaps(blocks[1])
    assert all(not block.overlaps(IPv6Network("64:ff9b::/96")) for block in blocks)


def test_every_shape_can_be_declared():
    declared = {name: shapes.shape(name, name="x").name for name in shapes.NAMES}
    assert declared == {name: name for name in shapes.NAMES} | {
        "docker-one": "docker", "docker-routes": "docker",
    }  # fmt: skip
