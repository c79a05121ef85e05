"""What does a reply say that every judge wants to know: the path taken, the broken layer, a line to
show?

Replies come from a machine under test: nothing here trusts the shape of what is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING

from pytest_v6probe.agent import wire
from pytest_v6probe.result import Endpoint, Layer, Path
from pytest_v6probe.rfc import rfc6052

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_v6probe.agent.wire import Reply

TRANSLATED = (rfc6052.WELL_KNOWN_PREFIX, rfc6052.LOCAL_USE_PREFIX)
"""Prefixes that lead to a translator wherever they are seen (RFC 6052 §2.1, RFC 8215)."""

SHOWN_CHARACTERS = 160

LAYERS = {
    "no-address": Layer.ADDRESS,
    "no-route": Layer.ROUTE,
    "no-nameserver": Layer.RESOLVER,
    "name-error": Layer.ANSWER,
    "tls-error": Layer.TLS,
    "tls-unanswered": Layer.TLS,
    "stalled": Layer.PATH_MTU,
    **dict.fromkeys(("timed-out", "refused", "reset", "unreachable", "prohibited"), Layer.TCP),
}
"""The rungs that the verdicts on a failed connection speak of."""


def path_of(remote: Endpoint | None, prefixes: Iterable[IPv6Network]) -> Path | None:
    """The way to *remote*: through NAT64 if it lies in one of *prefixes* or a well-known one. None:
    nowhere.
    """
    if remote is None:
        return None
    if not isinstance(remote.address, IPv6Address):
        return Path.IPV4
    translated = any(remote.address in prefix for prefix in (*TRANSLATED, *prefixes))
    return Path.NAT64 if translated else Path.NATIVE


def stage(reply: Reply, *, tls: bool = False) -> str:
    """The outcome of a TCP exchange as a verdict that says how far it came.

    ``unanswered``: it connected and nothing came back. ``tls-unanswered``: nor did the handshake.
    ``stalled``: an answer began, and stopped. ``incomplete``: the peer closed in the middle. Else
    the agent's own word.
    """
    if reply.outcome == "timed-out" and number(reply, "connect_s") is not None:
        if reply.payload:
            return "stalled"
        return "tls-unanswered" if tls and number(reply, "tls_s") is None else "unanswered"
    if reply.outcome in {"closed", "reset"} and reply.payload:
        return "incomplete"
    return reply.outcome


def said(reply: Reply) -> str:
    """One line on what came back: the outcome, the agent's word on it, the ICMP error that says so and
    who sent it, how much, and from where.
    """
    words = [reply.outcome]
    if reply.detail:
        words.append(f"({shown(reply.detail)})")
    if isinstance(icmp := reply.fields.get("icmp"), Mapping):
        words.append(
            shown(f"by ICMP type {icmp.get('type')} code {icmp.get('code')} of {icmp.get('from')}")
        )
    if reply.payload:
        words.append(f"with {octets(reply, 'received_bytes') or len(reply.payload)} octets")
    if reply.remote is not None:
        words.append(f"from {reply.remote}")
    words.append(f"after {reply.elapsed_s * 1000:.1f} ms")
    return " ".join(words)


def shown(octets: bytes | str) -> str:
    """The beginning of *octets*, one printable line of at most 160 characters."""
    text = octets[: SHOWN_CHARACTERS + 1]
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def number(reply: Reply, key: str) -> float | None:
    """The number in a field of *reply*; None where there is none."""
    value = reply.fields.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def octets(reply: Reply, key: str) -> int | None:
    """The whole number in a field of *reply*, such as a count of octets; None if none."""
    value = reply.fields.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def files(reply: Reply) -> dict[str, bytes]:
    """The files of a `wire.read` reply, path to octets; none where the reply has none."""
    try:
        return {str(path): content for path, content in wire.files(reply).items()}
    except (ValueError, TypeError, AttributeError):
        return {}
