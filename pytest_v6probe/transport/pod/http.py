"""How is one request put to an API server, on a connection of ours, within its time and size?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Lock
from typing import Any

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.transport.channel import Channel, printable
from pytest_v6probe.transport.http_wire import CHUNK_BYTES, HttpWire

SHOWN_CHARACTERS = 300
MOST_IDLE = 8

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked. *target* is the path with its query, in ASCII."""

    method: str
    target: str
    host: str
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back. *rest* is what was read behind the head of an upgrade."""

    status: int
    headers: dict[str, str]
    """By names in lower case."""
    body: bytes = b""
    rest: bytes = b""


class Connection:
    """One connection to an API server, for one request after another. *name* is for messages."""

    def __init__(self, channel: Channel, *, name: str) -> None:
        self.channel = channel
        self._name = name
        self._wire = HttpWire(channel)
        self.reusable = False
        """Whether the last answer was read to its end and the server keeps the connection."""

    @property
    def heard(self) -> bool:
        """Whether any octet of the last answer came."""
        return self._wire.heard

    def ask(self, request: Request, *, end: float, max_bytes: int) -> Answered:
        """Put *request*; *end* is on the monotonic clock and for all of it.

        Raises VantageUnreachable (``api-closed``, ``api-garbage``, ``api-too-large``) or
        DeadlinePassed.
        """
        self.reusable = False
        try:
            return self._exchange(request, end, max_bytes)
        except DeadlinePassed as why:
            raise DeadlinePassed(
                f"{self._name}: the API server did not answer in time", reason="deadline-passed"
            ) from why
        except (AgentUnusable, ConnectionError) as why:
            raise self._unreachable("api-closed", "the connection ended without an answer") from why
        except OverflowError as why:
            raise self._unreachable(
                "api-too-large", f"an answer of more than {max_bytes} octets"
            ) from why
        except (HTTPException, ValueError) as why:
            said = printable(repr(why).encode())[:SHOWN_CHARACTERS]
            raise self._unreachable("api-garbage", f"not an API server's answer: {said}") from why

    def over(self) -> bool:
        """Whether the server ended it meanwhile, or speaks unasked."""
        try:
            self.channel.receive(timeout_s=0)
        except DeadlinePassed:
            return False
        except Unobserved:
            return True
        return True

    def close(self) -> None:
        """Close it."""
        self.channel.close()

    def _exchange(self, request: Request, end: float, max_bytes: int) -> Answered:
        self._wire.begin(end)
        connection: Any = HTTPConnection("api")
        connection.sock = self._wire
        connection.putrequest(
            request.method, request.target, skip_host=True, skip_accept_encoding=True
        )
        length = (("Content-Length", str(len(request.body))),) if request.body else ()
        for key, value in (("Host", request.host), *request.headers, *length):
            connection.putheader(key, value)
        connection.endheaders(request.body or None)
        response: HTTPResponse = connection.getresponse()
        headers = {key.lower(): value for key, value in response.getheaders()}
        if response.status == 101:
            return Answered(status=101, headers=headers, rest=self._behind(response))
        self._wire.left_bytes += max_bytes
        body = bytearray()
        while octets := response.read(CHUNK_BYTES):
            body += octets
            if len(body) > max_bytes:
                raise OverflowError
        self.reusable = not response.will_close and response.isclosed()
        return Answered(status=response.status, headers=headers, body=bytes(body))

    def _behind(self, response: HTTPResponse) -> bytes:
        """What has been read of what follows an upgrade."""
        self._wire.stopped = True
        return bytes(response.fp.read())

    def _unreachable(self, reason: str, why: str) -> VantageUnreachable:
        return VantageUnreachable(f"{self._name}: {why}", reason=reason)


class Pool:
    """Connections that wait for their next request. Threads may share it."""

    def __init__(self, connect: Callable[[float], Connection]) -> None:
        self._connect = connect
        self._lock = Lock()
        self._idle: list[Connection] = []

    def ask(self, request: Request, *, end: float, max_bytes: int) -> Answered:
        """Put *request* on a connection that waits, or on a new one. Raises what `Connection.ask`
        raises; a GET whose old connection turns out to be gone goes on a new one.
        """
        connection = self._waiting()
        if connection is not None:
            try:
                return self._asked(connection, request, end, max_bytes)
            except VantageUnreachable as why:
                gone = why.reason == "api-closed" and not connection.heard
                if request.method != "GET" or not gone:
                    raise
        return self._asked(self._connect(end), request, end, max_bytes)

    def close(self) -> None:
        """Close those that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _asked(
        self, connection: Connection, request: Request, end: float, max_bytes: int
    ) -> Answered:
        try:
            return connection.ask(request, end=end, max_bytes=max_bytes)
        finally:
            with self._lock:
                kept = connection.reusable and len(self._idle) < MOST_IDLE
                if kept:
                    self._idle.append(connection)
            if not kept:
                connection.close()

    def _waiting(self) -> Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not connection.over():
                return connection
            connection.close()
