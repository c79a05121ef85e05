"""What does a time server say? NTP version 4 packets and the clock offset (RFC 5905); pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

VERSION: Final = 4
CLIENT: Final = 3  # RFC 5905 §7.3, figure 10: association modes
SERVER: Final = 4
HEADER_BYTES: Final = 48  # RFC 5905 §7.3, figure 8, without extension fields and MAC
UNSYNCHRONISED_STRATUM: Final = 16  # RFC 5905 §7.3, figure 11

_LEAP = ("none", "insert", "delete", "unsynchronised")  # RFC 5905 §7.3, figure 9
_HEADER = struct.Struct(">BBbbII4sQQQQ")
_EPOCH_S = 2_208_988_800  # RFC 5905 §6, figure 4: from 1900 to 1970
_CYCLE = 1 << 64  # RFC 5905 §6: a timestamp is a 32.32 fraction of one era


@dataclass(frozen=True, slots=True, kw_only=True)
class NtpPacket:
    """One packet header. Timestamps are raw: 32 bits of seconds in an era, 32 bits of fraction.

    *leap* is ``none``, ``insert``, ``delete`` (a second, at the end of the day) or
    ``unsynchronised``. *kiss_code* is what a stratum 0 packet says (``RATE``, ``DENY``, …).
    """

    leap: str
    version: int
    mode: int
    stratum: int
    poll_s: float
    precision_s: float
    root_delay_s: float
    root_dispersion_s: float
    reference_id: bytes
    kiss_code: str
    reference: int
    originate: int
    receive: int
    transmit: int


def request(*, transmit: int) -> bytes:
    """The 48 octets of a client's request; a server's *originate* repeats *transmit*.

    *transmit* is a random number of 64 bits, not the time: only who saw the request can answer
    it, and the client's clock is not told. Raises ValueError.
    """
    if not 0 < transmit < _CYCLE:  # 0 is "unknown": RFC 5905 §6
        raise ValueError(f"a transmit timestamp has 64 bits, not all of them zero: {transmit}")
    return _HEADER.pack(VERSION << 3 | CLIENT, 0, 0, 0, 0, 0, bytes(4), 0, 0, 0, transmit)


def parse(octets: bytes) -> NtpPacket:
    """Read the header of a packet; extension fields and a MAC may follow it and are not read.

    Raises ValueError for octets that are no NTP packet.
    """
    if len(octets) < HEADER_BYTES or len(octets) % 4:  # RFC 5905 §7.3: words of 32 bits
        raise ValueError(f"{len(octets)} octets are not an NTP packet: 48 and whole words after")
    (
        first,
        stratum,
        poll,
        precision,
        delay,
        dispersion,
        reference_id,
        reference,
        originate,
        receive,
        transmit,
    ) = _HEADER.unpack_from(octets)
    version = first >> 3 & 7
    if not 1 <= version <= VERSION:
        raise ValueError(f"an NTP packet of version {version}")
    return NtpPacket(
        leap=_LEAP[first >> 6],
        version=version,
        mode=first & 7,
        stratum=stratum,
        poll_s=2.0**poll,
        precision_s=2.0**precision,
        root_delay_s=delay / (1 << 16),
        root_dispersion_s=dispersion / (1 << 16),
        reference_id=reference_id,
        kiss_code="" if stratum else _kiss_code(reference_id),
        reference=reference,
        originate=originate,
        receive=receive,
        transmit=transmit,
    )


def offset_s(packet: NtpPacket, *, sent_s: float, received_s: float) -> float:
    """How far the server's clock is ahead of the client's, in seconds (RFC 5905 §8).

    *sent_s* and *received_s* are the client's Unix seconds. The eras need not be known as long as
    the clocks are within 68 years of each other (§6). Raises ValueError where the server gave no
    times.
    """
    if not packet.receive or not packet.transmit:
        raise ValueError("the server gave no receive or no transmit timestamp")
    ahead = _signed(packet.receive - _timestamp(sent_s))
    behind = _signed(packet.transmit - _timestamp(received_s))
    return (ahead + behind) / 2 / (1 << 32)


def _timestamp(unix_s: float) -> int:
    return (int(unix_s // 1) + _EPOCH_S << 32) + round(unix_s % 1 * (1 << 32))


def _signed(difference: int) -> int:
    """A difference of two timestamps in 64 bits of two's complement (RFC 5905 §6)."""
    return (difference + _CYCLE // 2) % _CYCLE - _CYCLE // 2


def _kiss_code(reference_id: bytes) -> str:
    """RFC 5905 §7.4: four ASCII characters, left justified and zero filled; else none."""
    code = reference_id.rstrip(b"\0")
    return code.decode("ascii") if code.isalnum() else ""
