"""Where does a host lead, and which redirects are not to be followed?"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes import registry_names, url
from pytest_v6probe.probes.registry_names import Place
from tests.unit.probes.seen import WKP, answered, dns

NAME = "r.example"
ASKED = registry_names.question(NAME)
AAAA, A = ASKED.aaaa, ASKED.a
V6, V4 = IPv6Address("2600:1f18::1"), IPv4Address("198.51.100.7")
NONE = Reply("name-error")


def system(*literals):
    return answered(addresses=[str(one) for one in literals]) if literals else NONE


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param(
            (dns(AAAA, f"{NAME}. 60 IN AAAA {V6}"), dns(A, f"{NAME}. 60 IN A {V4}"), system(V6), system(V4)),
            Place(addresses=(V6,), ipv4_addresses=(V4,)),
            id="both",
        ),
        pytest.param(
            (dns(AAAA), dns(A, f"{NAME}. 60 IN A {V4}"), NONE, system(V4)),
            Place(ipv4_addresses=(V4,), verdict="no-aaaa"),
            id="a-only",
        ),
        pytest.param(
            (Reply("no-nameserver"), Reply("no-nameserver"), NONE, system(V4)),
            Place(ipv4_addresses=(V4,), verdict="no-aaaa"),
            id="a-only-as-the-system-says",
        ),
        pytest.param((dns(AAAA), dns(A), NONE, NONE), Place(verdict="no-records"), id="neither"),
        pytest.param(
            (dns(AAAA, rcode="NXDOMAIN"), dns(A, rcode="NXDOMAIN"), NONE, NONE),
            Place(verdict="nxdomain"),
            id="nxdomain",
        ),
        pytest.param(
            (Reply("timed-out"), Reply("timed-out"), NONE, NONE),
            Place(verdict="resolver-timed-out"),
            id="silent-resolver",
        ),
        pytest.param(
            (dns(AAAA, rcode="SERVFAIL"), dns(A), NONE, NONE),
            Place(verdict="resolver-servfail"),
            id="servfail",
        ),
        pytest.param(
            (dns(AAAA), dns(A), system("::ffff:198.51.100.7", "junk"), NONE),
            Place(verdict="no-records"),
            id="mapped-and-junk",
        ),
        pytest.param(
            (dns(AAAA, f"{NAME}. 60 IN AAAA ::1"), dns(A), system(V6), NONE),
            Place(addresses=(V6, IPv6Address("::1"))),
            id="what-the-system-would-use-comes-first",
        ),
    ],
)  # fmt: skip
def test_where_a_name_leads(replies, expected):
    assert registry_names.judge(ASKED, replies) == expected


def test_a_name_is_asked_in_both_families_at_once():
    asked = registry_names.ask(ASKED, timeout_s=1.0)
    assert [operation["op"] for operation in asked] == ["udp", "udp", "resolve", "resolve"]
    assert len(asked) == registry_names.OPERATIONS


class Scripted:
    """An agent that answers every question about addresses by a refusal to resolve."""

    asked = 0

    def run(self, operations):
        self.asked += 1
        return [Reply("timed-out") if one["op"] == "udp" else NONE for one in operations]


def test_names_are_asked_in_one_batch_and_addresses_lead_to_themselves():
    agent: Any = Scripted()
    found = registry_names.look_up(agent, [NAME, V6, "x.example", V4])
    silent = Place(verdict="resolver-timed-out")
    itself = Place(addresses=(V6,))
    assert found == [silent, itself, silent, Place(ipv4_addresses=(V4,), verdict="no-aaaa")]
    assert agent.asked == 1
    assert registry_names.look_up(agent, [V6]) == [itself]
    assert agent.asked == 1


BASE = f"https://{NAME}/v2/"


@pytest.mark.parametrize(
    ("location", "verdict"),
    [
        ("https://cdn.example/x?y=z", ""),
        ("/v2/elsewhere", ""),
        ("//cdn.example/x", ""),
        ("https://[2600:1f18::2]/x", ""),
        ("http://cdn.example/x", "plain-http-redirect"),
        ("http:x", "garbage"),
        ("https://192.0.2.1/", "refused-redirect"),
        ("https://[::1]/", "refused-redirect"),
        ("https://[fe80::1]/", "refused-redirect"),
        ("https://[fd00:ec2::254]/", "refused-redirect"),
        ("https://[fd12::1]/", "refused-redirect"),
        ("https://[64:ff9b::a9fe:a9fe]/", "refused-redirect"),
        ("https://[64:ff9b::10.0.0.1]/", "refused-redirect"),
        ("https://[::ffff:8.8.8.8]/", "refused-redirect"),
        ("https://user:pass@cdn.example/", "garbage"),
        ("https://cdn.example:99999/", "garbage"),
        ("ftp://cdn.example/", "garbage"),
        ("https://cdn.example/ x", "garbage"),
        ("", "garbage"),
    ],
)
def test_where_a_redirect_may_lead(location, verdict):
    _, _, refused = registry_names.target(location, base=url.parse(BASE), base_text=BASE)
    assert refused == verdict


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("2600:1f18::1", False),
        ("fd12::1", False),
        ("64:ff9b::198.51.100.7", False),
        ("::1", True),
        ("::", True),
        ("fe80::1", True),
        ("ff02::1", True),
        ("fd00:ec2::254", True),
        ("fd00:ec2::23", True),
        ("fd20:ce::254", True),
        ("64:ff9b::169.254.169.254", True),
        ("64:ff9b::127.0.0.1", True),
        ("64:ff9b::168.63.129.16", True),
        ("2001:db8:64::169.254.169.254", True),
    ],
)
def test_where_a_name_that_a_server_chose_may_lead(address, refused):
    known = {WKP, IPv6Network("2001:db8:64::/96")}
    found = registry_names.refused(IPv6Address(address), source=V6, prefixes=known)
    assert found is refused


def test_from_the_loopback_the_loopback_may_be_gone_to():
    one = IPv6Address("::1")
    assert not registry_names.refused(one, source=one, prefixes=())


@given(st.text(max_size=60) | st.from_regex(r"\Ahttps?://[\[\]:/?#@a-f0-9.%]{0,30}\Z"))
def test_any_location_is_followed_or_refused(location):
    parts, text, refused = registry_names.target(location, base=url.parse(BASE), base_text=BASE)
    assert (parts is None) == bool(refused)
    if parts is not None and parts.name:
        assert registry_names.question(parts.name)
        assert text.startswith("http")
