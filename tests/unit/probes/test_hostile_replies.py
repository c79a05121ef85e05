"""Does every judge make a finding of anything at all that a vantage may send?"""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.clouds.aws import METADATA
from pytest_v6probe.inventory import kube
from pytest_v6probe.probes import imds, kube_load_balancer, kube_pods, kube_service
from pytest_v6probe.probes.addresses import addresses, ipv4_addresses
from pytest_v6probe.probes.client_address import client_address
from pytest_v6probe.probes.cluster_dns import cluster_dns
from pytest_v6probe.probes.dns64 import dns64
from pytest_v6probe.probes.docker_engine import docker_engine
from pytest_v6probe.probes.docker_network import docker_network
from pytest_v6probe.probes.http import http
from pytest_v6probe.probes.icmp import ping
from pytest_v6probe.probes.ipv4_egress import ipv4_egress
from pytest_v6probe.probes.load_balancer_answers import load_balancer_answers
from pytest_v6probe.probes.lookup import lookup
from pytest_v6probe.probes.nat64 import nat64, nat64_prefixes
from pytest_v6probe.probes.neighbour_proxy import neighbour_proxy
from pytest_v6probe.probes.ntp import ntp
from pytest_v6probe.probes.parity import parity
from pytest_v6probe.probes.pmtu import pmtu
from pytest_v6probe.probes.pod_network import pod_network
from pytest_v6probe.probes.ra import router_advertisements
from pytest_v6probe.probes.resolv_conf import resolv_conf
from pytest_v6probe.probes.resolver import large_answer, resolver
from pytest_v6probe.probes.route import default_route
from pytest_v6probe.probes.service_answers import service_answers
from pytest_v6probe.probes.tcp import tcp
from pytest_v6probe.probes.time_daemon import time_daemon
from pytest_v6probe.probes.tls import tls
from pytest_v6probe.result import Endpoint, Finding, Layer
from pytest_v6probe.vantage import Ask
from tests.unit.kube import objects
from tests.unit.kube.balanced import given as balanced
from tests.unit.probes.seen import (
    HOST,
    RESOLVER,
    WKP,
    address,
    link,
    seen,
)
from tests.unit.probes.seen import (
    default_route as a_route,
)

SPEC = kube.Cluster(name="lab", families=("ipv6", "ipv4"))
WEB = kube_service.judge(objects.lists(), spec=SPEC, namespace="default", name="web", declared=None)
BALANCED = kube_load_balancer.judge(
    (balanced({"ip": str(HOST)}),),
    vantage="lab",
    declared=kube.LoadBalancer(
        name="web", cluster="lab", families=("ipv6",), client_address_page="/whoami"
    ),
)
PODS = kube_pods.judge(objects.lists(), spec=SPEC)
ASKS: dict[str, Ask[Any]] = {
    "addresses": addresses.ask(HOST),
    "ipv4_addresses": ipv4_addresses.ask(),
    "default_route": default_route.ask(),
    "router_advertisements": router_advertisements.ask(within_s=1),
    "resolver": resolver.ask(RESOLVER),
    "resolver-tcp": resolver.ask(RESOLVER, over="tcp"),
    "large_answer": large_answer.ask(RESOLVER),
    "resolv_conf": resolv_conf.ask(),
    "lookup": lookup.ask("www.example.com"),
    "dns64": dns64.ask("www.example.com"),
    "nat64_prefixes": nat64_prefixes.ask(WKP),
    "nat64": nat64.ask(IPv4Address("44.210.107.93")),
    "imds_without_token": imds.imds_without_token.ask("/x", service=METADATA),
    "ntp": ntp.ask(RESOLVER),
    "time_daemon": time_daemon.ask(RESOLVER),
    "ping": ping.ask("www.example.com"),
    "tcp": tcp.ask(HOST, 22),
    "tls": tls.ask(HOST),
    "http": http.ask("http://www.example.com/"),
    "parity": parity.ask("http://www.example.com/"),
    "pmtu": pmtu.ask("http://www.example.com/"),
    "docker_engine": docker_engine.ask(),
    "docker_network": docker_network.ask("bridge"),
    "neighbour_proxy": neighbour_proxy.ask(HOST),
    "service_answers": service_answers.ask(WEB, family="ipv6"),
    "load_balancer_answers": load_balancer_answers.ask(BALANCED, family="ipv6"),
    "client_address": client_address.ask(BALANCED, family="ipv6"),
    "cluster_dns": cluster_dns.ask(WEB, (WEB,), family="ipv6"),
    "pod_network": pod_network.ask(PODS, family="ipv6"),
    "ipv4_egress": ipv4_egress.ask("www.example.com"),
}
OUTCOMES = (
    "answered",
    "timed-out",
    "refused",
    "closed",
    "too-large",
    "name-error",
    "error",
    "junk",
)
SEEDS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 302\r\nLocation: \x1b[2J\r\n\r\n",
    link() + address(str(HOST)),
    link() + a_route(),
    bytes(48),
    b"\0\x0c" + bytes(12),
    b'HTTP/1.1 200\r\n\r\n{"EnableIPv6":1,"IPAM":{"Config":[{"Subnet":"::/0"},1]},"Containers":{"a":{}}}',
    b'HTTP/1.1 200\r\n\r\n{"RegistryConfig":{"Mirrors":["http://[x"],"IndexConfigs":{"a":1}},"ApiVersion":""}',
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = (
    "files",
    "errors",
    "events",
    "counters",
    "tls",
    "icmp",
    "connect_s",
    "path_mtu",
    "received_bytes",
    "clock_s",
    "detail",
)


@st.composite
def octets(draw):
    seed = bytearray(draw(st.sampled_from(SEEDS) | st.binary(max_size=200)))
    for _ in range(draw(st.integers(0, 3)) if seed else 0):
        seed[draw(st.integers(0, len(seed) - 1))] = draw(st.integers(0, 255))
    return bytes(seed)


ENDPOINTS = st.none() | st.sampled_from(
    (
        Endpoint(HOST, 80),
        Endpoint(IPv4Address("192.0.2.1"), 80),
        Endpoint(IPv6Address("fe80::1%eth0"), 1),
        Endpoint(WKP[5]),
    )
)
REPLIES = st.builds(
    Reply,
    st.sampled_from(OUTCOMES),
    octets(),
    ENDPOINTS,
    ENDPOINTS,
    st.floats(0, 10),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=3),
)


@pytest.mark.parametrize("name", ASKS)
@given(data=st.data())
def test_any_reply_becomes_a_finding(name, data):
    ask = ASKS[name]
    replies = [data.draw(REPLIES) for _ in ask.operations]
    finding = ask.judge(seen(*replies, prefixes={WKP}))
    assert isinstance(finding, Finding)
    assert finding.verdict
    assert isinstance(finding.broken_layer, Layer)
    for line in finding.evidence:
        assert len(line) < 600
        assert line.isprintable()


@given(REPLIES)
def test_any_reply_to_the_request_for_a_token_has_a_verdict(reply):
    verdict, token = imds.read_token(reply)
    assert verdict
    assert token == "" or verdict == "ok"
    assert token.isascii()
