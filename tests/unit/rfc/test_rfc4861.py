"""Are router advertisements read as RFC 4861, 4191, 8106 and 8781 lay them out?"""

from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers import inet6

from pytest_v6probe.rfc import rfc4861
from pytest_v6probe.rfc.rfc4861 import Options, Pref64, PrefixInformation, RouterAdvertisement

ROUTER = IPv6Address("fe80::1")
FIXED = bytes.fromhex("86 00 00 00 40 c8 07 08 00 00 75 30 00 00 03 e8")
PREFIX = bytes.fromhex(
    "03 04 40 c0 00 01 51 80 00 00 38 40 00 00 00 0026 00 1f 18 00 0d f7 0a 00 00 00 00 00 00 00 00"
)
MTU = bytes.fromhex("05 01 00 00 00 00 23 29")
LINK = bytes.fromhex("01 01 02 00 5e 10 00 01")
RDNSS = bytes.fromhex("19 03 00 00 00 00 07 08") + IPv6Address("fd00:ec2::253").packed
DNSSL = bytes.fromhex("1f 03 00 00 00 00 07 08 03 65 63 32 08 69 6e 74 65 72 6e 61 6c 00 00 00")
PREF64 = bytes.fromhex("26 02 07 08 00 64 ff 9b 00 00 00 00 00 00 00 00")  # RFC 8781 §4


def read(octets: bytes, source: IPv6Address = ROUTER, hop_limit: int = 255) -> RouterAdvertisement:
    return rfc4861.parse_advertisement(octets, source=source, hop_limit=hop_limit)


def test_every_field_is_where_its_standard_puts_it():
    assert read(FIXED + PREFIX + MTU + LINK + RDNSS + DNSSL + PREF64) == RouterAdvertisement(
        router=ROUTER,
        hop_limit=64,
        managed=True,
        other=True,
        preference="high",
        lifetime_s=1800,
        reachable_ms=30000,
        retransmit_ms=1000,
        options=Options(
            prefixes=(
                PrefixInformation(
                    prefix=IPv6Network("2600:1f18:d:f70a::/64"),
                    on_link=True,
                    autonomous=True,
                    valid_s=86400,
                    preferred_s=14400,
                ),
            ),
            mtu=9001,
            rdnss=(IPv6Address("fd00:ec2::253"),),
            dnssl=("ec2.internal",),
            pref64=(Pref64(prefix=IPv6Network("64:ff9b::/96"), lifetime_s=1800),),
            link_layer_address="02:00:5e:10:00:01",
        ),
    )


def test_an_advertisement_without_options_says_only_the_fixed_part():
    assert read(bytes.fromhex("86000000 00000708 00000000 00000000")) == RouterAdvertisement(
        router=ROUTER,
        hop_limit=0,
        managed=False,
        other=False,
        preference="medium",
        lifetime_s=1800,
        reachable_ms=0,
        retransmit_ms=0,
        options=Options(),
    )


@pytest.mark.parametrize(
    ("octets", "source", "hop_limit", "why"),
    [
        (FIXED, "2001:db8::1", 255, "not link-local"),
        (FIXED, "fe80::1", 254, "hop limit 254"),
        (FIXED[:15], "fe80::1", 255, "not a router advertisement"),
        (b"\x86\x01" + FIXED[2:], "fe80::1", 255, "not a router advertisement"),
        (b"\x88" + FIXED[1:], "fe80::1", 255, "not a router advertisement"),
        (FIXED + bytes(8), "fe80::1", 255, "length zero"),
        (FIXED + MTU[:7], "fe80::1", 255, "octets end at 7"),
        (FIXED + MTU + b"\x05", "fe80::1", 255, "length zero at octet 8"),
        (b"", "fe80::1", 255, "not a router advertisement"),
    ],
)
def test_what_section_6_1_2_discards_is_a_value_error(octets, source, hop_limit, why):
    with pytest.raises(ValueError, match=why):
        read(octets, IPv6Address(source), hop_limit)


def test_a_scoped_source_is_link_local_too():
    assert read(FIXED, IPv6Address("fe80::1%eth0")).router == IPv6Address("fe80::1%eth0")


