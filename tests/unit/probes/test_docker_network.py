"""Does the judge tell what IPv6 a Docker network has?"""

from ipaddress import IPv6Address, IPv6Interface, IPv6Network

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.docker_network import DockerNetwork, docker_network
from tests.unit.probes.seen import VANTAGE, seen
from tests.unit.probes.test_docker_engine import http

IPV4 = {"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}
GLOBAL = {"Subnet": "2001:db8:1::/64", "Gateway": "2001:db8:1::1"}
LOCAL = {"Subnet": "fd00:1::/64"}


def judged(reply):
    return docker_network.ask("six/1").judge(seen(reply))


def network(*configured, ipv6=True, **more):
    return http({"EnableIPv6": ipv6, "IPAM": {"Config": list(configured)}, **more})


def test_a_network_with_a_routable_prefix_is_read_whole():
    reply = network(
        IPV4,
        GLOBAL,
        Internal=False,
        Options={
            "com.docker.network.bridge.gateway_mode_ipv6": "routed",
            "com.docker.network.driver.mtu": "1400",
        },
        Containers={
            "b": {"Name": "web", "IPv6Address": "2001:db8:1::2/64"},
            "a": {"Name": "db", "IPv6Address": ""},
        },
    )
    assert judged(reply) == DockerNetwork(
        vantage=VANTAGE,
        asked="six/1",
        verdict="ipv6",
        prefixes=frozenset({IPv6Network("2001:db8:1::/64")}),
        gateways=frozenset({IPv6Address("2001:db8:1::1")}),
        gateway_mode="routed",
        internal=False,
        mtu_bytes=1400,
        containers=(("db", None), ("web", IPv6Interface("2001:db8:1::2/64"))),
    )


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (network(IPV4, LOCAL, GLOBAL), "ipv6"),
        (network(IPV4, LOCAL), "ula-only"),
        (network(IPV4), "no-prefix"),
        (network(IPV4, ipv6=False), "ipv4-only"),
        (network({"Subnet": "junk"}, {"Subnet": 1}, None), "no-prefix"),
        (http({"message": "network six/1 not found"}, "404 Not Found"), "absent"),
        (Reply("refused"), "not-running"),
        (Reply("not-permitted"), "not-permitted"),
        (http(b"junk"), "garbage"),
    ],
)
def test_the_verdict_is_on_what_may_leave_the_host(reply, verdict):
    assert judged(reply).verdict == verdict


def test_the_name_is_one_part_of_the_path():
    import base64

    operation = docker_network.ask("six/1", socket="/run/d.sock").operations[0]
    assert operation["path"] == "/run/d.sock"
    assert base64.b64decode(operation["send"]).startswith(b"GET /networks/six%2F1 HTTP/1.1\r\n")
