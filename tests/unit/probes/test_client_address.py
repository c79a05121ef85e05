"""Does the judge tell the client's own address from one that stands in its place?"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.inventory import kube
from pytest_v6probe.probes import kube_load_balancer
from pytest_v6probe.probes.client_address import ClientAddress, address_in, client_address
from pytest_v6probe.result import Endpoint, Family, Layer, Path
from tests.unit.kube.balanced import given
from tests.unit.probes.seen import HOST, LOCAL, VANTAGE, seen

WEB = kube.LoadBalancer(
    name="web",
    cluster="metallb/lab",
    families=("ipv6", "ipv4"),
    client_address_page="/cgi-bin/address",
)
AT = {"ipv6": "2001:db8:ff::1", "ipv4": "192.0.2.192"}
SAID = given({"ip": AT["ipv4"]}, {"ip": AT["ipv6"]}, externalTrafficPolicy="Local")
BEHIND_NAT = Endpoint(ip_address("192.168.1.7"), 40000)


def known(said: Any = SAID) -> kube_load_balancer.KubeLoadBalancer:
    return kube_load_balancer.judge((said,), vantage="metallb/lab", declared=WEB)


def page(text: str, *, status: str = "200 OK", own: Endpoint = LOCAL, at: str = "ipv6") -> Reply:
    octets = f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
    return Reply("answered", octets, own, Endpoint(ip_address(AT[at]), 80), 0.01)


def asked(*replies: Reply, found: Any = None, family: str = "ipv6") -> ClientAddress:
    return client_address.ask(found or known(), family=family).judge(seen(*replies))


def test_the_clients_own_address_is_kept():
    reply = page(f"{HOST}\n")
    found = asked(reply)
    assert found == ClientAddress(
        vantage=VANTAGE,
        asked="who asks default/web over ipv6",
        verdict="kept",
        service="default/web",
        family=Family.IPV6,
        seen_as=HOST,
        local_only=True,
        local=LOCAL,
        remote=reply.remote,
        path=Path.NATIVE,
    )
    assert found.evidence[0] == f"the server says that {HOST} asked it"


def test_the_page_is_asked_once_over_the_family():
    (operation,) = client_address.ask(known(), family="ipv4").operations
    assert (operation["host"], operation["family"]) == (AT["ipv4"], 4)


@pytest.mark.parametrize(
    ("told", "own", "verdict"),
    [
        pytest.param("3.208.64.9", BEHIND_NAT, "kept", id="nat-of-the-clients-own"),
        pytest.param("10.0.0.5", BEHIND_NAT, "replaced", id="a-node-of-the-cluster"),
        pytest.param("2001:db8::5", BEHIND_NAT, "replaced", id="another-family"),
        pytest.param("::ffff:192.168.1.7", BEHIND_NAT, "kept", id="ipv4-on-an-ipv6-socket"),
        pytest.param("<html>", BEHIND_NAT, "untold", id="a-page-that-is-no-address"),
    ],
)
def test_what_the_server_says_is_compared_with_the_vantages_own(told, own, verdict):
    found = asked(page(told, own=own, at="ipv4"), family="ipv4")
    assert (found.verdict, found.broken_layer) == (verdict, Layer.SERVICE)


def test_a_cluster_policy_is_the_cause_of_a_nodes_address():
    found = asked(
        page("fc00:f853:ccd:e793::4"), found=known(given({"ip": AT["ipv6"]}, {"ip": AT["ipv4"]}))
    )
    assert found.known_cause == (
        "its externalTrafficPolicy is Cluster: the node that takes a packet puts its own address in the "
        "place of the client's",
        'kubectl -n default patch service web -p \'{"spec":{"externalTrafficPolicy":"Local"}}\'',
    )
    assert asked(page("fc00:f853:ccd:e793::4")).known_cause is None


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply("timed-out", b"", LOCAL, Endpoint(ip_address(AT["ipv6"]), 80)), "external-silent"),
        (Reply("no-route"), "no-route"),
        (page("", status="404 Not Found"), "status-404"),
    ],
)
def test_no_page_is_no_address(reply, verdict):
    found = asked(reply)
    assert (found.verdict, found.seen_as) == (verdict, None)
    assert (found.known_cause is None) == (verdict != "external-silent")


def test_a_family_without_an_address_is_missing():
    found = asked(found=known(given({"ip": AT["ipv4"]})))
    assert found.verdict == "address-missing"
    assert found.known_cause is not None


def test_a_load_balancer_without_such_a_page_cannot_be_asked():
    bare = replace(known(), client_address_page="")
    with pytest.raises(ValueError, match="no client_address_page of default/web"):
        client_address.ask(bare, family="ipv6")


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b" 192.0.2.1\n", ip_address("192.0.2.1")),
        (b"\xff\xfe", None),
        (b"2001:db8::1" + b" " * 60 + b"x", ip_address("2001:db8::1")),
    ],
)
def test_an_address_is_read_from_a_page(octets, told):
    assert address_in(octets) == told
