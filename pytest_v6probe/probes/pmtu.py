"""Do large packets get through, both ways? Path MTU discovery, RFC 8201, RFC 4821's black holes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.probes import http, replies, url
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Reply

PADDING_BYTES = 3000
"""A header field of this size fills two full segments of any Ethernet, and stays below every
server's limit.
"""
_DOWN_BYTES = 262_144
_KEPT_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Pmtu(Finding):
    """A small page, a large request and a large page from one site, all at once.

    Verdicts: ``whole``; ``black-hole-up`` (a large request gets no answer, where a small one does),
    ``black-hole-down`` (a large page stops half-way), ``black-hole`` (both); else, where even the
    small page failed, how: as `http.Http` says.
    """

    layer: ClassVar[Layer] = Layer.PATH_MTU
    speaks_of = replies.LAYERS

    name_asked: str = ""
    """The name that was connected to; empty for a literal."""
    path_mtu: int | None = field(default=None, compare=False)
    """Octets to the site, as the vantage's kernel holds it at the end."""
    down_bytes: int = field(default=0, compare=False)
    """How much of the large page came; a page of less than 3,000 octets proves nothing about the
    way down.
    """

    @property
    def whole(self) -> bool:
        """Whether everything large came through."""
        return self.verdict == "whole"


@Probe
def pmtu(url_text: str, *, large_url: str = "", ca: str = "", timeout_s: float = 4.0) -> Ask[Pmtu]:
    """GET *url_text* plainly and with 3,000 octets of header, and *large_url* (by default the
    same), over IPv6.

    Raises ValueError for a URL that cannot be asked over IPv6.
    """
    parts, large = url.parse(url_text), url.parse(large_url or url_text)
    padding = (("X-Padding", "x" * PADDING_BYTES),)
    get = partial(http.get, ca=ca, keep_bytes=_KEPT_BYTES, timeout_s=timeout_s)
    operations = (
        get(parts, to=parts.host),
        get(parts, to=parts.host, headers=padding),
        get(large, to=large.host, max_bytes=_DOWN_BYTES),
    )
    return Ask(
        operations=operations,
        wants_prefixes=True,
        judge=partial(judge, asked=url_text, name=parts.name, secure=parts.secure),
    )


def judge(seen: Seen, *, asked: str, name: str, secure: bool) -> Pmtu:
    """Compare the three exchanges. Pure."""
    control, up, down = seen.replies
    mtus = [mtu for reply in (up, down) if (mtu := replies.octets(reply, "path_mtu"))]
    received = replies.octets(down, "received_bytes")
    return Pmtu(
        vantage=seen.vantage,
        asked=f"full-size packets to and from {asked}",
        verdict=_verdict(control, up, down, secure=secure),
        name_asked=name,
        path_mtu=min(mtus, default=None),
        down_bytes=len(down.payload) if received is None else received,
        local=control.local,
        remote=control.remote,
        path=replies.path_of(control.remote, seen.nat64_prefixes),
        elapsed_s=max(reply.elapsed_s for reply in seen.replies),
        evidence=(
            f"small: {replies.said(control)}",
            f"up: {replies.said(up)}",
            f"down: {replies.said(down)}, {received} octets in all",
        ),
    )


def _verdict(control: Reply, up: Reply, down: Reply, *, secure: bool) -> str:
    if not control.payload:
        return replies.stage(control, tls=secure)
    lost_up, lost_down = not up.payload, down.outcome not in {"answered", "too-large", "closed"}
    if lost_up and lost_down:
        return "black-hole"
    if lost_up:
        return "black-hole-up"
    return "black-hole-down" if lost_down else "whole"
