"""Does the instance metadata service answer over IPv6, with a token and without? AWS IMDSv2 and its
like.

The token is a credential: it is in no finding, no evidence and no message.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import http, replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.rfc import rfc9112
from pytest_v6probe.vantage import Ask, Probe, Seen, Vantage

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.clouds.model import Metadata
    from pytest_v6probe.rfc.rfc9112 import Response

MAX_BYTES = 65_536
MAX_TOKEN_CHARACTERS = 1024
MAX_VALUE_SHOWN = 2048
_TOKEN_STATUSES = {200: "ok", 400: "token-refused", 403: "off"}
# EC2 User Guide, "Access instance metadata": 401 without a valid token, 403 when it is turned off.
_STATUSES = {401: "token-required", 403: "off", 404: "not-found"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imds(Finding):
    """One value of the metadata service, or why there is none.

    Verdicts: ``answered`` (with a token), ``allowed`` (without one); ``token-required`` (401);
    ``token-refused`` (the service gives no token); ``token-unanswered`` (it connected, and the
    answer to the request for a token never came: the sign of a response hop limit of 1 seen from a
    container); ``off`` (403: turned off); ``not-found`` (404); ``redirected`` (never followed);
    ``garbage`` (not HTTP, or not printable text); ``oversized``; ``unanswered``, ``stalled``,
    ``incomplete``; ``refused``, ``timed-out``, ``no-route`` and the agent's other outcomes.
    """

    layer: ClassVar[Layer] = Layer.HTTP
    speaks_of = replies.LAYERS

    value: str = ""


def imds(at: Vantage, path: str, *, service: Metadata, timeout_s: float = 3.0) -> Imds:
    """Get a token and then, with it, the value at *path*, from *service* over IPv6; both within
    *timeout_s* each.

    Raises Unobserved if *at* itself cannot be used, ValueError for a path that cannot stand in a
    request.
    """
    first = at.agent.run([token_request(service, timeout_s=timeout_s)])[0]
    verdict, token = read_token(first)
    if verdict != "ok":
        finding = judge_token(at.name, first, verdict, asked=path)
    else:
        second = at.agent.run([value_request(service, path, token=token, timeout_s=timeout_s)])[0]
        finding = judge(Seen(vantage=at.name, replies=(second,)), asked=path, allowed="answered")
    at.witness(finding)
    return finding


@Probe
def imds_without_token(path: str, *, service: Metadata, timeout_s: float = 3.0) -> Ask[Imds]:
    """Get the value at *path* from *service* over IPv6 without a token, as IMDSv1 did."""
    return Ask(
        operations=(value_request(service, path, timeout_s=timeout_s),),
        judge=partial(judge, asked=path, allowed="allowed"),
    )


def token_request(service: Metadata, *, timeout_s: float) -> Operation:
    """The operation that asks *service* for a session token."""
    send = rfc9112.request("PUT", service.address, service.token_path, service.token_headers)
    return _exchange(service, send, timeout_s=timeout_s)


def value_request(service: Metadata, path: str, *, token: str = "", timeout_s: float) -> Operation:
    """The operation that asks *service* for the value at *path*."""
    headers = ((service.token_header, token),) if token else ()
    send = rfc9112.request("GET", service.address, path, (*service.headers, *headers))
    return _exchange(service, send, timeout_s=timeout_s)


def judge(seen: Seen, *, asked: str, allowed: str) -> Imds:
    """Read the answer to a request for a value; *allowed* is the verdict on a good one. Pure."""
    reply = seen.replies[0]
    verdict, response = _read(reply)
    value = _text(response) if response is not None and verdict == "ok" else ""
    if verdict == "ok":
        verdict = allowed if value else "garbage"
    return Imds(
        vantage=seen.vantage,
        asked=f"metadata {asked}",
        verdict=verdict,
        value=value[:MAX_VALUE_SHOWN],
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=http.evidence(reply, response),
    )


def judge_token(vantage: str, reply: Reply, verdict: str, *, asked: str) -> Imds:
    """Why there is no value: the request for a token failed. Pure."""
    return Imds(
        vantage=vantage,
        asked=f"metadata {asked}",
        verdict=verdict,
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, ()),
        elapsed_s=reply.elapsed_s,
        evidence=(f"token: {replies.said(reply)}",),
    )


def read_token(reply: Reply) -> tuple[str, str]:
    """The verdict on the answer to `token_request`, and the token."""
    verdict, response = _read(reply)
    if verdict == "unanswered":
        return "token-unanswered", ""
    if response is None or verdict in {"redirected", "oversized"}:
        return verdict, ""
    token = _text(response)
    verdict = _TOKEN_STATUSES.get(response.status, "token-refused")
    if verdict == "ok" and not (
        token.isascii() and token.isprintable() and 0 < len(token) <= MAX_TOKEN_CHARACTERS
    ):
        return "garbage", ""
    return (verdict, token) if verdict == "ok" else (verdict, "")


def _read(reply: Reply) -> tuple[str, Response | None]:
    if reply.outcome == "too-large":
        return "oversized", None
    verdict, response = http.read(reply, secure=False)
    if response is not None and not response.complete:
        return "incomplete", None
    return (_STATUSES.get(response.status, verdict) if response is not None else verdict), response


def _text(response: Response) -> str:
    """The body as the printable line it should be; empty if it is not."""
    try:
        text = response.body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return ""
    return text if text.replace("\n", "").isprintable() else ""


def _exchange(service: Metadata, send: bytes, *, timeout_s: float) -> Operation:
    return wire.stream(
        service.address,
        service.port,
        send=send,
        until="http",
        max_bytes=MAX_BYTES,
        keep_bytes=MAX_BYTES,
        timeout_s=timeout_s,
    )