@pytest.mark.parametrize(
    ("flags", "lifetime_s", "preference"),
    [
        (0x00, 1800, "medium"),
        (0x08, 1800, "high"),
        (0x18, 1800, "low"),
        (0x10, 1800, "medium"),
        (0x08, 0, "medium"),
        (0x18, 0, "medium"),
    ],
)
def test_the_preference_is_that_of_rfc_4191(flags, lifetime_s, preference):
    octets = FIXED[:5] + bytes([flags]) + lifetime_s.to_bytes(2, "big") + FIXED[8:]
    seen = read(octets)
    assert (seen.preference, seen.lifetime_s) == (preference, lifetime_s)


@pytest.mark.parametrize(
    ("code", "prefix"),
    [
        (0, "2001:db8:1:2:3:4::/96"),
        (1, "2001:db8:1:2::/64"),
        (2, "2001:db8:1::/56"),
        (3, "2001:db8:1::/48"),
        (4, "2001:db8::/40"),
        (5, "2001:db8::/32"),
    ],
)
def test_the_prefix_length_code_of_rfc_8781_cuts_the_prefix(code, prefix):
    option = (
        b"\x26\x02"
        + (600 | code).to_bytes(2, "big")
        + bytes.fromhex("20010db8 0001 0002 0003 0004")
    )
    assert rfc4861.parse_options(option) == Options(
        pref64=(Pref64(prefix=IPv6Network(prefix), lifetime_s=600),)
    )


@pytest.mark.parametrize(
    "option",
    [
        PREF64[:3] + b"\x0e" + PREF64[4:],
        PREF64[:3] + b"\x0f" + PREF64[4:],
        b"\x26\x01" + PREF64[2:8],
        b"\x26\x03" + PREF64[2:] + bytes(8),
        b"\x03\x03" + PREFIX[2:24],
        PREFIX[:2] + b"\x81" + PREFIX[3:],
        b"\x05\x02" + bytes(14),
        b"\x19\x01" + bytes(6),
        b"\x19\x02" + RDNSS[2:16],
        b"\x19\x04" + RDNSS[2:] + bytes(8),
        RDNSS[:4] + bytes(4) + RDNSS[8:],
        DNSSL[:4] + bytes(4) + DNSSL[8:],
        b"\x1f\x01" + DNSSL[2:8],
        DNSSL[:8] + b"\xc0\x08" + bytes(14),
        DNSSL[:8] + b"a" * 16,
        b"\x1f\x22" + DNSSL[2:8] + b"\x01a" * 132,
        bytes([0xFD, 1]) + bytes(6),
    ],
    ids=[
        "plc-6",
        "plc-7",
        "pref64-short",
        "pref64-long",
        "prefix-short",
        "prefix-length-129",
        "mtu-long",
        "rdnss-empty",
        "rdnss-half",
        "rdnss-one-and-a-half",
        "rdnss-withdrawn",
        "dnssl-withdrawn",
        "dnssl-short",
        "dnssl-pointer",
        "dnssl-unended",
        "dnssl-name-too-long",
        "unknown",
    ],
)
def test_an_option_that_its_standard_wants_ignored_is_ignored_and_the_next_one_read(option):
    assert rfc4861.parse_options(option + MTU) == Options(mtu=9001)


def test_name_servers_and_search_names_of_several_options_are_joined_once_each():
    other = RDNSS[:8] + IPv6Address("2001:db8::53").packed
    seen = rfc4861.parse_options(RDNSS + other + RDNSS + DNSSL + DNSSL)
    assert seen == Options(
        rdnss=(IPv6Address("fd00:ec2::253"), IPv6Address("2001:db8::53")), dnssl=("ec2.internal",)
    )


def test_a_withdrawn_pref64_is_kept_with_lifetime_zero():
    assert rfc4861.parse_options(PREF64[:2] + bytes(2) + PREF64[4:]).pref64 == (
        Pref64(prefix=IPv6Network("64:ff9b::/96"), lifetime_s=0),
    )


@given(st.binary(max_size=400))
def test_any_octets_give_an_advertisement_or_a_value_error(octets):
    try:
        seen = read(FIXED + octets)
    except ValueError:
        assert octets
    else:
        assert len(octets) % 8 == 0
        assert len(seen.options.rdnss) <= len(octets) // 16


