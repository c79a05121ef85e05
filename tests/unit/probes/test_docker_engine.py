"""Does the judge see where an engine does not do what daemon.json says?"""

import json
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.linux.daemon_json import Pool
from pytest_v6probe.probes.docker_engine import FORWARDING, DockerEngine, docker_engine
from tests.unit.probes.seen import VANTAGE, answered, read, seen

FILE, SOCKET = "/etc/docker/daemon.json", "/var/run/docker.sock"
PREFIX = "2001:db8:1::/64"
SAID = {
    "ipv6": True,
    "fixed-cidr-v6": PREFIX,
    "registry-mirrors": ["https://Mirror.example:5000"],
    "insecure-registries": ["reg.example:5000", "2001:db8:5::1/64"],
    "default-address-pools": [{"base": "172.30.0.0/16", "size": 24}],
    "live-restore": True,
    "userland-proxy": True,
}
VERSION = {"Version": "29.0.1", "ApiVersion": "1.52"}
INFO = {
    "LiveRestoreEnabled": True,
    "ExperimentalBuild": False,
    "DefaultAddressPools": [{"Base": "172.30.0.0/16", "Size": 24}],
    "FirewallBackend": {"Driver": "iptables", "Info": [["EnableUserlandProxy", "true"]]},
    "RegistryConfig": {
        "Mirrors": ["https://mirror.example:5000/"],
        "InsecureRegistryCIDRs": ["::1/128", "2001:db8:5::/64"],
        "IndexConfigs": {
            "docker.io": {"Secure": True},
            "reg.example:5000": {"Secure": False},
        },
    },
}
BRIDGE = {
    "EnableIPv6": True,
    "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}, {"Subnet": PREFIX}]},
}
AGREES = DockerEngine(
    vantage=VANTAGE,
    asked=SOCKET,
    verdict="agrees",
    version="29.0.1",
    api_version="1.52",
    firewall_backend="iptables",
    ipv6=True,
    fixed_cidr_v6=IPv6Network(PREFIX),
    ip6tables=True,
    ip6tables_from="default",
    forward_policy="drop-if-it-forwards",
    userland_proxy=True,
    live_restore=True,
    forwarding=True,
    default_address_pools=(Pool(IPv4Network("172.30.0.0/16"), 24),),
    mirrors=frozenset({"mirror.example:5000"}),
    insecure_registries=frozenset({"::1/128", "2001:db8:5::/64", "reg.example:5000"}),
)


def http(body, status="200 OK"):
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(octets)}\r\n\r\n".encode()
    return answered(head + octets)


def file(said=SAID):
    text = said if isinstance(said, str) else json.dumps(said)
    return read({FILE: text, FORWARDING: "1\n"})


def found(files=None, version=VERSION, info=INFO, bridge=BRIDGE):
    replies = [r if isinstance(r, Reply) else http(r) for r in (version, info, bridge)]
    return docker_engine.ask().judge(seen(files or file(), *replies))


def but(**changes):
    return replace(AGREES, **changes)


def test_an_engine_that_does_what_the_file_says_agrees():
    assert found() == AGREES
    assert found().known_cause is None


def test_no_file_agrees_with_any_engine():
    absent = answered(files={}, errors={FILE: "ENOENT"})
    assert found(absent) == but(forwarding=None)


@pytest.mark.parametrize(
    ("changed", "keys"),
    [
        ({"ipv6": False}, ("ipv6",)),
        ({"fixed-cidr-v6": "2001:db8:2::/64"}, ("fixed-cidr-v6",)),
        ({"userland-proxy": False}, ("userland-proxy",)),
        ({"live-restore": False}, ("live-restore",)),
        ({"firewall-backend": "nftables"}, ("firewall-backend",)),
        ({"registry-mirrors": ["https://other.example"]}, ("registry-mirrors",)),
        (
            {"insecure-registries": ["a.example"], "default-address-pools": []},
            ("insecure-registries",),
        ),
        (
            {"default-address-pools": [{"base": "172.31.0.0/16", "size": 24}]},
            ("default-address-pools",),
        ),
        ({"ipv6": False, "live-restore": False}, ("ipv6", "live-restore")),
    ],
)
def test_keys_that_the_engine_does_not_do_are_named(changed, keys):
    engine = found(file({**SAID, **changed}))
    assert engine == but(verdict="disagrees", differing=keys)
    assert engine.known_cause == (
        f"the engine does not do what daemon.json says: {', '.join(keys)}",
        "systemctl restart docker",
    )


@pytest.mark.parametrize(
    ("api", "said", "on", "known_from"),
    [
        ("1.45", {}, False, "default"),
        ("1.46", {}, True, "default"),
        ("1.41", {"ip6tables": True, "experimental": True}, True, "daemon.json"),
        ("1.52", {"ip6tables": False}, False, "daemon.json"),
        ("junk", {}, None, "default"),
    ],
)
def test_ip6tables_is_known_from_the_file_or_the_version(api, said, on, known_from):
    engine = found(file(said), version={"ApiVersion": api}, info={"ExperimentalBuild": True})
    assert (engine.ip6tables, engine.ip6tables_from) == (on, known_from)


def test_an_engine_before_29_does_not_tell_of_its_proxy_and_backend():
    engine = found(file({"userland-proxy": False}), info={})
    assert (engine.verdict, engine.userland_proxy, engine.firewall_backend) == (
        "agrees",
        False,
        "iptables",
    )


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply("refused"), "not-running"),
        (Reply("error", fields={"detail": "ENOENT"}), "not-running"),
        (Reply("not-permitted", fields={"detail": "EACCES"}), "not-permitted"),
        (Reply("timed-out", fields={"connect_s": 0.1}), "unanswered"),
        (Reply("too-large", b"HTTP/1.1 200 OK\r\n\r\n"), "garbage"),
        (http(b"<html>"), "garbage"),
        (http([1]), "garbage"),
        (http(b"[" * 100_000), "garbage"),
        (answered(b"SSH-2.0-x\r\n"), "garbage"),
        (http({"message": "x"}, "500 Oops"), "status-500"),
    ],
)
def test_an_engine_that_does_not_answer_is_a_verdict(reply, verdict):
    assert found(version=reply, info=reply, bridge=reply) == DockerEngine(
        vantage=VANTAGE, asked=SOCKET, verdict=verdict, forwarding=True
    )


def test_a_malformed_file_is_told_by_its_place():
    engine = found(file('{"ipv6": tru}'))
    assert engine == but(
        verdict="daemon-json-malformed", ip6tables=None, ip6tables_from="", forward_policy=""
    )
    cause = engine.known_cause
    assert cause is not None
    assert cause[0] == f"{FILE}: line 1, column 10: Expecting value"


def test_a_file_that_cannot_be_read_is_no_agreement():
    engine = found(answered(files={}, errors={FILE: "EACCES"}))
    assert engine.verdict == "daemon-json-unreadable"


@pytest.mark.parametrize(
    ("api", "said", "policy"),
    [
        ("1.52", {}, "drop-if-it-forwards"),
        ("1.48", {"ip-forward-no-drop": True}, "kept"),
        ("1.47", {}, "drop"),
        ("1.47", {"ip6tables": False}, "kept"),
        ("1.41", {"experimental": True, "ip6tables": True}, ""),
        ("x", {}, ""),
    ],
)
def test_what_becomes_of_the_policy_for_forwarded_packets_depends_on_the_version(api, said, policy):
    engine = found(file(said), version={"Version": "x", "ApiVersion": api})
    assert engine.forward_policy == policy
