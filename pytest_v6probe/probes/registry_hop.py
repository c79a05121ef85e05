"""What did one server of an image's chain say to one request? A hop: where it went, and the
verdict.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_v6probe.agent import wire, wire_requests
from pytest_v6probe.probes import replies
from pytest_v6probe.probes.registry_names import layer_is_resolver
from pytest_v6probe.result import Layer
from pytest_v6probe.rfc import oci_distribution, rfc5280, rfc9112

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.agent.wire_requests import Ask
    from pytest_v6probe.probes.registry_names import Place
    from pytest_v6probe.probes.url import Url
    from pytest_v6probe.result import Path
    from pytest_v6probe.rfc.rfc5280 import Certificate
    from pytest_v6probe.rfc.rfc9112 import Response

MAX_HEAD_BYTES = 65536
WORKS = frozenset({"ok", "redirected", "token-wanted"})
HEADERS = (("User-Agent", "pytest-v6probe"), ("Accept-Encoding", "identity"))

_STATUSES = {401: "unauthorised", 403: "unauthorised", 404: "not-found", 429: "rate-limited"}
_TLS = (
    ("expired", "tls-expired"),
    ("not yet valid", "tls-expired"),
    ("mismatch", "tls-name-mismatch"),
    ("doesn't match", "tls-name-mismatch"),
    ("not valid for", "tls-name-mismatch"),
    ("self-signed", "tls-untrusted"),
    ("self signed", "tls-untrusted"),
    ("unable to get", "tls-untrusted"),
    ("signature failure", "tls-untrusted"),
)
"""What OpenSSL's and Python's words on a certificate mean (x509_vfy.h, X509_V_ERR_*)."""
_ANSWER = frozenset({"no-aaaa", "no-records", "nxdomain", "servfail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One request to one server.

    *role*: ``registry`` (its /v2/), ``token``, ``index``, ``manifest``, ``config``, ``layer``.
    Verdicts: ``ok``, ``redirected``, ``token-wanted`` (401 to the first request), and those of
    `PullChain`.
    """

    role: str
    host: str
    verdict: str
    ipv6_addresses: tuple[IPv6Address, ...] = ()
    ipv4_addresses: tuple[IPv4Address, ...] = ()
    address: IPv6Address | None = None
    """The one that was really used."""
    path: Path | None = None
    certificate: Certificate | None = None
    """The server's own, where TLS accepted it."""
    status: int | None = None
    elapsed_s: float = field(default=0.0, compare=False)
    """From the request on; of the first on a connection, from connecting on."""
    said: str = field(default="", compare=False)

    @property
    def works(self) -> bool:
        """Whether the chain went on from here."""
        return self.verdict in WORKS

    @property
    def families(self) -> frozenset[str]:
        """The families that its name has addresses of."""
        has = (("ipv6", self.ipv6_addresses), ("ipv4", self.ipv4_addresses))
        return frozenset(family for family, addresses in has if addresses)

    @property
    def layer(self) -> Layer:
        """The rung that its verdict speaks of."""
        return layer_of(self.verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One thing to get: for which *role*, from where, what of it is hashed instead of returned."""

    role: str
    parts: Url
    text: str = field(repr=False)
    """The URL, which may carry a signature that is as good as a password."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content: bytes = field(default=b"", repr=False)
    """What is sent by POST; empty: it is a GET."""
    digest: str = ""
    """A blob's: its octets stay at the vantage."""
    size_bytes: int = 0
    range_bytes: int = 0
    trusted: bool = True
    """Whether the user named the host, and not a server."""

    @property
    def body_bytes(self) -> int:
        """So much of a blob is wanted."""
        return self.range_bytes or self.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What came of a `Fetch`: its last hop's place among the hops, and the response if there is a
    head of one.
    """

    hop: int
    verdict: str
    response: Response | None = field(default=None, repr=False)


def operation(
    fetches: Sequence[Fetch],
    to: IPv6Address,
    *,
    ca: str,
    step_s: float,
    timeout_s: float,
    line: str = "",
    keep: bool = False,
) -> Operation:
    """The operation that asks *to* for all of them, which are of one origin, on one connection; there
    must be one within *step_s*. It is that of an earlier operation of the same *line*, if one was to
    *keep*. Raises ValueError for what cannot stand in a request.
    """
    parts, last = fetches[0].parts, None if keep else fetches[-1]
    tls = {"server_name": str(parts.host), "alpn": ["http/1.1"], "ca": ca}
    return wire_requests.requests(
        to,
        parts.port,
        [_ask(fetch, close=fetch is last) for fetch in fetches],
        tls=tls if parts.secure else None,
        line=line,
        keep=keep,
        connect_timeout_s=min(step_s, timeout_s),
        timeout_s=timeout_s,
    )


def _ask(fetch: Fetch, *, close: bool) -> Ask:
    headers, method = (*HEADERS, *fetch.headers), "POST" if fetch.content else "GET"
    headers += (("Connection", "close" if close else "keep-alive"),)
    if fetch.content:
        headers += (
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", str(len(fetch.content))),
        )
    if fetch.range_bytes:
        headers += (("Range", f"bytes=0-{fetch.range_bytes - 1}"),)
    send = rfc9112.request(method, fetch.parts.authority, fetch.parts.target, headers)
    return wire_requests.ask(
        send + fetch.content,
        max_bytes=_blob_bytes(fetch) if fetch.digest else wire.MAX_REPLY_BYTES,
        keep_bytes=MAX_HEAD_BYTES if fetch.digest else wire.MAX_REPLY_BYTES,
        digest="sha256" if fetch.digest else "",
    )


def layer_of(verdict: str) -> Layer:
    """The rung that a verdict on a registry's server speaks of."""
    if layer_is_resolver(verdict):
        return Layer.RESOLVER
    if verdict in _ANSWER:
        return Layer.ANSWER
    if verdict == "black-hole":
        return Layer.TCP
    if verdict.startswith("tls-"):
        return Layer.TLS
    return replies.LAYERS.get(verdict, Layer.REGISTRY)


def unconnected(fetch: Fetch, reply: Reply) -> bool:
    """Whether there was no connection to ask anything on."""
    return replies.number(reply, "tls_s" if fetch.parts.secure else "connect_s") is None


def hop(
    fetch: Fetch,
    place: Place,
    reply: Reply | None,
    *,
    verdict: str,
    response: Response | None = None,
    path: Path | None = None,
) -> Hop:
    """What is known of one request."""
    return Hop(
        role=fetch.role,
        host=fetch.parts.authority,
        verdict=verdict,
        ipv6_addresses=place.addresses,
        ipv4_addresses=place.ipv4_addresses,
        address=place.addresses[0] if reply is not None and place.addresses else None,
        path=path,
        certificate=certificate(reply) if reply else None,
        status=response.status if response else None,
        elapsed_s=reply.elapsed_s if reply else 0.0,
        said=_said(reply, response) if reply is not None else _known(place),
    )


def read(fetch: Fetch, reply: Reply, place: Place) -> tuple[str, Response | None]:
    """The verdict on the reply to `operation`, and the response if there is a head of one."""
    if reply.outcome not in {"answered", "too-large"}:
        return failed(reply, place, secure=fetch.parts.secure), None
    blob = bool(fetch.digest)
    try:  # a blob's octets are not here, so its body is not looked at
        response = rfc9112.parse(reply.payload, ended=True, method="HEAD" if blob else "GET")
    except ValueError:
        return "too-large" if reply.outcome == "too-large" else "garbage", None
    verdict = _of_status(response)
    if verdict == "ok" and reply.outcome == "too-large":
        return "too-large", response
    if verdict != "ok":
        return verdict, response
    if not blob:
        return "ok" if response.complete else "incomplete", response
    return _of_blob(fetch, reply, response), response


def failed(reply: Reply, place: Place, *, secure: bool) -> str:
    """The verdict on a request that brought no response: how far it came, and whose fault that
    seems.
    """
    stage = replies.stage(reply, tls=secure)
    if stage == "timed-out" and place.ipv4_addresses:
        return "black-hole"
    if stage == "tls-error":
        said = reply.detail.lower()
        return next((kind for words, kind in _TLS if words in said), "tls-error")
    return stage


def certificate(reply: Reply) -> Certificate | None:
    """The server's certificate, as the handshake saw it."""
    agreed = reply.fields.get("tls")
    text = agreed.get("certificate") if isinstance(agreed, Mapping) else None
    try:
        return _certificate(text) if isinstance(text, str) else None
    except (NotBase64, ValueError):
        return None


@lru_cache(maxsize=16)
def _certificate(text: str) -> Certificate:
    """It is the same for every request on a connection."""
    return rfc5280.parse(b64decode(text))


def _of_status(response: Response) -> str:
    if 200 <= response.status < 300:
        return "ok"
    if response.status in {301, 302, 303, 307, 308}:  # RFC 9110 §15.4
        return "redirected"
    return _STATUSES.get(response.status, f"status-{response.status}")


def _of_blob(fetch: Fetch, reply: Reply, response: Response) -> str:
    size, found = replies.octets(reply, "body_bytes"), reply.fields.get("body_sha256")
    if fetch.range_bytes and response.status == 206:  # RFC 9110 §15.3.7
        return "ok" if size == min(fetch.range_bytes, fetch.size_bytes) else "incomplete"
    same = size == fetch.size_bytes and fetch.digest == f"sha256:{found}"
    return "ok" if same else "digest-mismatch"


def _blob_bytes(fetch: Fetch) -> int:
    """The blob, its head, and what chunked coding adds."""
    return fetch.size_bytes + fetch.size_bytes // 16 + MAX_HEAD_BYTES


def _known(place: Place) -> str:
    both = (("AAAA", place.addresses), ("A", place.ipv4_addresses))
    return "; ".join(f"{kind}: {', '.join(map(str, found[:4])) or 'none'}" for kind, found in both)


def _said(reply: Reply, response: Response | None) -> str:
    if response is None:
        return replies.said(reply)
    codes = oci_distribution.error_codes(response.body) if response.status >= 400 else ()
    words = " ".join((f"HTTP {response.status}", *codes))
    return f"{replies.shown(words)} from {reply.remote} after {reply.elapsed_s * 1000:.1f} ms"
