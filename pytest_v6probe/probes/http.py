"""Does an HTTP request get an answer, by which address and path, and is it the same over both
families? RFC 9110.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies, url
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.rfc import rfc9112
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.probes.url import Url
    from pytest_v6probe.rfc.rfc9112 import Response

MAX_BYTES = 262_144
"""A longer page is read only so far."""

HEADERS = (("User-Agent", "pytest-v6probe"), ("Accept", "*/*"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Http(Finding):
    """One GET over IPv6. Redirects are reported, never followed.

    Verdicts: ``ok`` (status 2xx), ``redirected`` (3xx), ``status-404`` and the like; ``garbage``
    (not HTTP); ``unanswered`` (it connected, and nothing came back), ``stalled`` (an answer began
    and stopped: often a lost packet-too-big), ``incomplete`` (the peer closed in the middle);
    ``tls-error``, ``tls-unanswered``; ``timed-out``, ``refused``, ``no-route``, ``name-error`` and
    the agent's other outcomes before that.
    """

    layer: ClassVar[Layer] = Layer.HTTP
    speaks_of = replies.LAYERS

    name_asked: str = ""
    """The name that was connected to; empty for a literal."""
    status: int | None = None
    location: str = ""
    body_sha256: str = ""
    body_bytes: int = 0

    @property
    def answered(self) -> bool:
        """Whether an HTTP response came, whatever its status."""
        return self.status is not None


@Probe
def http(
    url_text: str, *, address: IPv6Address | None = None, ca: str = "", timeout_s: float = 4.0
) -> Ask[Http]:
    """GET *url_text* over IPv6, from *address* if given (by the literal, as ``curl --connect-to``),
    else by its name.

    *ca* is a PEM text of authorities to trust for https. Raises ValueError for a URL that cannot be
    asked over IPv6.
    """
    parts = url.parse(url_text)
    request = get(parts, to=address or parts.host, ca=ca, timeout_s=timeout_s)
    return Ask(
        operations=(request,),
        wants_prefixes=True,
        judge=partial(
            judge, asked=url_text, name="" if address else parts.name, secure=parts.secure
        ),
    )


def get(
    parts: Url,
    *,
    to: IPv6Address | str,
    family: int = 6,
    ca: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    max_bytes: int = MAX_BYTES,
    keep_bytes: int = MAX_BYTES,
    timeout_s: float,
) -> Operation:
    """The operation that GETs *parts* from *to*."""
    send = rfc9112.request("GET", parts.authority, parts.target, (*HEADERS, *headers))
    settings = (
        {"server_name": str(parts.host), "alpn": ["http/1.1"], "ca": ca} if parts.secure else None
    )
    return wire.stream(
        to,
        parts.port,
        family=family,
        send=send,
        until="http",
        tls=settings,
        max_bytes=max_bytes,
        keep_bytes=keep_bytes,
        timeout_s=timeout_s,
    )


def judge(seen: Seen, *, asked: str, name: str, secure: bool) -> Http:
    """Read one exchange. Pure."""
    reply = seen.replies[0]
    verdict, response = read(reply, secure=secure)
    body = response.body if response else b""
    return Http(
        vantage=seen.vantage,
        asked=f"GET {asked}",
        verdict=verdict,
        name_asked=name,
        status=response.status if response else None,
        location=replies.shown(response.header("location")) if response else "",
        body_sha256=sha256(body).hexdigest() if response else "",
        body_bytes=len(body),
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=evidence(reply, response),
    )


def read(reply: Reply, *, secure: bool) -> tuple[str, Response | None]:
    """The verdict on an answer to `get`, and the response if there is a whole head of one."""
    if reply.outcome not in {"answered", "too-large"}:
        return replies.stage(reply, tls=secure), None
    try:
        response = rfc9112.parse(reply.payload, ended=reply.outcome == "answered")
    except ValueError:
        return "garbage", None
    if 300 <= response.status < 400:  # RFC 9110 §15.4
        return "redirected", response
    ok = 200 <= response.status < 300  # RFC 9110 §15.3
    return "ok" if ok else f"status-{response.status}", response


def evidence(reply: Reply, response: Response | None) -> tuple[str, ...]:
    """What came back, in a line or two."""
    if response is None:
        return (
            (replies.said(reply), replies.shown(reply.payload))
            if reply.payload
            else (replies.said(reply),)
        )
    times = ", ".join(
        f"{key} {value * 1000:.1f} ms"
        for key in ("connect_s", "tls_s", "first_byte_s")
        if (value := replies.number(reply, key)) is not None
    )
    return (replies.said(reply), replies.shown(f"HTTP {response.status} {response.reason}"), times)
