"""Does the lab "docker" declare engines whose prefixes, containers and inventory fit together?"""

from __future__ import annotations

import json
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path

from pytest_v6probe.inventory import toml
from pytest_v6probe.inventory.dump import to_toml
from pytest_v6probe.inventory.model import Container, Docker, Role
from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.clouds import docker
from pytest_v6probe.lab.clouds.docker import DEBIAN, ENGINES, NFTABLES

SHAPE = docker.shape("test")


def test_the_inventory_is_read_back_as_it_was_declared(tmp_path: Path):
    file = tmp_path / "lab.toml"
    file.write_text(to_toml(SHAPE.inventory), encoding="utf-8")
    assert toml.load(file) == SHAPE.inventory


def test_each_engine_has_a_restart_and_two_containers():
    assert SHAPE.inventory.docker_at(DEBIAN.node) == Docker(
        host="us-east-1/docker-20",
        restart=("sh", "/run/v6probe/daemons/us-east-1/docker-20/dockerd/restart"),
        image="v6probe/plain:lab",
    )
    containers = [host for host in SHAPE.inventory.hosts if host.role is Role.CONTAINER]
    assert [host.name for host in containers] == [
        f"{engine.name}.{name}" for engine in ENGINES for name in ("web", "plain")
    ]
    assert containers[0].container == Container(name="web", port=80, published_port=8080)
    assert containers[1].container == Container(name="plain", helper_image="v6probe/python:lab")


def test_the_containers_are_inside_what_the_vpc_routes_to_their_host():
    for engine in ENGINES:
        config = json.loads(engine.daemon_json())
        assert engine.plain in IPv6Network(config["fixed-cidr-v6"])
        assert engine.web in engine.prefixes[1]
        assert all(prefix.subnet_of(engine.delegated) for prefix in engine.prefixes)
        routes = SHAPE.topology.node("us-east-1/router").routes
        address = docker.region(ENGINES).address(engine.instance)
        assert [route.via for route in routes if route.to == engine.delegated] == [address]


def test_hosts_start_as_real_ones_do_except_for_what_their_health_needs():
    started = {node.name: node for node in SHAPE.topology.nodes if node.engine}
    assert {name: (node.forwarding, node.accept_ra) for name, node in started.items()} == {
        "us-east-1/docker-20": (False, 2),
        "us-east-1/docker-29": (False, 2),
        "us-east-1/docker-29-nft": (True, 2),  # this backend leaves forwarding to the host
        "us-east-1/docker-29-networkd": (False, 0),  # networkd writes that 0 itself
    }


def test_a_key_of_daemon_json_can_be_changed_and_left_out():
    assert json.loads(NFTABLES.daemon_json(ipv6=None, debug=True)) == {
        "fixed-cidr-v6": "2600:1f18:d:f70c:3::/81",
        "firewall-backend": "nftables",
        "debug": True,
    }


def test_a_lab_with_one_engine_has_debians():
    shape = shapes.shape("docker-one", name="test")
    assert [one.host for one in shape.inventory.dockers] == ["us-east-1/docker-20"]
    assert DEBIAN.web == IPv6Address("2600:1f18:d:f70c:1:8000:0:10")
