"""Does the resolver answer over IPv6: by UDP, by TCP, and with a large answer? RFC 1035 §4.2, RFC
6891, RFC 7766.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_v6probe.probes import answers, replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.rfc import rfc1035
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from pytest_v6probe.probes.answers import Answer

QUESTION = (".", "NS")
"""A question that every recursive resolver answers (RFC 9609 primes it with this one)."""
EDNS_BYTES = 1232
"""What DNS operators agreed on in 2020: it fits the minimum MTU of IPv6 (1280) without fragments.
"""
PLAIN_UDP_BYTES = 512  # RFC 1035 §2.3.4

_RESOLVED = frozenset({"answered", "nodata", "nxdomain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver(Finding):
    """One resolver, asked one plain question.

    Verdicts: ``answered`` (an answer that says something: records, no data, or no such name),
    ``timed-out``, ``refused``, ``truncated``, ``malformed``, ``servfail``, … as in
    `answers.Answer`.
    """

    layer: ClassVar[Layer] = Layer.RESOLVER
    speaks_of = answers.LAYERS

    over: str
    size_bytes: int = 0
    edns_bytes: int | None = None
    """The UDP payload size that the resolver announces; None: it speaks no EDNS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeAnswer(Finding):
    """One resolver, asked for more than 512 octets, over UDP with EDNS and over TCP at the same
    time.

    Verdicts: ``answered`` (whole, over UDP; or cut with TC set, and whole over TCP); ``small``
    (this resolver's answer has no more than 512 octets, which proves nothing); ``large-udp-lost``
    (TCP has it, over UDP nothing comes: large datagrams get lost); ``truncated-without-tcp``;
    ``timed-out`` (over both); else as `Resolver`.
    """

    layer: ClassVar[Layer] = Layer.RESOLVER
    speaks_of = answers.LAYERS

    size_bytes: int = 0
    edns_bytes: int | None = None


@Probe
def resolver(
    server: IPv6Address | None = None,
    *,
    over: Literal["udp", "tcp"] = "udp",
    timeout_s: float = 3.0,
) -> Ask[Resolver]:
    """Ask *server*, or the vantage's own first IPv6 resolver, for the name servers of the root."""
    query = rfc1035.query(*QUESTION, edns_bytes=EDNS_BYTES)
    ask = answers.ask_by_tcp if over == "tcp" else answers.ask
    return Ask(
        operations=(ask(server, query, timeout_s=timeout_s),),
        judge=partial(judge, server=server, over=over, query=query),
    )


@Probe
def large_answer(
    server: IPv6Address | None = None,
    *,
    name: str = ".",
    rtype: str = "DNSKEY",
    timeout_s: float = 3.0,
) -> Ask[LargeAnswer]:
    """Ask *server*, or the vantage's own first IPv6 resolver, for the keys of the root: about 900
    octets.

    Give another *name* and *rtype* where that question is not answered. Raises ValueError for what
    cannot be asked.
    """
    query = rfc1035.query(name, rtype, edns_bytes=EDNS_BYTES)
    operations = (
        answers.ask(server, query, timeout_s=timeout_s),
        answers.ask_by_tcp(server, query, timeout_s=timeout_s),
    )
    return Ask(
        operations=operations, judge=partial(judge_large, asked=f"{name} {rtype}", query=query)
    )


def judge(seen: Seen, *, server: IPv6Address | None, over: str, query: bytes) -> Resolver:
    """Read one exchange. Pure."""
    reply = seen.replies[0]
    answer = answers.read_tcp(reply, query) if over == "tcp" else answers.read(reply, query)
    return Resolver(
        vantage=seen.vantage,
        asked=f"resolver {server or 'of the host'} over {over}",
        verdict="answered" if answer.verdict in _RESOLVED else answer.verdict,
        over=over,
        size_bytes=answer.message.size_bytes if answer.message else 0,
        edns_bytes=answer.message.edns_bytes if answer.message else None,
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=tuple(filter(None, (replies.said(reply), answer.why))),
    )


def judge_large(seen: Seen, *, asked: str, query: bytes) -> LargeAnswer:
    """Compare what came over UDP with what came over TCP. Pure."""
    datagram, stream = seen.replies
    by_udp, by_tcp = answers.read(datagram, query), answers.read_tcp(stream, query)
    whole = next((a.message for a in (by_udp, by_tcp) if a.verdict in _RESOLVED), None)
    announced = by_udp.message or by_tcp.message
    return LargeAnswer(
        vantage=seen.vantage,
        asked=asked,
        verdict=_verdict_large(by_udp, by_tcp),
        size_bytes=whole.size_bytes if whole else 0,
        edns_bytes=announced.edns_bytes if announced else None,
        local=datagram.local,
        remote=datagram.remote,
        path=replies.path_of(datagram.remote, seen.nat64_prefixes),
        elapsed_s=max(datagram.elapsed_s, stream.elapsed_s),
        evidence=tuple(
            filter(
                None,
                (
                    f"UDP: {replies.said(datagram)}",
                    by_udp.why,
                    f"TCP: {replies.said(stream)}",
                    by_tcp.why,
                ),
            )
        ),
    )


def _verdict_large(by_udp: Answer, by_tcp: Answer) -> str:
    tcp_works = by_tcp.verdict in _RESOLVED
    if by_udp.verdict == "truncated":
        return _sized(by_tcp) if tcp_works else "truncated-without-tcp"
    if by_udp.verdict == "timed-out" and tcp_works:
        return "large-udp-lost"
    return _sized(by_udp) if by_udp.verdict in _RESOLVED else by_udp.verdict


def _sized(answer: Answer) -> str:
    large = answer.message is not None and answer.message.size_bytes > PLAIN_UDP_BYTES
    return "answered" if large else "small"
