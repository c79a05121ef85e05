"""Which packets were seen, to and from whom, of which family? A capture, read by scapy."""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pytest_v6probe.result import Address

MAX_PACKETS = 200_000
LINES_SHOWN = 6
LINKTYPE_RAW = 101  # tcpdump.org/linktypes.html

_HEADS = {4: (20, 12, 4), 6: (40, 8, 16)}
"""Per version: how long a header is at least, where the source is, how long an address is."""
_TCP, _SYN, _ACK = 6, 0x02, 0x10  # RFC 9293, section 3.1


class Packet(NamedTuple):
    """The two ends of one packet, its length on the wire from its IP header on, and whether it
    begins a TCP connection.
    """

    source: Address
    target: Address
    size_bytes: int
    begins: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What was seen to and from one address. A packet counts once for each interface that saw it."""

    address: Address
    sent_packets: int = 0
    sent_bytes: int = 0
    received_packets: int = 0
    received_bytes: int = 0
    begun: int = 0
    """How often a TCP connection to it was begun; a SYN that is sent again counts again."""

    @property
    def family(self) -> str:
        """``ipv4`` or ``ipv6``."""
        return f"ipv{self.address.version}"

    @property
    def packets(self) -> int:
        """Both ways."""
        return self.sent_packets + self.received_packets


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets(Finding):
    """What one capture saw, peer by peer.

    Verdicts: ``ipv6-only``; ``ipv4-seen`` (at least one packet, to or from a peer);
    ``nothing-seen``; ``truncated`` (no IPv4 was seen, but the capture ended before it was told to,
    or lost packets).
    """

    layer: ClassVar[Layer] = Layer.TCP

    peers: tuple[Peer, ...] = ()

    @property
    def addresses(self) -> frozenset[Address]:
        """Whom packets went to or came from."""
        return frozenset(peer.address for peer in self.peers)

    @property
    def ipv4_packets(self) -> int:
        """How many of the packets were IPv4."""
        return sum(peer.packets for peer in self.peers if peer.family == "ipv4")

    @property
    def ipv6_packets(self) -> int:
        """How many of the packets were IPv6."""
        return sum(peer.packets for peer in self.peers if peer.family == "ipv6")

    def received_from(self, addresses: Collection[Address]) -> int:
        """How many octets came from any of *addresses*."""
        return sum(peer.received_bytes for peer in self.peers if peer.address in addresses)

    def connected_to(self, addresses: Collection[Address]) -> bool:
        """Whether a TCP connection to any of *addresses* was begun, and something came from it. The
        last words of a connection that was there before are none.
        """
        return any(
            peer.begun and peer.received_bytes for peer in self.peers if peer.address in addresses
        )

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Whom IPv4 was spoken with."""
        if self.verdict != "ipv4-seen":
            return None
        whom = ", ".join(str(p.address) for p in self.peers if p.family == "ipv4")
        return (
            f"IPv4 was used with {replies.shown(whom)}",
            "curl -6 -sv https://<name>/  # an engine falls back to IPv4 where IPv6 fails",
        )


def read(pcap: bytes) -> Iterator[Packet]:
    """The IP packets of a classic pcap file of raw IP, up to where it is cut off; MAX_PACKETS at
    most. Raises Unobserved for another file.
    """
    from scapy.error import Scapy_Exception  # noqa: PLC0415  loads on first use
    from scapy.utils import RawPcapReader  # noqa: PLC0415  loads on first use

    try:
        reader = RawPcapReader(BytesIO(pcap))
    except (Scapy_Exception, EOFError) as why:
        raise Unobserved(f"not a capture: {why}", reason="capture-garbage") from why
    if reader.linktype != LINKTYPE_RAW:
        raise Unobserved(f"a capture of link type {reader.linktype}", reason="capture-garbage")
    for number, (octets, about) in enumerate(reader):
        if number == MAX_PACKETS:
            return
        if (packet := _packet(octets, about.wirelen)) is not None:
            yield packet


def count(pcap: bytes) -> int:
    """How many whole packets a classic pcap file holds. Loads nothing, and takes any octets."""
    order = "<" if pcap[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    at, number = 24, 0  # the file's header, then 16 octets before each packet
    while at + 16 <= len(pcap):
        at += 16 + int(struct.unpack_from(f"{order}I", pcap, at + 8)[0])
        number += at <= len(pcap)
    return number


def judge(
    vantage: str,
    pcap: bytes,
    *,
    peers: Collection[Address],
    own: Collection[Address] = (),
    asked: str,
    ended: str = "asked",
    lost: int = 0,
) -> Packets:
    """Count the packets to and from *peers*; where none are given, to and from whoever is not
    *own*. Pure, but for the loading of scapy.
    """
    found, seen = _counted(read(pcap), peers, own)
    families = {peer.family for peer in found}
    whole = ended == "asked" and not lost and seen < MAX_PACKETS
    return Packets(
        vantage=vantage,
        asked=asked,
        verdict=_verdict(families, whole=whole),
        peers=found,
        evidence=(
            f"{seen} packets, {len(pcap)} octets of pcap, ended: {replies.shown(ended)}, lost {lost}",
            *(
                f"{p.address}: {p.sent_packets} packets sent ({p.sent_bytes} octets),"
                f" {p.received_packets} received ({p.received_bytes} octets)"
                for p in found[:LINES_SHOWN]
            ),
        ),
    )


def _counted(
    seen: Iterator[Packet], peers: Collection[Address], own: Collection[Address]
) -> tuple[tuple[Peer, ...], int]:
    """Each peer's packets, and how many there were of all."""
    counted: dict[Address, Counter[str]] = {}
    number = 0
    for packet in seen:
        number += 1
        sent = packet.target in peers if peers else packet.source in own
        peer = packet.target if sent else packet.source
        way = "sent" if sent else "received"
        counted.setdefault(peer, Counter()).update(
            {
                f"{way}_packets": 1,
                f"{way}_bytes": packet.size_bytes,
                "begun": sent and packet.begins,
            }
        )
    in_order = sorted(counted, key=lambda address: (address.version, int(address)))
    return tuple(Peer(address=address, **counted[address]) for address in in_order), number


def _verdict(families: set[str], *, whole: bool) -> str:
    if "ipv4" in families:
        return "ipv4-seen"
    if not whole:
        return "truncated"
    return "ipv6-only" if families else "nothing-seen"


def _packet(octets: bytes, wire_bytes: int) -> Packet | None:
    version = octets[0] >> 4 if octets else 0
    if version not in _HEADS:
        return None
    head, at, size = _HEADS[version]
    if len(octets) < head:
        return None
    source, target = octets[at : at + size], octets[at + size : at + 2 * size]
    begins = _begins(octets, version)
    if version == 4:
        return Packet(IPv4Address(source), IPv4Address(target), wire_bytes, begins)
    return Packet(IPv6Address(source), IPv6Address(target), wire_bytes, begins)


def _begins(octets: bytes, version: int) -> bool:
    """Whether it is a SYN without an ACK; behind IPv6 extension headers, which no TCP of today
    sends, none is looked for.
    """
    protocol, head = (octets[9], 4 * (octets[0] & 15)) if version == 4 else (octets[6], 40)
    flags = octets[head + 13 : head + 14]
    return protocol == _TCP and bool(flags) and flags[0] & (_SYN | _ACK) == _SYN
