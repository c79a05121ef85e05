"""Does a TLS handshake succeed, with a certificate that the host trusts? RFC 8446, RFC 9525."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls(Finding):
    """One handshake.

    Verdicts: ``verified``; ``tls-error`` (with the reason in the evidence: an alert, a certificate
    of another name or authority, expired, …); ``tls-unanswered`` (it connected, and the handshake
    got no answer: often a lost packet-too-big); ``timed-out``, ``refused``, ``name-error`` and the
    agent's other outcomes before that.
    """

    layer: ClassVar[Layer] = Layer.TLS
    speaks_of = replies.LAYERS

    name_asked: str = ""
    """The name that was connected to; empty for a literal."""
    version: str = ""
    cipher: str = ""


@Probe
def tls(
    host: IPv6Address | str,
    port: int = 443,
    *,
    server_name: str = "",
    ca: str = "",
    timeout_s: float = 5.0,
) -> Ask[Tls]:
    """Connect to *port* of *host* over IPv6, shake hands, verify for *server_name* (by default
    *host*), close.

    *ca* is a PEM text of authorities to trust instead of the vantage's own.
    """
    settings = {"server_name": server_name or str(host), "alpn": [], "ca": ca}
    return Ask(
        operations=(wire.stream(host, port, tls=settings, timeout_s=timeout_s),),
        judge=partial(judge, host=host, port=port),
        wants_prefixes=True,
    )


def judge(seen: Seen, *, host: IPv6Address | str, port: int) -> Tls:
    """Read one handshake. Pure."""
    reply = seen.replies[0]
    agreed = _agreed(reply)
    literal = isinstance(host, IPv6Address)
    return Tls(
        vantage=seen.vantage,
        asked=f"TLS [{host}]:{port}" if literal else f"TLS {host}:{port}",
        verdict="verified" if reply.outcome == "answered" else replies.stage(reply, tls=True),
        name_asked="" if literal else str(host),
        version=replies.shown(str(agreed.get("version", ""))),
        cipher=replies.shown(str(agreed.get("cipher", ""))),
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=(replies.said(reply),),
    )


def _agreed(reply: Reply) -> Mapping[str, Any]:
    agreed = reply.fields.get("tls")
    return agreed if isinstance(agreed, Mapping) else {}
