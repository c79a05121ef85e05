"""Is a site the same over IPv6 and IPv4? Both families are asked at once, by name
(Internet.nl#1705).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.probes import http, replies, url
from pytest_v6probe.result import Endpoint, Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity(Finding):
    """One page over IPv6 (*local*, *remote*, *path*) and over IPv4 (*ipv4_remote*).

    Verdicts: ``same`` (status and body); ``same-status`` (the body changes with every request, even
    over IPv4 alone, so that only status and content type can be compared, and they agree);
    ``different-status``, ``different-content``; ``ipv6-failed`` and ``ipv4-failed`` (the other
    family works), ``both-failed``.
    """

    layer: ClassVar[Layer] = Layer.HTTP

    name_asked: str = ""
    """The name of the site."""
    ipv6_verdict: str
    ipv4_verdict: str
    ipv4_remote: Endpoint | None = None

    @property
    def same(self) -> bool:
        """Whether both families gave the same page, as far as it can be compared."""
        return self.verdict in {"same", "same-status"}

    @property
    def broken_layer(self) -> Layer:
        """Where IPv6 failed, the rung that says; else HTTP."""
        return replies.LAYERS.get(self.ipv6_verdict, self.layer)


@Probe
def parity(url_text: str, *, ca: str = "", timeout_s: float = 4.0) -> Ask[Parity]:
    """GET *url_text* by name over IPv6 once and over IPv4 twice: the second time shows whether it
    stays the same.

    The vantage needs both families. Raises ValueError for a URL without a name.
    """
    parts = url.parse(url_text)
    if not parts.name:
        raise ValueError(f"a literal has one family only: {url_text!r}")
    operations = tuple(
        http.get(parts, to=parts.host, family=family, ca=ca, timeout_s=timeout_s)
        for family in (6, 4, 4)
    )
    return Ask(
        operations=operations,
        wants_prefixes=True,
        judge=partial(judge, asked=url_text, name=parts.name, secure=parts.secure),
    )


def judge(seen: Seen, *, asked: str, name: str, secure: bool) -> Parity:
    """Compare three pages. Pure."""
    ipv6, ipv4, again = (_Page(reply, secure=secure) for reply in seen.replies)
    over_ipv6, over_ipv4 = seen.replies[0], seen.replies[1]
    return Parity(
        vantage=seen.vantage,
        asked=f"GET {asked} over both families",
        name_asked=name,
        verdict=_verdict(ipv6, ipv4, again),
        ipv6_verdict=ipv6.verdict,
        ipv4_verdict=ipv4.verdict,
        ipv4_remote=over_ipv4.remote,
        local=over_ipv6.local,
        remote=over_ipv6.remote,
        path=replies.path_of(over_ipv6.remote, seen.nat64_prefixes),
        elapsed_s=max(reply.elapsed_s for reply in seen.replies),
        evidence=(
            f"IPv6: {replies.said(over_ipv6)}",
            f"IPv4: {replies.said(over_ipv4)}",
            *(
                f"{label}: {page}"
                for label, page in (("IPv6", ipv6), ("IPv4", ipv4), ("IPv4", again))
            ),
        ),
    )


class _Page:
    """One page as it is compared."""

    def __init__(self, reply: Reply, *, secure: bool) -> None:
        self.verdict, response = http.read(reply, secure=secure)
        self.came = response is not None
        self.status = response.status if response else 0
        self.kind = response.header("content-type") if response else ""
        self.digest = sha256(response.body).hexdigest() if response else ""

    def __str__(self) -> str:
        return replies.shown(f"{self.verdict} {self.status} {self.kind} sha256 {self.digest[:16]}")


def _verdict(ipv6: _Page, ipv4: _Page, again: _Page) -> str:
    if not ipv6.came:
        return "ipv6-failed" if ipv4.came else "both-failed"
    if not ipv4.came:
        return "ipv4-failed"
    if ipv6.status != ipv4.status:
        return "different-status"
    if ipv6.digest == ipv4.digest:
        return "same"
    if ipv4.digest == again.digest:
        return "different-content"
    return "same-status" if ipv6.kind == ipv4.kind else "different-content"
