"""Is IPv4 put into IPv6 and taken out again as RFC 6052 draws it?"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc import rfc6052

V4 = IPv4Address("192.0.2.33")

TABLE_OF_SECTION_2_4 = [
    ("2001:db8::/32", "2001:db8:c000:221::"),
    ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
    ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
    ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
    ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
    ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
]

addresses_v4 = st.integers(0, (1 << 32) - 1).map(IPv4Address)
U_MASK = 0xFF << 56


@st.composite
def prefixes(draw):
    bits = draw(st.sampled_from(rfc6052.PREFIX_LENGTHS_BITS))
    number = draw(st.integers(0, (1 << 128) - 1)) & ~U_MASK
    return IPv6Network((number, bits), strict=False)


def embed_by_bits(v4: IPv4Address, prefix: IPv6Network) -> IPv6Address:
    """The drawing of §2.2 read as a string of 128 binary digits."""
    head = f"{int(prefix.network_address):0128b}"[: prefix.prefixlen]
    if prefix.prefixlen == 96:
        return IPv6Address(int(head + f"{int(v4):032b}", 2))
    room = 64 - prefix.prefixlen
    digits = f"{int(v4):032b}"
    text = head + digits[:room] + "00000000" + digits[room:]
    return IPv6Address(int(text.ljust(128, "0"), 2))


@pytest.mark.parametrize(("prefix", "text"), TABLE_OF_SECTION_2_4)
def test_the_table_of_section_2_4_holds_both_ways(prefix, text):
    network = IPv6Network(prefix)
    assert rfc6052.embed(V4, network) == IPv6Address(text)
    assert rfc6052.extract(IPv6Address(text), network) == V4


def test_the_sample_of_the_talk_is_44_210_107_93():
    v6 = IPv6Address("64:ff9b::2cd2:6b5d")
    assert rfc6052.extract(v6, rfc6052.WELL_KNOWN_PREFIX) == IPv4Address("44.210.107.93")


@given(addresses_v4, prefixes())
def test_embedding_is_the_drawing_of_section_2_2(v4, prefix):
    assert rfc6052.embed(v4, prefix) == embed_by_bits(v4, prefix)


@given(addresses_v4, prefixes(), st.integers(0, 0xFF))
def test_what_was_embedded_is_extracted_whatever_the_last_octet_of_the_suffix(v4, prefix, suffix):
    noise = 0 if prefix.prefixlen == 96 else suffix
    v6 = IPv6Address(int(rfc6052.embed(v4, prefix)) | noise)
    assert rfc6052.extract(v6, prefix) == v4


@pytest.mark.parametrize("bits", sorted(set(range(129)) - set(rfc6052.PREFIX_LENGTHS_BITS)))
def test_no_other_prefix_length_carries_an_address(bits):
    prefix = IPv6Network(("2001:db8::", bits), strict=False)
    with pytest.raises(ValueError, match=f"behind a /{bits}: only behind /32, /40"):
        rfc6052.embed(V4, prefix)
    with pytest.raises(ValueError, match=f"behind a /{bits}"):
        rfc6052.extract(prefix.network_address, prefix)


def test_an_address_outside_the_prefix_embeds_nothing():
    with pytest.raises(ValueError, match="2001:db8::1 is not in 64:ff9b::/96"):
        rfc6052.extract(IPv6Address("2001:db8::1"), rfc6052.WELL_KNOWN_PREFIX)


@pytest.mark.parametrize("bits", rfc6052.PREFIX_LENGTHS_BITS)
def test_bits_64_to_71_must_be_zero(bits):
    v6 = IPv6Address("2001:db8:122:344:100::c000:221")
    with pytest.raises(ValueError, match="bits 64 to 71"):
        rfc6052.extract(v6, IPv6Network((v6, bits), strict=False))


def test_a_prefix_of_96_bits_with_bits_64_to_71_set_is_refused():
    with pytest.raises(ValueError, match="bits 64 to 71"):
        rfc6052.embed(V4, IPv6Network("2001:db8:0:0:100::/96"))


def test_the_longest_of_several_prefixes_is_the_one_an_address_is_of():
    wide, narrow = IPv6Network("64:ff9b::/32"), rfc6052.WELL_KNOWN_PREFIX
    assert rfc6052.prefix_of(IPv6Address("64:ff9b::1"), [wide, narrow]) == narrow
    assert rfc6052.prefix_of(IPv6Address("64:ff9b::1:0:1"), [narrow, wide]) == wide
    assert rfc6052.prefix_of(IPv6Address("2001:db8::1"), [narrow, wide]) is None


def test_the_local_use_prefix_of_rfc_8215_is_apart_from_the_well_known_one():
    assert str(rfc6052.LOCAL_USE_PREFIX) == "64:ff9b:1::/48"
    assert not rfc6052.LOCAL_USE_PREFIX.overlaps(rfc6052.WELL_KNOWN_PREFIX)