options = st.tuples(
    st.sampled_from([1, 3, 5, 25, 31, 38, 24]),
    st.integers(1, 6),
    st.binary(min_size=46, max_size=46),
).map(lambda parts: bytes(parts[:2]) + parts[2][: parts[1] * 8 - 2])


@given(st.lists(options, max_size=12))
def test_well_framed_options_with_any_content_are_never_an_error(parts):
    assert isinstance(rfc4861.parse_options(b"".join(parts)), Options)


addresses = st.integers(0, (1 << 128) - 1).map(IPv6Address)
words = st.integers(0, 0xFFFFFFFF)
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)


@given(
    st.tuples(
        st.integers(0, 255),
        st.booleans(),
        st.booleans(),
        st.integers(0, 3),
        st.integers(0, 0xFFFF),
        words,
        words,
    ),
    st.lists(
        st.tuples(addresses, st.integers(0, 128), st.booleans(), st.booleans(), words, words),
        max_size=3,
    ),
    st.lists(addresses, min_size=1, max_size=3, unique=True),
    st.lists(names, min_size=1, max_size=3, unique=True),
    st.tuples(addresses, st.integers(0, 5), st.integers(0, 0x1FFF)),
    words,
)
def test_what_scapy_writes_is_read_as_it_was_meant(  # noqa: PLR0917  hypothesis passes them
    fixed, prefixes, servers, search, pref64, mtu
):
    hop_limit, managed, other, preference, lifetime_s, reachable_ms, retransmit_ms = fixed
    packet = inet6.ICMPv6ND_RA(
        cksum=0,
        chlim=hop_limit,
        M=int(managed),
        O=int(other),
        prf=preference,
        routerlifetime=lifetime_s,
        reachabletime=reachable_ms,
        retranstimer=retransmit_ms,
    )
    for address, bits, on_link, autonomous, valid_s, preferred_s in prefixes:
        packet /= inet6.ICMPv6NDOptPrefixInfo(
            prefix=str(address),
            prefixlen=bits,
            L=int(on_link),
            A=int(autonomous),
            validlifetime=valid_s,
            preferredlifetime=preferred_s,
        )
    packet /= inet6.ICMPv6NDOptRDNSS(dns=list(map(str, servers)), lifetime=60)
    packet /= inet6.ICMPv6NDOptDNSSL(searchlist=[f"{name}." for name in search], lifetime=60)
    # scapy writes the octets of a prefix that ends in 32 zero bits
    nat64 = IPv6Address(int(pref64[0]) >> 32 << 32)
    packet /= inet6.ICMPv6NDOptPREF64(prefix=str(nat64), plc=pref64[1], scaledlifetime=pref64[2])
    packet /= inet6.ICMPv6NDOptMTU(mtu=mtu)
    packet /= inet6.ICMPv6NDOptSrcLLAddr(lladdr="02:00:5e:10:00:01")
    bits = (96, 64, 56, 48, 40, 32)[pref64[1]]
    assert read(bytes(packet)) == RouterAdvertisement(
        router=ROUTER,
        hop_limit=hop_limit,
        managed=managed,
        other=other,
        preference=("medium", "high", "medium", "low")[preference] if lifetime_s else "medium",
        lifetime_s=lifetime_s,
        reachable_ms=reachable_ms,
        retransmit_ms=retransmit_ms,
        options=Options(
            prefixes=tuple(
                PrefixInformation(
                    prefix=IPv6Network((address, bits), strict=False),
                    on_link=on_link,
                    autonomous=autonomous,
                    valid_s=valid_s,
                    preferred_s=preferred_s,
                )
                for address, bits, on_link, autonomous, valid_s, preferred_s in prefixes
            ),
            mtu=mtu,
            rdnss=tuple(servers),
            dnssl=tuple(search),
            pref64=(
                Pref64(prefix=IPv6Network((nat64, bits), strict=False), lifetime_s=pref64[2] * 8),
            ),
            link_layer_address="02:00:5e:10:00:01",
        ),
    )
