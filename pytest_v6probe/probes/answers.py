"""What became of one DNS question: which answer, or why none? RFC 1035 §4.1.1, RFC 2308 §2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Layer
from pytest_v6probe.rfc import rfc1035

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.rfc.rfc1035 import Message

PORT = 53
ID_OCTETS = 2
_LENGTH_OCTETS = 2  # RFC 1035 §4.2.2: over TCP a message follows its length

_SERVER_FAILED = (
    "timed-out",
    "refused",
    "reset",
    "closed",
    "unreachable",
    "prohibited",
    "unanswered",
    "stalled",
    "incomplete",
    "malformed",
    "truncated",
    "query-refused",
    "no-nameserver",
    "too-large",
)
LAYERS = {**replies.LAYERS, **dict.fromkeys(_SERVER_FAILED, Layer.RESOLVER)}
"""The rungs that DNS verdicts speak of: the resolver where it gave no usable answer."""
_RCODES = {"NXDOMAIN": "nxdomain", "REFUSED": "query-refused"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or why none came.

    Verdicts: ``answered``, ``nodata`` (the name has no such record), ``nxdomain``,
    ``query-refused`` (rcode REFUSED), another rcode in lower case; ``truncated``, ``malformed``
    (octets that do not answer the question: truncated on the wire, looping, another id, another
    question); or the agent's outcome (``timed-out``, ``refused``, …).
    """

    verdict: str
    message: Message | None = None
    why: str = ""


def ask(server: IPv6Address | None, query: bytes, *, timeout_s: float) -> Operation:
    """Put *query* to *server*, or to the first IPv6 resolver of the vantage's own resolv.conf, over
    UDP.
    """
    return wire.udp(
        server,
        PORT,
        query,
        match=ID_OCTETS,
        timeout_s=timeout_s,
        scope=(server.scope_id if server is not None else None) or "",
    )


def ask_by_tcp(server: IPv6Address | None, query: bytes, *, timeout_s: float) -> Operation:
    """Put *query* over TCP (RFC 7766)."""
    framed = len(query).to_bytes(_LENGTH_OCTETS, "big") + query
    return wire.stream(
        server if server is not None else "",
        PORT,
        send=framed,
        until="u16",
        max_bytes=1 << 17,
        keep_bytes=1 << 17,
        timeout_s=timeout_s,
    )


def read(reply: Reply, query: bytes) -> Answer:
    """Read the reply to `ask`."""
    if reply.outcome != "answered":
        return Answer(reply.outcome)
    return _read(reply.payload, query)


def read_tcp(reply: Reply, query: bytes) -> Answer:
    """Read the reply to `ask_by_tcp`."""
    if reply.outcome != "answered":
        return Answer(replies.stage(reply))
    return _read(reply.payload[_LENGTH_OCTETS:], query)


def _read(octets: bytes, query: bytes) -> Answer:
    try:
        message = rfc1035.parse(octets, asked=query)
    except ValueError as why:
        return Answer("malformed", why=replies.shown(str(why)))
    if message.truncated:
        return Answer("truncated", message)
    if message.rcode == "NOERROR":
        wanted = message.question_type
        found = any(record.type == wanted for record in message.answers)
        return Answer("answered" if found else "nodata", message)
    return Answer(_RCODES.get(message.rcode) or message.rcode.lower(), message)
