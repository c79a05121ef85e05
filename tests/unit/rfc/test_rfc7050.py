"""Are the NAT64 prefixes found in answers for ipv4only.arpa, as RFC 7050 §3 wants it?"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc import rfc6052, rfc7050

FIRST, SECOND = IPv4Address("192.0.0.170"), IPv4Address("192.0.0.171")


def answer(*prefixes: str) -> list[IPv6Address]:
    """What a DNS64 with *prefixes* says."""
    return [rfc6052.embed(v4, IPv6Network(prefix)) for prefix in prefixes for v4 in (FIRST, SECOND)]


def test_the_constants_are_those_of_section_8():
    assert rfc7050.WELL_KNOWN_NAME == "ipv4only.arpa"
    assert {FIRST, SECOND} == rfc7050.WELL_KNOWN_IPV4


@pytest.mark.parametrize(
    "prefix",
    [
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001:db8::/32",
        "2001:db8:100::/40",
        "2001:db8:122::/48",
        "2001:db8:122:300::/56",
        "2001:db8:122:344::/64",
        "2001:db8:122:344::/96",
        "fd00:64::/96",
    ],
)
def test_a_prefix_of_every_length_is_found(prefix):
    assert rfc7050.prefixes(answer(prefix)) == {IPv6Network(prefix)}


def test_several_prefixes_are_all_found():
    both = ("64:ff9b::/96", "2001:db8:122::/48")
    assert rfc7050.prefixes(answer(*both)) == {IPv6Network(prefix) for prefix in both}


def test_one_of_the_two_well_known_addresses_is_enough():
    assert rfc7050.prefixes([IPv6Address("64:ff9b::c000:ab")]) == {rfc6052.WELL_KNOWN_PREFIX}


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["2001:db8::1"],
        ["::ffff:192.0.0.172"],
        ["2001:db8::c000:aa00"],
        ["2001:db8:122:344:1c0:0:aa00::"],
    ],
    ids=["empty", "real", "another-ipv4", "not-at-a-place", "u-octet-set"],
)
def test_an_answer_without_the_well_known_addresses_has_no_prefix(addresses):
    assert rfc7050.prefixes(map(IPv6Address, addresses)) == frozenset()


@pytest.mark.parametrize(
    "prefix",
    [
        "2001:db8:c000:aa::/96",
        "2001:db8:c000:ab::/64",
        "2001:db8:c0:0:aa::/96",
    ],
)
def test_a_prefix_that_contains_a_well_known_address_is_told_by_the_other_one(prefix):
    assert rfc7050.prefixes(answer(prefix)) == {IPv6Network(prefix)}


def test_a_single_ambiguous_address_is_read_so_that_its_suffix_is_zero():
    ambiguous = rfc6052.embed(SECOND, IPv6Network("2001:db8:c000:aa::/96"))
    assert rfc7050.prefixes([ambiguous]) == {IPv6Network("2001:db8:c000:aa::/96")}


@st.composite
def networks(draw):
    """Prefixes, many of which contain a well-known address themselves."""
    parts = draw(
        st.lists(
            st.one_of(
                st.binary(min_size=1, max_size=4), st.sampled_from([FIRST.packed, SECOND.packed])
            ),
            max_size=6,
        )
    )
    octets = bytearray(b"".join(parts)[:16].ljust(16, b"\0"))
    octets[rfc6052.U_OCTET] = 0
    bits = draw(st.sampled_from(rfc6052.PREFIX_LENGTHS_BITS))
    return IPv6Network((bytes(octets), bits), strict=False)


@given(networks())
def test_exactly_the_prefix_that_a_dns64_uses_is_found(network):
    assert rfc7050.prefixes(answer(str(network))) == {network}


@given(st.lists(st.integers(0, (1 << 128) - 1).map(IPv6Address), max_size=8))
def test_whatever_is_found_contains_an_address_of_the_answer(addresses):
    found = rfc7050.prefixes(addresses)
    assert all(any(address in prefix for address in addresses) for prefix in found)
