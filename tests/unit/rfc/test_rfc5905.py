"""Are NTP packets made and read as RFC 5905 §7.3 lays them out?"""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.ntp import NTPHeader

from pytest_v6probe.rfc import rfc5905
from pytest_v6probe.rfc.rfc5905 import NtpPacket

UNIX = 2_208_988_800
ANSWER = bytes.fromhex(
    "24 03 06 e9"  # leap 0, version 4, mode 4; stratum 3; poll 2^6; precision 2^-23
    "00 00 80 00  00 01 00 00"  # root delay 0.5 s, root dispersion 1 s
    "a9 fe a9 7b"
    "e8 d0 c0 a8 40 00 00 00  01 23 45 67 89 ab cd ef"
    "e8 d0 c0 a8 80 00 00 00  e8 d0 c0 a8 80 00 00 01"
)
PACKET = NtpPacket(
    leap="none",
    version=4,
    mode=4,
    stratum=3,
    poll_s=64.0,
    precision_s=2.0**-23,
    root_delay_s=0.5,
    root_dispersion_s=1.0,
    reference_id=bytes.fromhex("a9fea97b"),
    kiss_code="",
    reference=0xE8D0C0A840000000,
    originate=0x0123456789ABCDEF,
    receive=0xE8D0C0A880000000,
    transmit=0xE8D0C0A880000001,
)

timestamps = st.integers(0, (1 << 64) - 1)


def packet(**fields: int) -> NtpPacket:
    values = {"receive": 0, "transmit": 0} | fields
    octets = ANSWER[:32] + b"".join(
        values[key].to_bytes(8, "big") for key in ("receive", "transmit")
    )
    return rfc5905.parse(octets)


def at(unix_s: float) -> int:
    """A time of the first era as a timestamp."""
    return round((unix_s + UNIX) * (1 << 32)) % (1 << 64)


def test_a_request_is_of_version_4_from_a_client_and_tells_only_its_cookie():
    cookie = 0x0123456789ABCDEF
    expected = bytes([0x23]) + bytes(39) + cookie.to_bytes(8, "big")
    assert rfc5905.request(transmit=cookie) == expected


@pytest.mark.parametrize("cookie", [0, -1, 1 << 64])
def test_a_cookie_that_is_no_timestamp_is_refused(cookie):
    with pytest.raises(ValueError, match="64 bits"):
        rfc5905.request(transmit=cookie)


def test_every_field_is_where_figure_8_puts_it():
    assert rfc5905.parse(ANSWER) == PACKET


def test_a_mac_or_an_extension_field_may_follow():
    assert rfc5905.parse(ANSWER + bytes(20)) == PACKET


@pytest.mark.parametrize(
    ("first", "leap"),
    [(0x24, "none"), (0x64, "insert"), (0xA4, "delete"), (0xE4, "unsynchronised")],
)
def test_the_leap_indicator_is_read(first, leap):
    assert rfc5905.parse(bytes([first]) + ANSWER[1:]).leap == leap


@pytest.mark.parametrize(
    ("reference_id", "code"),
    [
        (b"RATE", "RATE"),
        (b"DENY", "DENY"),
        (b"X\0\0\0", "X"),
        (b"\0\0\0\0", ""),
        (b"\xff\x00\x01\x02", ""),
        (b"A\0B\0", ""),
    ],
)
def test_a_packet_of_stratum_0_says_its_kiss_code(reference_id, code):
    kiss = rfc5905.parse(b"\xe4\x00" + ANSWER[2:12] + reference_id + ANSWER[16:])
    assert (kiss.stratum, kiss.kiss_code, kiss.reference_id) == (0, code, reference_id)


def test_only_stratum_0_has_a_kiss_code():
    assert rfc5905.parse(ANSWER[:12] + b"RATE" + ANSWER[16:]).kiss_code == ""


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        ANSWER[:47],
        ANSWER + b"\0",
        b"\x04" + ANSWER[1:],
        b"\x3c" + ANSWER[1:],
    ],
    ids=["nothing", "short", "not-whole-words", "version-0", "version-7"],
)
def test_what_is_no_packet_is_a_value_error(octets):
    with pytest.raises(ValueError, match="NTP packet"):
        rfc5905.parse(octets)


@given(st.binary(max_size=120))
def test_any_octets_give_a_packet_or_a_value_error(octets):
    try:
        seen = rfc5905.parse(octets)
    except ValueError:
        assert len(octets) < 48 or len(octets) % 4 or not 1 <= octets[0] >> 3 & 7 <= 4
    else:
        assert seen.transmit == int.from_bytes(octets[40:48], "big")


def test_the_offset_is_that_of_section_8():
    seen = packet(receive=at(1000.5), transmit=at(1000.75))
    assert rfc5905.offset_s(seen, sent_s=1000.0, received_s=1001.0) == 0.125


@given(st.integers(-(1 << 30), 1 << 30), st.integers(0, 1 << 40))
def test_the_offset_knows_no_eras(offset_s, sent_s):
    seen = packet(receive=at(sent_s + offset_s) or 1, transmit=at(sent_s + offset_s) or 1)
    found = rfc5905.offset_s(seen, sent_s=sent_s, received_s=sent_s)
    assert isclose(found, offset_s, abs_tol=1e-6)


def test_the_offset_is_right_over_the_end_of_the_era_in_2036():
    end = (1 << 32) - UNIX
    seen = packet(receive=1 << 32, transmit=1 << 32)
    assert rfc5905.offset_s(seen, sent_s=end - 1, received_s=end - 1) == 2.0


@pytest.mark.parametrize("fields", [{"receive": 1}, {"transmit": 1}])
def test_a_server_that_gives_no_times_has_no_offset(fields):
    with pytest.raises(ValueError, match="gave no receive or no transmit"):
        rfc5905.offset_s(packet(**fields), sent_s=0.0, received_s=0.0)


@given(
    st.integers(0, 3),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(0, 255),
    st.integers(-128, 127),
    st.integers(-128, 127),
    st.binary(min_size=4, max_size=4),
    st.tuples(*[st.integers(0, (1 << 32) - 1)] * 4),
)
def test_scapy_reads_the_same(  # noqa: PLR0917  hypothesis passes them
    leap, version, mode, stratum, poll, precision, reference_id, seconds
):
    octets = (
        bytes([leap << 6 | version << 3 | mode, stratum, poll & 0xFF, precision & 0xFF])
        + bytes.fromhex("0001800000008000")
        + reference_id
        + b"".join(second.to_bytes(4, "big") + bytes(4) for second in seconds)
    )
    theirs, ours = NTPHeader(octets), rfc5905.parse(octets)
    leaps = ("none", "insert", "delete", "unsynchronised")
    assert (leaps[theirs.leap], theirs.version, theirs.mode, theirs.stratum) == (
        ours.leap,
        ours.version,
        ours.mode,
        ours.stratum,
    )
    assert (2.0**theirs.poll, 2.0**theirs.precision) == (ours.poll_s, ours.precision_s)
    assert (float(theirs.delay), float(theirs.dispersion)) == (
        ours.root_delay_s,
        ours.root_dispersion_s,
    )
    assert [int(value) for value in (theirs.ref, theirs.orig, theirs.recv, theirs.sent)] == [
        value >> 32 for value in (ours.reference, ours.originate, ours.receive, ours.transmit)
    ]
