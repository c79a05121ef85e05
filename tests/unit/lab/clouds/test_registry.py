"""Does the lab "registry" hang together: names, addresses, certificates, inventory, faults?"""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

from pytest_v6probe.inventory import dump, toml
from pytest_v6probe.lab import faults
from pytest_v6probe.lab.clouds import aws, internet, registry, registry_servers, registry_services
from pytest_v6probe.lab.clouds.registry_servers import SERVERS, Server
from pytest_v6probe.lab.daemons.bind import Bind
from pytest_v6probe.lab.daemons.docker_registry import DockerRegistry
from pytest_v6probe.lab.daemons.dockerd import Dockerd
from pytest_v6probe.rfc import rfc1035

SHAPE = registry.shape("test")
MINE = [name for name, fault in faults.FAULTS.items() if fault.shape == "registry"]


def name(server: Server) -> str:
    return server.name


def answers(zones: dict[str, str], of: str) -> set[str]:
    """The addresses that *zones* have for a name, read by hand."""
    zone = max((origin for origin in zones if of.endswith(f".{origin}")), key=len)
    rows = [line.split() for line in zones[zone].splitlines()]
    label = of.removesuffix(f".{zone}")
    return {row[3] for row in rows if row[0] == label and row[2] in {"A", "AAAA"}}


@pytest.mark.parametrize("server", SERVERS, ids=name)
def test_a_server_has_the_addresses_that_its_name_leads_to(server: Server):
    (link,) = [link for link in SHAPE.topology.links if link.b.node == server.node]
    assert {str(one.ip) for one in link.b.addresses} == answers(
        registry_servers.zones(), server.name
    )


@pytest.mark.parametrize("server", SERVERS, ids=name)
def test_a_server_is_reached_from_the_core_and_answers_by_it(server: Server):
    (link,) = [link for link in SHAPE.topology.links if link.b.node == server.node]
    for own, core in zip(link.b.addresses, link.a.addresses, strict=True):
        assert own.network == core.network
        assert own.ip != core.ip
    vias = {route.via for route in SHAPE.topology.node(server.node).routes}
    assert vias == {one.ip for one in link.a.addresses}


def test_no_two_links_of_the_core_share_a_network():
    links = [link for link in SHAPE.topology.links if link.a.node == internet.CORE]
    networks = [ip_interface(str(one)).network for link in links for one in link.a.addresses]
    for at, network in enumerate(networks):
        others = networks[:at] + networks[at + 1 :]
        assert not [
            one for one in others if one.version == network.version and one.overlaps(network)
        ]


def test_interfaces_have_names_that_the_kernel_takes():
    ends = [end for link in SHAPE.topology.links for end in (link.a, link.b)]
    assert max(len(end.interface) for end in ends) <= 15  # linux/if.h: IFNAMSIZ, with its NUL
    pairs = [(end.node, end.interface) for end in ends]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("server", SERVERS, ids=name)
def test_without_an_aaaa_nothing_but_that_aaaa_is_gone(server: Server):
    whole = registry_servers.zones()
    less = registry_servers.zones(without_aaaa=(server.node,))
    gone = {f"{line}" for zone in whole for line in whole[zone].splitlines()} - {
        f"{line}" for zone in less for line in less[zone].splitlines()
    }
    assert gone == {f"{server.label} 0 AAAA {server.ipv6}"}


def test_no_resolver_keeps_an_answer_about_them():
    for text in registry_servers.zones().values():
        ttls = {line.split()[1] for line in text.splitlines()}
        assert ttls == {"0"}
        assert text.splitlines()[0].split()[-1] == "0"  # RFC 2308 §4: the SOA's minimum


def test_the_zones_of_the_other_labs_are_as_they_were():
    (more,) = [daemon for daemon in SHAPE.daemons if daemon.name == internet.DNS]
    (less,) = [daemon for daemon in aws.shape("test").daemons if daemon.name == internet.DNS]
    assert isinstance(more, Bind)
    assert isinstance(less, Bind)
    assert dict(more.zones) == {**less.zones, **registry_servers.zones()}
    assert answers(dict(more.zones), internet.COMPUTE_NAME) == {str(internet.COMPUTE_IPV4)}


def test_every_certificate_is_for_the_name_that_leads_to_it():
    for daemon in SHAPE.daemons:
        certificate = getattr(daemon, "certificate", None)
        addresses = getattr(daemon, "addresses", ())
        if certificate is not None and addresses != (registry_services.LOOPBACK,):
            zones = {**internet.zones(), **registry_servers.zones()}
            assert {ip_address(one) for one in answers(zones, certificate.name)} == set(addresses)


def test_every_realm_and_redirect_and_mirror_is_a_server_of_the_lab():
    urls = []
    for daemon in SHAPE.daemons:
        if isinstance(daemon, DockerRegistry):
            urls += [daemon.redirect, daemon.remote, daemon.realm.url if daemon.realm else ""]
    hosts = {url.split("/")[2] for url in urls if url}
    assert len(hosts) == 5
    assert hosts < {server.name for server in SERVERS}


def test_the_inventory_is_one_that_can_be_written_and_read():
    text = dump.to_toml(SHAPE.inventory)
    again = toml.read(text, file=Path("lab.toml"))
    assert again == SHAPE.inventory
    assert [docker.host for docker in again.dockers] == [host.node for host in registry.HOSTS]


def test_an_engine_is_restarted_by_a_shell_for_its_file_is_not_executable():
    assert [docker.restart for docker in SHAPE.inventory.dockers] == [
        ("sh", f"/run/v6probe/daemons/{host.daemon}/restart") for host in registry.HOSTS
    ]


def test_an_engine_is_told_of_the_mirror_and_of_the_registry_without_tls():
    for host in registry.HOSTS:
        said = json.loads(SHAPE.topology.node(host.node).etc["docker/daemon.json"])
        assert said == {
            "registry-mirrors": ["https://mirror.example.com:5000"],
            "insecure-registries": ["docker-registry.example.com:5001"],
        }
        assert isinstance(SHAPE.daemon(host.daemon), Dockerd)


def test_a_name_in_an_image_is_one_that_dns_can_ask_for():
    hosts = [image.reference.split("/")[0].split(":")[0] for image in SHAPE.inventory.images]
    for host in hosts:
        assert rfc1035.query(host, "AAAA")


@pytest.mark.parametrize("fault", MINE)
def test_a_fault_of_this_lab_is_of_no_region(fault: str):
    assert faults.named(fault).region == ""


def test_there_are_all_the_faults_that_were_asked_for():
    assert {
        "registry-without-aaaa",
        "token-host-without-aaaa",
        "blob-host-without-aaaa",
        "aaaa-black-hole",
        "registry-tls-name-mismatch",
        "registry-certificate-expired",
        "redirect-to-plain-http",
        "mirror-down",
        "token-refused",
        "blob-digest-wrong",
        "s3-without-aaaa",
    } <= set(MINE)
