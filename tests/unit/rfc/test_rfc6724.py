"""Are sources chosen and destinations sorted as in the examples of RFC 6724 §10?"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc import rfc6724
from pytest_v6probe.rfc.rfc6724 import POLICY_TABLE, Policy, Source


def source(text: str) -> Source:
    """``2001:db8::1 deprecated temporary`` as a candidate."""
    address, *flags = text.split()
    return Source(
        address=ip_address(address),
        deprecated="deprecated" in flags,
        home="home" in flags,
        temporary="temporary" in flags,
        care_of="care_of" in flags,
        tunnelled="tunnelled" in flags,
    )


@pytest.mark.parametrize(
    ("destination", "candidates", "chosen"),
    [
        ("2001:db8:1::1", ["2001:db8:3::1", "fe80::1"], "2001:db8:3::1"),
        ("ff05::1", ["2001:db8:3::1", "fe80::1"], "2001:db8:3::1"),
        (
            "2001:db8:1::1",
            ["2001:db8:1::1 deprecated", "2001:db8:2::1"],
            "2001:db8:1::1 deprecated",
        ),
        ("fe80::1", ["fe80::2 deprecated", "2001:db8:1::1"], "fe80::2 deprecated"),
        ("2001:db8:1::1", ["2001:db8:1::2", "2001:db8:3::2"], "2001:db8:1::2"),
        ("2001:db8:1::1", ["2001:db8:1::2 care_of", "2001:db8:3::2 home"], "2001:db8:3::2 home"),
        (
            "2002:c633:6401::1",
            ["2002:c633:6401::d5e3:7953:13eb:22e8 temporary", "2001:db8:1::2"],
            "2002:c633:6401::d5e3:7953:13eb:22e8 temporary",
        ),
        (
            "2001:db8:1::d5e3:0:0:1",
            ["2001:db8:1::2", "2001:db8:1::d5e3:7953:13eb:22e8 temporary"],
            "2001:db8:1::d5e3:7953:13eb:22e8 temporary",
        ),
        ("2001:db8:1::1", ["2001:db8:1::2 deprecated", "2001:db8:9::2"], "2001:db8:9::2"),
        (
            "2001:db8:1::1",
            ["2001:db8:1::2 home", "2001:db8:1::3 home care_of"],
            "2001:db8:1::3 home care_of",
        ),
        ("198.51.100.1", ["2001:db8::1", "198.51.100.7"], "198.51.100.7"),
        ("64:ff9b::c633:6401", ["fd00::1", "2001:db8::1"], "2001:db8::1"),
        ("fd00:ec2::253", ["2600:1f18::1", "fd00::1"], "fd00::1"),
    ],
    ids=[
        "scope",
        "multicast-scope",
        "same",
        "scope-before-deprecated",
        "longest",
        "home",
        "label",
        "temporary",
        "deprecated",
        "at-home",
        "family",
        "nat64",
        "ula",
    ],
)
def test_the_source_is_that_of_section_10_1_in_either_order(destination, candidates, chosen):
    to, known = ip_address(destination), [source(text) for text in candidates]
    assert rfc6724.select_source(to, known) == source(chosen)
    assert rfc6724.select_source(to, known[::-1]) == source(chosen)


def test_the_outgoing_interface_decides_before_the_label():
    here = Source(address=IPv6Address("fd00::1"), interface="eth0")
    there = Source(address=IPv6Address("2001:db8::1"), interface="eth1")
    to = IPv6Address("2001:db8::2")
    assert rfc6724.select_source(to, [here, there], interface="eth0") == here
    assert rfc6724.select_source(to, [here, there]) == there


def test_a_link_local_destination_is_reached_from_its_own_link_only():
    one = Source(address=IPv6Address("fe80::1"), interface="eth0")
    two = Source(address=IPv6Address("fe80::2%eth1"))
    assert rfc6724.select_source(IPv6Address("fe80::9%eth1"), [one, two]) == two
    assert rfc6724.select_source(IPv6Address("fe80::9%eth2"), [one, two]) is None


@pytest.mark.parametrize(
    "candidates",
    [[], ["198.51.100.1"], ["ff02::1"], ["::"]],
    ids=["none", "ipv4", "multicast", "unspecified"],
)
def test_without_a_candidate_there_is_no_source(candidates):
    known = [source(text) for text in candidates]
    assert rfc6724.select_source(IPv6Address("2001:db8::1"), known) is None


IPV4_FIRST = tuple(  # RFC 6724 §10.3
    Policy(
        prefix=row.prefix,
        label=row.label,
        precedence=100 if row.prefix == IPv6Network("::ffff:0:0/96") else row.precedence,
    )
    for row in POLICY_TABLE
)


@pytest.mark.parametrize(
    ("sources", "destinations", "order", "table"),
    [
        (
            ["2001:db8:1::2", "fe80::1", "169.254.13.78"],
            ["2001:db8:1::1", "198.51.100.121"],
            ["2001:db8:1::1", "198.51.100.121"],
            POLICY_TABLE,
        ),
        (
            ["fe80::1", "198.51.100.117"],
            ["2001:db8:1::1", "198.51.100.121"],
            ["198.51.100.121", "2001:db8:1::1"],
            POLICY_TABLE,
        ),
        (
            ["2001:db8:1::2", "fe80::1", "10.1.2.4"],
            ["2001:db8:1::1", "10.1.2.3"],
            ["2001:db8:1::1", "10.1.2.3"],
            POLICY_TABLE,
        ),
        (
            ["2001:db8:1::2", "fe80::2"],
            ["2001:db8:1::1", "fe80::1"],
            ["fe80::1", "2001:db8:1::1"],
            POLICY_TABLE,
        ),
        (
            ["2001:db8:1::2 care_of", "2001:db8:3::1 home", "fe80::2 care_of"],
            ["2001:db8:1::1", "fe80::1"],
            ["2001:db8:1::1", "fe80::1"],
            POLICY_TABLE,
        ),
        (
            ["2001:db8:1::2", "fe80::2 deprecated"],
            ["2001:db8:1::1", "fe80::1"],
            ["2001:db8:1::1", "fe80::1"],
            POLICY_TABLE,
        ),
        (
            ["2001:db8:1::2", "2001:db8:3f44::2", "fe80::2"],
            ["2001:db8:1::1", "2001:db8:3ffe::1"],
            ["2001:db8:1::1", "2001:db8:3ffe::1"],
            POLICY_TABLE,
        ),
        (
            ["2002:c633:6401::2", "fe80::2"],
            ["2002:c633:6401::1", "2001:db8:1::1"],
            ["2002:c633:6401::1", "2001:db8:1::1"],
            POLICY_TABLE,
        ),
        (
            ["2002:c633:6401::2", "2001:db8:1::2", "fe80::2"],
            ["2002:c633:6401::1", "2001:db8:1::1"],
            ["2001:db8:1::1", "2002:c633:6401::1"],
            POLICY_TABLE,
        ),
        (
            ["2001:db8::2", "fe80::1", "169.254.13.78"],
            ["2001:db8::1", "198.51.100.121"],
            ["2001:db8::1", "198.51.100.121"],
            IPV4_FIRST,
        ),
        (
            ["2001:db8::2", "fe80::1", "10.1.2.4"],
            ["2001:db8::1", "10.1.2.3"],
            ["10.1.2.3", "2001:db8::1"],
            IPV4_FIRST,
        ),
        (
            ["fd00::1", "10.0.0.1"],
            ["2001:db8::1", "198.51.100.1"],
            ["198.51.100.1", "2001:db8::1"],
            POLICY_TABLE,
        ),
        (["fd00::1", "10.0.0.1"], ["fd00::9", "10.0.0.9"], ["10.0.0.9", "fd00::9"], POLICY_TABLE),
        (["10.0.0.1"], ["2001:db8::1", "10.0.0.9"], ["10.0.0.9", "2001:db8::1"], POLICY_TABLE),
        ([], ["198.51.100.1", "2001:db8::1"], ["2001:db8::1", "198.51.100.1"], POLICY_TABLE),
        (
            ["2001:db8::1 tunnelled", "2001:db8:0:1::1"],
            ["2001:db8::9", "2001:db8:0:1::9"],
            ["2001:db8:0:1::9", "2001:db8::9"],
            POLICY_TABLE,
        ),
    ],
    ids=[
        "scope",
        "scope-reversed",
        "precedence",
        "smaller-scope",
        "home",
        "deprecated",
        "longest",
        "label",
        "higher-precedence",
        "ipv4-first-scope",
        "ipv4-first",
        "ula-only-prefers-ipv4",
        "ula-below-ipv4",
        "no-ipv6-source",
        "no-source",
        "native",
    ],
)
def test_the_order_is_that_of_section_10_2_whatever_the_order_before(
    sources, destinations, order, table
):
    known = [source(text) for text in sources]
    wanted = [ip_address(text) for text in order]
    for given_order in (destinations, destinations[::-1]):
        asked = [ip_address(text) for text in given_order]
        assert rfc6724.sort_destinations(asked, known, table=table) == wanted


def test_equals_keep_their_order():
    asked = [IPv4Address("198.51.100.9"), IPv4Address("203.0.113.9")]
    known = [Source(address=IPv4Address("10.0.0.1"), prefix_length_bits=0)]
    assert rfc6724.sort_destinations(asked, known) == asked
    assert rfc6724.sort_destinations(asked[::-1], known) == asked[::-1]


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("::1", 0x2),
        ("fe80::1", 0x2),
        ("fec0::1", 0x5),
        ("fd00::1", 0xE),
        ("2001:db8::1", 0xE),
        ("ff02::1", 0x2),
        ("ff05::1", 0x5),
        ("ff0e::1", 0xE),
        ("ff01::1", 0x1),
        ("127.0.0.1", 0x2),
        ("169.254.1.1", 0x2),
        ("10.0.0.1", 0xE),
        ("198.51.100.1", 0xE),
        ("::ffff:169.254.1.1", 0x2),
        ("::ffff:10.0.0.1", 0xE),
    ],
)
def test_the_scope_is_that_of_section_3(address, scope):
    assert rfc6724.scope(ip_address(address)) == scope


@pytest.mark.parametrize(
    ("address", "precedence", "label"),
    [
        ("::1", 50, 0),
        ("2001:db8::1", 40, 1),
        ("198.51.100.1", 35, 4),
        ("2002::1", 30, 2),
        ("2001:0:1::", 5, 5),
        ("fd00::1", 3, 13),
        ("::198.51.100.1", 1, 3),
        ("fec0::1", 1, 11),
        ("3ffe::1", 1, 12),
        ("64:ff9b::1", 40, 1),
    ],
)
def test_the_default_table_is_that_of_section_2_1(address, precedence, label):
    row = rfc6724.policy(ip_address(address))
    assert (row.precedence, row.label) == (precedence, label)


def test_a_table_without_a_default_row_may_match_nothing():
    with pytest.raises(ValueError, match="no row"):
        rfc6724.policy(IPv6Address("2001:db8::1"), POLICY_TABLE[:1])


def test_the_common_prefix_ends_with_the_prefix_of_the_source():
    known = Source(address=IPv6Address("2001:db8::1"))
    assert rfc6724.common_prefix_bits(known, IPv6Address("2001:db8::1")) == 64
    assert rfc6724.common_prefix_bits(known, IPv6Address("2001:db9::1")) == 31
    whole = Source(address=IPv6Address("2001:db8::1"), prefix_length_bits=128)
    assert rfc6724.common_prefix_bits(whole, IPv6Address("2001:db8::2")) == 126
    v4 = Source(address=IPv4Address("10.0.0.1"))
    assert rfc6724.common_prefix_bits(v4, IPv4Address("10.0.0.3")) == 30


addresses = st.one_of(
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),
    st.sampled_from(
        [
            "fe80::1",
            "fd00::1",
            "2002::1",
            "64:ff9b::1",
            "2001:db8::1",
            "::1",
            "ff02::1",
            "169.254.0.1",
            "10.0.0.1",
        ]
    ).map(ip_address),
)
sources_of_any_kind = st.builds(
    Source,
    address=addresses,
    deprecated=st.booleans(),
    temporary=st.booleans(),
    home=st.booleans(),
    care_of=st.booleans(),
    tunnelled=st.booleans(),
)


@given(st.lists(addresses, max_size=6), st.lists(sources_of_any_kind, max_size=4))
def test_sorting_keeps_every_destination_and_puts_the_usable_ones_first(destinations, known):
    seen = rfc6724.sort_destinations(destinations, known)
    usable = [rfc6724.select_source(destination, known) is not None for destination in seen]
    assert sorted(map(str, seen)) == sorted(map(str, destinations))
    assert usable == sorted(usable, reverse=True)


@given(addresses, st.lists(sources_of_any_kind, max_size=5))
def test_a_chosen_source_is_a_candidate_of_the_same_family(destination, known):
    chosen = rfc6724.select_source(destination, known)
    assert chosen is None or (chosen in known and chosen.address.version == destination.version)
