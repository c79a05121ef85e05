"""Is a TCP port open from here?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address
from typing import ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp(Finding):
    """One attempt to connect.

    Verdicts: ``open``; ``refused`` (a reset, or an ICMP port unreachable); ``timed-out`` (a
    firewall that drops, or nobody there); ``no-route``, ``unreachable``, ``prohibited``;
    ``name-error``; and the agent's other outcomes.
    """

    layer: ClassVar[Layer] = Layer.TCP
    speaks_of = replies.LAYERS

    name_asked: str = ""
    """The name that was connected to; empty for a literal."""

    @property
    def open(self) -> bool:
        """Whether the connection came to be."""
        return self.verdict == "open"


@Probe
def tcp(host: IPv6Address | str, port: int, *, timeout_s: float = 3.0) -> Ask[Tcp]:
    """Connect to *port* of *host* over IPv6 and close; a name is resolved by the vantage's own
    system resolver.
    """
    return Ask(
        operations=(wire.stream(host, port, timeout_s=timeout_s),),
        judge=partial(judge, host=host, port=port),
        wants_prefixes=True,
    )


def judge(seen: Seen, *, host: IPv6Address | str, port: int) -> Tcp:
    """Read one attempt. Pure."""
    reply = seen.replies[0]
    literal = isinstance(host, IPv6Address)
    return Tcp(
        vantage=seen.vantage,
        asked=f"TCP [{host}]:{port}" if literal else f"TCP {host}:{port}",
        verdict="open" if reply.outcome == "answered" else reply.outcome,
        name_asked="" if literal else str(host),
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=(replies.said(reply),),
    )
