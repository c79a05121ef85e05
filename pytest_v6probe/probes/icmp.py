"""Does it answer ping? ICMPv6 echo, RFC 4443 §4."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from ipaddress import IPv6Address

_LAYERS = {verdict: layer for verdict, layer in replies.LAYERS.items() if layer is not Layer.TCP}
"""ICMP itself is what failed where the request went out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(Finding):
    """One echo request and what came back.

    Verdicts: ``answered``; ``timed-out``; ``no-route``, ``unreachable``, ``prohibited`` (an ICMP
    error, or the host's own kernel); ``name-error`` (the name has no IPv6 address);
    ``not-permitted`` (no ping socket for the vantage's user); and the agent's other outcomes.
    """

    layer: ClassVar[Layer] = Layer.ICMP
    speaks_of = _LAYERS

    name_asked: str = ""
    """The name that was pinged; empty for a literal."""
    round_trip_s: float | None = field(default=None, compare=False)


@Probe
def ping(host: IPv6Address | str, *, timeout_s: float = 3.0) -> Ask[Ping]:
    """Send one echo request to *host*; a name is resolved by the vantage's own system resolver, to
    IPv6 only.
    """
    return Ask(
        operations=(wire.echo(host, timeout_s=timeout_s),),
        judge=partial(judge, host=host),
        wants_prefixes=True,
    )


def judge(seen: Seen, *, host: IPv6Address | str) -> Ping:
    """Read one exchange. Pure."""
    reply = seen.replies[0]
    return Ping(
        vantage=seen.vantage,
        asked=f"ping {host}",
        verdict=reply.outcome,
        name_asked=host if isinstance(host, str) else "",
        round_trip_s=reply.elapsed_s if reply.outcome == "answered" else None,
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=(replies.said(reply),),
    )
