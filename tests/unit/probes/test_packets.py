"""Are the packets of a capture counted by peer and family, whatever is in the file?"""

import struct
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6
from scapy.utils import RawPcapWriter

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes.packets import Packets, Peer, count, judge

HOST6, PEER6, HOST4, PEER4 = map(
    ip_address, ("2600:1f18::a", "2600:1f18::b", "198.51.100.1", "203.0.113.2")
)
OUT6 = bytes(IPv6(src=str(HOST6), dst=str(PEER6)) / TCP())
IN6 = bytes(IPv6(src=str(PEER6), dst=str(HOST6)) / TCP(flags="PA") / (b"x" * 100))
LAST6 = bytes(IPv6(src=str(HOST6), dst=str(PEER6)) / TCP(flags="FA"))
OUT4 = bytes(IP(src=str(HOST4), dst=str(PEER4)) / TCP())


def pcap(*packets: bytes, link_type: int = 101, snap: int = 96) -> bytes:
    """As scapy writes it."""
    kept = BytesIO()
    writer = RawPcapWriter(kept, linktype=link_type, snaplen=snap)
    writer.write_header(None)
    for packet in packets:
        writer.write_packet(packet[:snap], caplen=len(packet[:snap]), wirelen=len(packet))
    writer.flush()
    return kept.getvalue()


def found(verdict, *peers) -> Packets:
    return Packets(vantage="here", asked="x", verdict=verdict, peers=peers)


V6 = Peer(
    address=PEER6, sent_packets=1, sent_bytes=60, received_packets=1, received_bytes=160, begun=1
)
V4 = Peer(address=PEER4, sent_packets=1, sent_bytes=40, begun=1)


@pytest.mark.parametrize(
    ("packets", "how", "expected"),
    [
        pytest.param((OUT6, IN6), {}, found("ipv6-only", V6), id="ipv6"),
        pytest.param((OUT6, OUT4, IN6), {}, found("ipv4-seen", V4, V6), id="one-ipv4-packet"),
        pytest.param((), {}, found("nothing-seen"), id="nothing"),
        pytest.param((OUT6, IN6), {"ended": "full"}, found("truncated", V6), id="full"),
        pytest.param((OUT6, IN6), {"lost": 3}, found("truncated", V6), id="lost"),
        pytest.param((), {"ended": "deadline"}, found("truncated"), id="too-short"),
        pytest.param((OUT4,), {"ended": "full"}, found("ipv4-seen", V4), id="full-with-ipv4"),
        pytest.param((b"", b"\x00" * 40, b"\x60"), {}, found("nothing-seen"), id="no-ip"),
    ],
)
@pytest.mark.parametrize("named", [True, False], ids=["peers-named", "peers-unknown"])
def test_judge(packets, how, expected, named):
    ends: dict = {"peers": {PEER6, PEER4}} if named else {"peers": (), "own": {HOST6, HOST4}}
    assert judge("here", pcap(*packets), asked="x", **ends, **how) == expected


def test_the_families_are_counted():
    seen = found("ipv4-seen", V4, V6)
    assert (seen.ipv4_packets, seen.ipv6_packets) == (1, 2)
    assert seen.received_from({PEER6}) == 160
    assert seen.known_cause is not None
    assert str(PEER4) in seen.known_cause[0]


@pytest.mark.parametrize(
    ("packets", "connected"),
    [
        pytest.param((OUT6, IN6), True, id="begun-and-answered"),
        pytest.param((OUT6,), False, id="never-answered"),
        pytest.param((LAST6, IN6), False, id="the-last-words-of-an-older-one"),
        pytest.param((OUT6[:50], IN6), False, id="cut-off"),
        pytest.param((bytes(IPv6(dst=str(PEER6)) / UDP()), IN6), False, id="udp"),
    ],
)
def test_a_connection_is_one_that_was_begun_and_answered(packets, connected):
    seen = judge("here", pcap(*packets), peers={PEER6}, asked="x")
    assert (seen.connected_to({PEER6}), seen.connected_to({PEER4})) == (connected, False)


def test_a_connection_over_ipv4_with_options_in_its_header_is_seen():
    out = bytes(IP(src=str(HOST4), dst=str(PEER4), options=[IPOption_NOP()] * 4) / TCP())
    back = bytes(IP(src=str(PEER4), dst=str(HOST4)) / TCP(flags="SA"))
    seen = judge("here", pcap(out, back), peers={PEER4}, asked="x")
    assert seen.connected_to({PEER4})


def test_a_capture_that_is_cut_off_is_read_up_to_there():
    whole = pcap(OUT6, IN6)
    assert judge("here", whole[:-90], peers={PEER6}, asked="x").ipv6_packets == 1


@pytest.mark.parametrize("octets", [b"", b"not a capture at all, but text", pcap(link_type=1)])
def test_what_is_no_capture_is_unobserved(octets):
    with pytest.raises(Unobserved) as unobserved:
        judge("here", octets, peers={PEER6}, asked="x")
    assert unobserved.value.reason == "capture-garbage"


@given(st.binary(max_size=300), st.booleans())
def test_any_octets_are_counted_or_unobserved(octets, headed):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 96, 101) if headed else b""
    try:
        seen = judge("here", head + octets, peers=(), own=(), asked="x")
    except Unobserved:
        return
    assert seen.verdict in {"ipv6-only", "ipv4-seen", "nothing-seen"}


def test_scapy_reads_what_it_wrote(tmp_path: Path):
    from scapy.utils import RawPcapReader

    file = tmp_path / "x.pcap"
    file.write_bytes(pcap(OUT6))
    with RawPcapReader(str(file)) as reader:
        assert [octets for octets, _ in reader] == [OUT6]


@pytest.mark.parametrize("order", ["<", ">"])
def test_whole_packets_are_counted_in_either_byte_order(order):
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 96, 101)
    packet = struct.pack(f"{order}IIII", 0, 0, 3, 60) + b"abc"
    counts = [count(head + 2 * packet + rest) for rest in (b"", packet[:-1], packet[:9], packet)]
    assert counts == [2, 2, 2, 3]


@pytest.mark.parametrize("octets", [b"", b"\0" * 23, b"\0" * 24, b"\xff" * 90])
def test_no_capture_has_no_packets(octets):
    assert count(octets) == 0
