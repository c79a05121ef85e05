"""How is one request put to a Docker Engine, over a connection of ours, within its time and size?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from time import monotonic
from typing import Any

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, VantageUnreachable
from pytest_v6probe.transport.channel import Channel, printable
from pytest_v6probe.transport.http_wire import CHUNK_BYTES, HttpWire

MAX_BYTES = 8 << 20
"""The longest answer that is read, heads included."""
MAX_HEAD_BYTES = 65536
SHOWN_CHARACTERS = 500

Connect = Callable[[float], Channel]
"""Makes a connection to the engine within so many seconds. Raises VantageUnreachable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked. *target* is the path with its query, in ASCII."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; *body* is empty where it was handed on piece by piece."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def ask(
    connect: Connect,
    request: Request,
    *,
    name: str,
    end: float,
    max_bytes: int = MAX_BYTES,
    take: Callable[[bytes], None] | None = None,
) -> Answer:
    """Put *request* on a connection of its own, and close that.

    *end* is on the monotonic clock and for all of it. *take* is given the body of a good answer as
    it comes. Raises VantageUnreachable (``docker-unreachable``, ``docker-forbidden``,
    ``docker-certificates``, ``docker-garbage``, ``docker-no-cli``) or DeadlinePassed.
    """
    channel = connect(end - monotonic())
    wire = HttpWire(channel)
    wire.begin(end)
    try:
        return _exchange(wire, request, max_bytes, take)
    except DeadlinePassed as why:
        raise late(name) from why
    except (AgentUnusable, ConnectionError) as why:
        raise gone(name, channel.last_words() if not wire.heard else "", why) from why
    except (HTTPException, ValueError, OverflowError) as why:
        raise garbage(name, repr(why)) from why
    finally:
        channel.close()


def upgrade(
    connect: Connect, request: Request, *, name: str, end: float
) -> tuple[Channel, bytes] | Answer:
    """Put *request*, and keep the connection if the engine gives it to us: with the octets behind
    its head. Else its refusal. Raises as `ask` does.
    """
    channel = connect(end - monotonic())
    kept = False
    try:
        head, rest = _head(channel, request, name, end)
        status = head.split(b" ", 2)[1:2]
        if not head.startswith(b"HTTP/1.") or not status or not status[0][:3].isdigit():
            raise garbage(name, printable(head[:200]))
        number = int(status[0][:3])
        if number in {101, 200}:
            kept = True
            return channel, rest
        rest = rest or channel.receive(timeout_s=end - monotonic())
        return Answer(status=number, headers=(), body=rest[:MAX_HEAD_BYTES])
    except DeadlinePassed as why:
        raise late(name) from why
    except AgentUnusable as why:
        raise gone(name, channel.last_words(), why) from why
    finally:
        if not kept:
            channel.close()


def message(body: bytes) -> str:
    """What an engine says in the body of a refusal: its JSON ``message``, else what is there."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    text = said.get("message") if isinstance(said, dict) else None
    octets = text.encode("utf-8", "replace") if isinstance(text, str) else body[:MAX_HEAD_BYTES]
    return printable(octets)[:SHOWN_CHARACTERS]


def late(name: str) -> DeadlinePassed:
    """The error for an engine that did not answer in time."""
    return DeadlinePassed(
        f"{name}: the engine did not answer in time", reason="deadline-passed", vantage=name
    )


def garbage(name: str, what: str) -> VantageUnreachable:
    """The error for an answer that no Docker Engine gives."""
    return VantageUnreachable(
        f"{name}: not a Docker Engine's answer: {printable(what.encode())[:SHOWN_CHARACTERS]}",
        reason="docker-garbage",
        vantage=name,
    )


def gone(name: str, words: str, why: Exception | None = None) -> VantageUnreachable:
    """The error for a connection that ended without an answer; *words* are those of the program
    that was to carry it.
    """
    said = (words or str(why or "closed"))[:SHOWN_CHARACTERS]
    low = said.lower()
    if any(mark in low for mark in ("permission denied", "password is required", "not in the sud")):
        reason, cure = "docker-forbidden", "let the user into the group docker, or set `sudo`"
    elif _no_program(low):
        reason, cure = "docker-no-cli", "there is neither docker nor python3 to reach its socket by"
    else:
        reason, cure = "docker-unreachable", "is the engine running, is its socket the right one?"
    return VantageUnreachable(f"{name}: {said}: {cure}", reason=reason, vantage=name)


def _no_program(words: str) -> bool:
    """Whether *words* say that the program itself is missing, not the socket it was to open."""
    return (
        "not found" in words
        or "failed to execute" in words
        or "is not a docker command" in words
        or ("no such file" in words and "dial unix" not in words and "errno" not in words)
    )


def _exchange(
    wire: HttpWire, request: Request, max_bytes: int, take: Callable[[bytes], None] | None
) -> Answer:
    connection: Any = HTTPConnection("docker")
    connection.sock = wire
    headers = {**request.headers, "Host": "docker", "Connection": "close"}
    connection.request(request.method, request.target, request.body or None, headers)
    response: HTTPResponse = connection.getresponse()
    wire.left_bytes += max_bytes
    streamed = take is not None and response.status < 300
    if take is not None and streamed:
        while octets := response.read1(CHUNK_BYTES):
            take(octets)
    body = b"" if streamed else response.read(max_bytes)
    return Answer(status=response.status, headers=tuple(response.getheaders()), body=body)


def _head(channel: Channel, request: Request, name: str, end: float) -> tuple[bytes, bytes]:
    """The head of the answer to *request*, and what came behind it."""
    lines = [f"{request.method} {request.target} HTTP/1.1", "Host: docker"]
    lines += [f"{key}: {value}" for key, value in request.headers.items()]
    lines += ["Connection: Upgrade", "Upgrade: tcp", f"Content-Length: {len(request.body)}", "", ""]
    channel.send("\r\n".join(lines).encode("ascii") + request.body, timeout_s=end - monotonic())
    heard = b""
    while b"\r\n\r\n" not in heard:
        octets = channel.receive(timeout_s=end - monotonic())
        if not octets:
            raise gone(name, "" if heard else channel.last_words())
        heard += octets
        if len(heard) > MAX_HEAD_BYTES:
            raise garbage(name, "a head of more than 64 KiB")
    head, _, rest = heard.partition(b"\r\n\r\n")
    return head, rest
