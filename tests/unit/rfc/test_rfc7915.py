"""Are sizes and MTUs turned from one family to the other as RFC 7915 says?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc import rfc7915


def test_a_translated_packet_is_20_octets_longer():
    assert rfc7915.ipv6_octets(1260) == 1280
    assert rfc7915.ipv6_octets(1500) == 1520
    assert rfc7915.ipv6_octets(1252, fragment_header=True) == 1280


@pytest.mark.parametrize("octets", [0, 19, 65536])
def test_a_size_that_no_ipv4_packet_has_is_refused(octets):
    with pytest.raises(ValueError, match=f"no IPv4 packet has {octets} octets"):
        rfc7915.ipv6_octets(octets)


@pytest.mark.parametrize(
    ("ipv4", "ipv6"),
    [(1400, 1420), (1260, 1280), (1261, 1281), (1259, 1280), (576, 1280), (68, 1280), (1500, 1520)],
)
def test_an_ipv4_path_is_announced_20_octets_wider_and_never_below_1280(ipv4, ipv6):
    assert rfc7915.ipv6_mtu(ipv4) == ipv6


@pytest.mark.parametrize(("ipv6", "ipv4"), [(1280, 1260), (1500, 1480), (9000, 8980)])
def test_an_ipv6_path_is_announced_20_octets_narrower(ipv6, ipv4):
    assert rfc7915.ipv4_mtu(ipv6) == ipv4


def test_an_mtu_below_the_least_of_its_family_is_refused():
    with pytest.raises(ValueError, match="IPv6 path has an MTU of 1279"):
        rfc7915.ipv4_mtu(1279)
    with pytest.raises(ValueError, match="IPv4 path has an MTU of 67"):
        rfc7915.ipv6_mtu(67)


@given(st.integers(1260, 65515))
def test_from_1280_on_the_two_mtus_are_each_others_inverse(mtu):
    assert rfc7915.ipv4_mtu(rfc7915.ipv6_mtu(mtu)) == mtu


@pytest.mark.parametrize(
    ("octets", "options", "expected"),
    [
        (1260, {"dont_fragment": False}, False),
        (1261, {"dont_fragment": False}, True),
        (1261, {"dont_fragment": True}, False),
        (1480, {"dont_fragment": False, "ipv6_mtu": 1500}, False),
        (1481, {"dont_fragment": False, "ipv6_mtu": 1500}, True),
        (100, {"dont_fragment": True, "fragment": True}, True),
    ],
)
def test_only_fragments_and_large_packets_without_df_get_a_fragment_header(
    octets, options, expected
):
    assert rfc7915.needs_fragment_header(octets, **options) is expected


def test_df_is_set_above_1260_octets_of_ipv4_only():
    assert rfc7915.dont_fragment(1281) is True
    assert rfc7915.dont_fragment(1280) is False
