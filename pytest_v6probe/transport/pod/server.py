"""How is an API server asked? Logged in, in time, and again where it says when (Retry-After)."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.transport.channel import printable
from pytest_v6probe.transport.dial import Dial
from pytest_v6probe.transport.pod.http import Answered, Connection, Headers, Pool, Request
from pytest_v6probe.transport.pod.kubeconfig import Settings
from pytest_v6probe.transport.pod.login import Login
from pytest_v6probe.transport.pod.secure import SecureChannel

MAX_BYTES = 64 << 20
"""The longest answer that is read."""
SHOWN_CHARACTERS = 400
KEEPALIVE_S = 15
LEAST_WAIT_S = 1.0
"""A Retry-After of less is taken for this."""

_ADVICE = {
    "refused": "nothing listens there; is the API server running, is the port right?",
    "timed-out": "nothing answers; see the security group, the endpoint's allowed CIDRs, and routes",
    "reset": "the connection is torn down; is it the API's port?",
}
"""What helps where `dial` would speak of a host's sshd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API said. A 403, 404, 409 or 422 is a value."""

    status: int
    body: dict[str, Any]
    size_bytes: int = field(default=0, compare=False)

    @property
    def good(self) -> bool:
        """Whether it did what was asked."""
        return self.status < 300

    @property
    def message(self) -> str:
        """The API's own words, where it says no."""
        said = self.body.get("message")
        text = said if isinstance(said, str) and said else f"status {self.status}"
        return printable(text.encode("utf-8", "replace"))[:SHOWN_CHARACTERS]


class Server:
    """One API server. Threads may share it. Every call raises VantageUnreachable or DeadlinePassed
    where it cannot be asked or does not answer in earnest (401, 429, 5xx).
    """

    def __init__(self, settings: Settings, *, cluster_id: str, dial: Dial) -> None:
        self.name = f"cluster {cluster_id} ({settings.name}, {settings.url})"
        self._settings = settings
        self._login = Login(settings)
        self._dial = dial
        self._pool = Pool(self._connect)
        self._closed = Event()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._host = f"{host}:{settings.port}"

    def ask(
        self,
        method: str,
        target: str,
        *,
        end: float,
        body: bytes = b"",
        content_type: str = "",
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Put one request; *end* is on the monotonic clock and for all tries together."""
        said: Headers = (("Accept", "application/json"),)
        if content_type:
            said += (("Content-Type", content_type),)
        renewed = False
        while True:
            request = self._request(method, target, said, body, end)
            answered = self._pool.ask(request, end=end, max_bytes=max_bytes)
            if answered.status == 401 and self._login.renewable and not renewed:
                renewed = True
                self._login.forget()
                continue
            if not self._again(answered, end):
                return self.read(answered)

    def upgrade(
        self, target: str, headers: Headers, *, end: float
    ) -> tuple[Connection, Answered] | Answer:
        """Ask to take over a connection, which is then the caller's; the answer, where it says no."""
        while True:
            connection, answered = self._upgraded(target, headers, end)
            if answered.status == 101:
                return connection, answered
            connection.close()
            if not self._again(answered, end):
                return self.read(answered)

    def pause(self, seconds: float) -> None:
        """Wait, unless the server is closed meanwhile."""
        self._closed.wait(max(0.0, seconds))

    def close(self) -> None:
        """Close the connections that wait. What was taken over goes on."""
        self._closed.set()
        self._pool.close()

    def read(self, answered: Answered) -> Answer:
        """The JSON of an answer. Raises VantageUnreachable (``unauthorized``, ``api-busy``,
        ``api-error``, ``api-garbage``).
        """
        try:
            body = json.loads(answered.body) if answered.body else {}
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            shown = printable(answered.body[:200])
            if answered.status < 300:
                raise self.unreachable("api-garbage", f"an answer that is no JSON object: {shown}")
            body = {"message": f"status {answered.status}: {shown}"}
        answer = Answer(status=answered.status, body=body, size_bytes=len(answered.body))
        if answer.status == 401:
            raise self.unreachable("unauthorized", self._unauthorized(answer))
        if answer.status == 429:
            raise self.unreachable("api-busy", f"it asks for less (429: {answer.message})")
        if answer.status >= 500:
            raise self.unreachable("api-error", f"status {answer.status}: {answer.message}")
        if 300 <= answer.status < 400:
            raise self.unreachable("api-garbage", f"it sends away, with status {answer.status}")
        return answer

    def unreachable(self, reason: str, why: str) -> VantageUnreachable:
        """The error for this API."""
        return VantageUnreachable(f"{self.name}: {why}", reason=reason)

    def _upgraded(self, target: str, headers: Headers, end: float) -> tuple[Connection, Answered]:
        connection = self._connect(end)
        try:
            request = self._request("GET", target, headers, b"", end)
            return connection, connection.ask(request, end=end, max_bytes=MAX_BYTES)
        except BaseException:
            connection.close()
            raise

    def _request(
        self, method: str, target: str, headers: Headers, body: bytes, end: float
    ) -> Request:
        return Request(
            method=method,
            target=self._settings.path + target,
            host=self._host,
            headers=headers + self._login.headers(end),
            body=body,
        )

    def _again(self, answered: Answered, end: float) -> bool:
        """Whether the server says when to ask again, and that is in time: then it is that time."""
        after = answered.headers.get("retry-after", "")
        if answered.status != 429 and answered.status < 500:
            return False
        if not (after.isascii() and after.isdigit() and len(after) < 6):
            return False
        wait_s = max(LEAST_WAIT_S, int(after))
        if self._closed.is_set() or monotonic() + wait_s >= end:
            return False
        self.pause(wait_s)
        return True

    def _unauthorized(self, answer: Answer) -> str:
        expired = self._login.expired()
        why = f"the client certificate {expired}" if expired else "it does not know this user"
        return f"401 {answer.message}: {why}, or its token has expired; log in anew"

    def _connect(self, end: float) -> Connection:
        context = self._login.context(end)
        settings = self._settings
        try:
            sock = self._dial(settings.host, settings.port, timeout_s=end - monotonic())
        except VantageUnreachable as why:
            said, _, advice = str(why).rpartition(": ")
            advice = _ADVICE.get(why.reason, advice)
            raise self.unreachable(why.reason, f"{said}: {advice}" if said else advice) from why
        if isinstance(sock, socket.socket):
            _keep_alive(sock)
        channel = SecureChannel(sock, name=self.name)
        try:
            named = settings.server_name or settings.host.partition("%")[0]
            channel.shake_hands(context, named, end)
        except BaseException:
            channel.close()
            raise
        return Connection(channel, name=self.name)


def _keep_alive(sock: socket.socket) -> None:
    """Keep a load balancer from forgetting a stream on which nothing is asked for minutes."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):  # as net.Dialer of Go, and so kubectl, does
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_S)
