"""Are Envoy's listeners read with every address, and is what is no answer of Envoy's told?"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pytest_v6probe.kube import envoy
from pytest_v6probe.kube.envoy_listeners import Listener, compatible, listeners
from pytest_v6probe.kube.fields import Fields, Malformed
from pytest_v6probe.result import Endpoint, Family
from tests.unit.probes.mesh import listener, socket

V6, V4 = Endpoint(ip_address("::"), 15006), Endpoint(ip_address("0.0.0.0"), 15006)
ONE = {"listener_statuses": [listener("virtualInbound", "0.0.0.0", "::", port=15006)]}


def test_a_listener_has_its_additional_addresses():
    assert listeners(Fields(ONE)) == (Listener(name="virtualInbound", addresses=(V4, V6)),)
    assert listeners(Fields(ONE))[0].families == {Family.IPV6, Family.IPV4}


def test_a_pipe_is_no_address():
    said = {"listener_statuses": [{"name": "pipe", "local_address": {"pipe": {"path": "/x"}}}]}
    assert listeners(Fields(said)) == (Listener(name="pipe"),)


@pytest.mark.parametrize(
    ("addresses", "compat", "families"),
    [
        pytest.param((V6,), False, {Family.IPV6}, id="ipv6-alone"),
        pytest.param((V6,), True, {Family.IPV6, Family.IPV4}, id="ipv4-compat"),
        pytest.param((V4,), True, {Family.IPV4}, id="compat-of-no-ipv6-wildcard"),
        pytest.param((), True, set(), id="nowhere"),
    ],
)
def test_the_families_are_those_that_it_takes(addresses, compat, families):
    assert Listener(name="x", addresses=addresses, ipv4_compat=compat).families == families


@pytest.mark.parametrize(
    ("name", "of_service"),
    [
        ("0.0.0.0_80", True),
        ("fd00:10:96::a_53", True),
        ("virtualInbound", False),
        ("::_15021", False),
        ("0.0.0.0_15090", False),
        ("58a59bb0-0d5c-41bb-9c14-d1c5fd2c8cc2", False),
    ],
)
def test_istios_names_tell_the_listeners_of_services(name, of_service):
    assert Listener(name=name).of_service is of_service


@pytest.mark.parametrize(
    ("at", "port", "taken"),
    [
        ("fd00:10:96::7", 15006, True),
        ("10.96.0.7", 15006, False),
        ("fd00:10:96::7", 80, False),
        ("::", 15006, True),
    ],
)
def test_a_wildcard_takes_what_is_sent_to_any_address_of_its_family(at, port, taken):
    assert Listener(name="x", addresses=(V6,)).takes(ip_address(at), port) is taken


def test_ipv4_compat_stands_in_the_configuration_alone():
    static = {"listener": {"name": "compat", "address": socket("::", ipv4_compat=True)}}
    more = {"name": "more", "additional_addresses": [{"address": socket("::", ipv4_compat=True)}]}
    active = {"name": "other", "active_state": {"listener": more}}
    plain = {"listener": {"name": "plain", "address": socket("::")}}
    assert compatible(Fields({"configs": [static, active, plain]})) == {"compat", "more"}
    said = Fields({"listener_statuses": [listener("compat", "::", port=1)]})
    assert listeners(said, {"compat"})[0].families == {Family.IPV6, Family.IPV4}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param({"listener_statuses": {}}, "", id="empty-object-is-nothing"),
        pytest.param({"listener_statuses": {"a": 1}}, "a list of at most", id="no-list"),
        pytest.param({"listener_statuses": [1]}, "an object was due", id="no-object"),
        pytest.param({"listener_statuses": [{}] * 16_385}, "a list of at most", id="too-many"),
        pytest.param(
            {"listener_statuses": [{"local_address": socket("1.2.3")}]},
            "an IP address",
            id="address",
        ),
        pytest.param(
            {"listener_statuses": [{"local_address": socket("::", 65536)}]}, "a port", id="port"
        ),
        pytest.param({"listener_statuses": [{"name": ["x"]}]}, "a text was due", id="name"),
    ],
)
def test_what_envoy_never_says_is_malformed(said, why):
    if not why:
        assert listeners(Fields(said)) == ()
        return
    with pytest.raises(Malformed, match=why):
        listeners(Fields(said))


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"a":1', b"NaN"])
def test_what_is_no_object_is_malformed(body):
    with pytest.raises(Malformed):
        envoy.document(body)
