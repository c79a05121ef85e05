"""Does the judge tell usable, duplicate, tentative and missing addresses apart?"""

from ipaddress import IPv4Address, IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.addresses import Addresses, Ipv4Addresses, judge, judge_ipv4
from tests.unit.probes.seen import HOST, VANTAGE, address, link, netlink, seen

OTHER = IPv6Address("2600:1f18:d:f70a::99")
TENTATIVE, DADFAILED, DEPRECATED = 0x40, 0x08, 0x20


def found(verdict, *, usable=(), unusable=(), asked=HOST):
    return Addresses(
        vantage=VANTAGE,
        asked=str(asked),
        verdict=verdict,
        usable=frozenset(usable),
        unusable=frozenset(unusable),
    )


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            netlink(link(), address(str(HOST)), address("fe80::2", scope=253)),
            found("usable", usable={HOST}),
            id="a-permanent-global-address",
        ),
        pytest.param(
            netlink(link(), address(str(HOST), flags=TENTATIVE | DADFAILED)),
            found("duplicate", unusable={HOST}),
            id="dad-found-another-owner",
        ),
        pytest.param(
            netlink(link(), address(str(HOST), flags=TENTATIVE)),
            found("tentative", unusable={HOST}),
            id="dad-goes-on",
        ),
        pytest.param(
            netlink(link(), address(str(HOST), flags=DEPRECATED)),
            found("deprecated", unusable={HOST}),
            id="deprecated",
        ),
        pytest.param(
            netlink(link(), address(str(HOST), flags=DADFAILED | TENTATIVE), address(str(OTHER))),
            found("duplicate", usable={OTHER}, unusable={HOST}),
            id="another-one-works",
        ),
        pytest.param(
            netlink(link(), address(str(OTHER))),
            found("absent", usable={OTHER}),
            id="not-the-expected-one",
        ),
        pytest.param(
            netlink(link(), address("fe80::2", scope=253)), found("none"), id="link-local-only"
        ),
        pytest.param(Reply("answered", b"\1\2\3"), found("unreadable"), id="not-netlink"),
        pytest.param(Reply("not-permitted"), found("not-permitted"), id="the-agent-may-not-ask"),
    ],
)
def test_judge(reply, expected):
    assert judge(seen(reply), expected=HOST) == expected


def test_without_an_expected_address_any_usable_one_will_do():
    reply = netlink(link(), address(str(HOST), flags=DADFAILED), address(str(OTHER)))
    assert judge(seen(reply), expected=None) == found(
        "usable", usable={OTHER}, unusable={HOST}, asked="global IPv6 addresses"
    )


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        pytest.param(
            ("127.0.0.1",),
            Ipv4Addresses(vantage=VANTAGE, asked="IPv4 addresses", verdict="none"),
            id="loopback-is-none",
        ),
        pytest.param(
            ("169.254.118.19",),
            Ipv4Addresses(
                vantage=VANTAGE,
                asked="IPv4 addresses",
                verdict="link-local",
                link_local=frozenset({IPv4Address("169.254.118.19")}),
            ),
            id="link-local",
        ),
        pytest.param(
            ("169.254.118.19", "10.0.0.7"),
            Ipv4Addresses(
                vantage=VANTAGE,
                asked="IPv4 addresses",
                verdict="left-over",
                link_local=frozenset({IPv4Address("169.254.118.19")}),
                left_over=frozenset({IPv4Address("10.0.0.7")}),
            ),
            id="private",
        ),
    ],
)
def test_ipv4_addresses_other_than_link_local_are_left_over(addresses, expected):
    reply = netlink(link(), *(address(text, bits=24) for text in addresses))
    assert judge_ipv4(seen(reply)) == expected
