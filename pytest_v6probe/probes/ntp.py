"""Does the time server answer over IPv6, and is it synchronised? RFC 5905."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.rfc import rfc5905
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from pytest_v6probe.agent.wire import Reply
    from pytest_v6probe.rfc.rfc5905 import NtpPacket

PORT = 123
_LAYERS = {"no-address": Layer.ADDRESS, "no-route": Layer.ROUTE}
"""The time service is what failed, unless the question did not leave the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ntp(Finding):
    """One exchange with one time server.

    Verdicts: ``synchronised``; ``unsynchronised`` (leap indicator 3, or stratum 0 or 16);
    ``kiss-of-death`` (RFC 5905 §7.4, with *kiss_code*); ``unsolicited`` (an answer to a question
    that was not asked: §8's bogus packet); ``malformed``; or why none came: ``timed-out``,
    ``refused``, ….
    """

    layer: ClassVar[Layer] = Layer.NTP
    speaks_of = _LAYERS

    stratum: int | None = None
    leap: str = ""
    """``none``, ``insert``, ``delete``, ``unsynchronised``; empty: nobody said."""
    kiss_code: str = ""
    offset_s: float | None = field(default=None, compare=False)
    """How far the server's clock is ahead of the vantage's, in seconds; None: it was not measured.
    """


@Probe
def ntp(server: IPv6Address, *, timeout_s: float = 3.0) -> Ask[Ntp]:
    """Ask *server* for the time once, from an unprivileged port."""
    cookie = secrets.randbits(64) or 1
    question = wire.udp(server, PORT, rfc5905.request(transmit=cookie), timeout_s=timeout_s)
    return Ask(operations=(question,), judge=partial(judge, server=server, cookie=cookie))


def judge(seen: Seen, *, server: IPv6Address, cookie: int) -> Ntp:
    """Read one answer per RFC 5905 §8. Pure."""
    reply = seen.replies[0]
    packet = _packet(reply)
    verdict = reply.outcome if reply.outcome != "answered" else _verdict(packet, cookie)
    trusted = packet if verdict in {"synchronised", "unsynchronised", "kiss-of-death"} else None
    return Ntp(
        vantage=seen.vantage,
        asked=f"time of {server}",
        verdict=verdict,
        stratum=trusted.stratum if trusted else None,
        leap=trusted.leap if trusted else "",
        kiss_code=trusted.kiss_code if trusted else "",
        offset_s=_offset_s(reply, packet) if packet and verdict == "synchronised" else None,
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=(replies.said(reply),),
    )


def _packet(reply: Reply) -> NtpPacket | None:
    try:
        return rfc5905.parse(reply.payload)
    except ValueError:
        return None


def _verdict(packet: NtpPacket | None, cookie: int) -> str:
    if packet is None or packet.mode != rfc5905.SERVER:
        return "malformed"
    if packet.originate != cookie:
        return "unsolicited"
    if packet.kiss_code:
        return "kiss-of-death"
    synchronised = (
        packet.leap != "unsynchronised" and 0 < packet.stratum < rfc5905.UNSYNCHRONISED_STRATUM
    )
    return "synchronised" if synchronised and packet.transmit else "unsynchronised"


def _offset_s(reply: Reply, packet: NtpPacket) -> float | None:
    received_s = replies.number(reply, "clock_s")
    if received_s is None:
        return None
    try:
        return rfc5905.offset_s(packet, sent_s=received_s - reply.elapsed_s, received_s=received_s)
    except ValueError:
        return None
