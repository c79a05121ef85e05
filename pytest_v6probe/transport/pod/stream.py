"""How is a program in a pod talked to? Its streams travel in the messages of one WebSocket
(kubernetes.io, "Kubernetes API Concepts"; k8s.io/apimachinery, util/remotecommand).

The first octet of a message names the stream. Version 5 can close one by itself, version 4 cannot:
an agent never waits for the end of its input, and the end of the connection is the end of both.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.rfc import rfc6455
from pytest_v6probe.rfc.rfc6455 import Frame, Frames
from pytest_v6probe.transport.channel import LAST_WORDS, printable

if TYPE_CHECKING:
    from pytest_v6probe.transport.pod.api import ClusterApi
    from pytest_v6probe.transport.pod.http import Answered, Connection
    from pytest_v6probe.transport.pod.server import Answer

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
MESSAGE_BYTES = 32 << 10
"""So much is put into one message, as kubectl does."""
MAX_STATUS_BYTES = 65536
PARTING_S = 0.3
"""How long it may take to say that a connection ends."""
SHOWN_CHARACTERS = 500

_NO_PROGRAM = re.compile(r"executable file not found|no such file|permission denied", re.IGNORECASE)
_NO_KUBELET = re.compile(r"error dialing backend|dial tcp", re.IGNORECASE)
_QUERY = re.compile(r"\?command=[^\s\"]*")
"""What of a kubelet's URL would hide the rest of a message."""
_NO_CONTAINER = re.compile(r"container not found|container is not running|not created or running")


def open_stream(
    api: ClusterApi,
    pod_path: str,
    *,
    container: str,
    argv: Sequence[str],
    name: str,
    end: float,
    after: Callable[[], str] = lambda: "",
) -> PodStream | Answer:
    """Start *argv* in a container of the pod at *pod_path*; the API's answer, where it says no.

    *after* says what has become of the pod, where a stream was cut. Raises VantageUnreachable or
    DeadlinePassed.
    """
    key = b64encode(secrets.token_bytes(16)).decode("ascii")
    said = [("command", word) for word in argv]
    said += [("container", container), ("stdin", "true"), ("stdout", "true"), ("stderr", "true")]
    headers = (*rfc6455.request(key), ("Sec-WebSocket-Protocol", f"{V5}, {V4}"))
    taken = api.upgrade(f"{pod_path}/exec?{urlencode(said)}", headers, end=end)
    if not isinstance(taken, tuple):
        return taken
    connection, answered = taken
    protocol = answered.headers.get("sec-websocket-protocol", "")
    agreed = answered.headers.get("sec-websocket-accept") == rfc6455.accepted(key)
    if protocol not in {V5, V4} or not agreed:
        connection.close()
        api.stream_ended()
        raise VantageUnreachable(
            f"{name}: what answers there is no WebSocket of Kubernetes (protocol {protocol!r})",
            reason="api-garbage",
        )
    return PodStream(
        connection, answered, name=name, protocol=protocol, ended=api.stream_ended, after=after
    )


class PodStream:
    """A `Channel` over the connection of one exec, which it owns.

    *ended* is called once it is closed; *after* says what has become of the pod.
    """

    def __init__(
        self,
        connection: Connection,
        answered: Answered,
        *,
        name: str,
        protocol: str,
        ended: Callable[[], None],
        after: Callable[[], str],
    ) -> None:
        self._channel = connection.channel
        self._name = name
        self._protocol = protocol
        self._ended = ended
        self._after = after
        self._frames = Frames()
        self._heard = answered.rest
        self._stream: int | None = None
        self._output, self._words, self._status = b"", b"", b""
        self._spoke = self._over = self._closed = False

    @property
    def status(self) -> Mapping[str, Any]:
        """How the program ended (a ``Status`` of Kubernetes); empty if that was not said."""
        try:
            said = json.loads(self._status)
        except (ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def absent(self) -> bool:
        """Whether the program was not there, or could not be run."""
        return exit_code(self.status) in {126, 127} or bool(_NO_PROGRAM.search(self._refusal()))

    def send(self, octets: bytes, *, timeout_s: float) -> None:
        """Write all of *octets*. Raises DeadlinePassed, or AgentUnusable if the program is gone."""
        if self._over:
            raise AgentUnusable(f"{self._name}: the program is gone", reason="agent-died")
        end, left = monotonic() + timeout_s, memoryview(octets)
        while left:
            payload = bytes([STDIN]) + left[:MESSAGE_BYTES]
            left = left[MESSAGE_BYTES:]
            self._put(rfc6455.BINARY, payload, end)

    def receive(self, *, timeout_s: float) -> bytes:
        """The next octets of standard output; ``b""`` at its end. Raises DeadlinePassed,
        AgentUnusable for what is not messages, VantageUnreachable (``container-absent``,
        ``kubelet-unreachable``, ``exec-refused``) where nothing was started.
        """
        end = monotonic() + timeout_s
        while not self._output and not self._over:
            self._listen(end)
            if not self._output and not self._over and monotonic() > end:
                raise DeadlinePassed(f"{self._name}: silence", reason="deadline-passed")
        if not self._output and not self._spoke:
            self._complain()
        octets, self._output = self._output, b""
        self._spoke = self._spoke or bool(octets)
        return octets

    def last_words(self) -> str:
        """What came on standard error at last, and how the program ended."""
        words = printable(self._words)
        return " ".join(part for part in (words, "" if self._closed else self._how()) if part)

    def close(self) -> None:
        """Close the connection, which ends an agent. May be called twice."""
        if self._closed:
            return
        with suppress(Unobserved):
            if not self._over:
                end = monotonic() + PARTING_S
                if self._protocol == V5:
                    self._put(rfc6455.BINARY, bytes([CLOSE, STDIN]), end)
                self._put(rfc6455.CLOSE, (1000).to_bytes(2, "big"), end)  # RFC 6455 §7.4.1
        self._closed = self._over = True
        self._channel.close()
        self._ended()

    def _put(self, opcode: int, payload: bytes, end: float) -> None:
        frame = rfc6455.encoded(Frame(opcode=opcode, payload=payload), os.urandom(4))
        self._channel.send(frame, timeout_s=end - monotonic())

    def _listen(self, end: float) -> None:
        octets, self._heard = self._heard, b""
        octets = octets or self._channel.receive(timeout_s=end - monotonic())
        if not octets:
            self._over = True
            return
        try:
            for frame in self._frames.take(octets):
                self._take(frame, end)
        except ValueError as why:
            self._over = True
            raise AgentUnusable(f"{self._name}: {why}", reason="agent-garbage") from why

    def _take(self, frame: Frame, end: float) -> None:
        if frame.opcode == rfc6455.PING:
            with suppress(AgentUnusable):
                self._put(rfc6455.PONG, frame.payload, end)
        elif frame.opcode == rfc6455.CLOSE:
            self._over = True
        elif frame.opcode != rfc6455.PONG:
            self._carry(frame)

    def _carry(self, frame: Frame) -> None:
        """Add the octets of a message to their stream; a message may come in several frames."""
        payload = frame.payload
        if self._stream is None and payload:
            self._stream, payload = payload[0], payload[1:]
        if self._stream == STDOUT:
            self._output += payload
        elif self._stream == STDERR:
            self._words = (self._words + payload)[-LAST_WORDS:]
        elif self._stream == STATUS:
            self._status = (self._status + payload)[:MAX_STATUS_BYTES]
        if frame.final:
            self._stream = None

    def _refusal(self) -> str:
        """Why nothing was started; empty if something was, or that was not said."""
        status = self.status
        if status.get("status") != "Failure" or exit_code(status) is not None:
            return ""
        return _message(status)

    def _complain(self) -> None:
        """Raise what the API says of an exec that did not come to be."""
        refusal = self._refusal()
        if not refusal or _NO_PROGRAM.search(refusal):
            return
        reason = "container-absent" if _NO_CONTAINER.search(refusal) else "exec-refused"
        if _NO_KUBELET.search(refusal):
            reason = "kubelet-unreachable"
            refusal += "; the API server does not reach port 10250 of the pod's node"
        raise VantageUnreachable(f"{self._name}: {refusal}", reason=reason, vantage=self._name)

    def _how(self) -> str:
        status = self.status
        code = exit_code(status)
        said = _message(status) if code is None else f"exit status {code}"
        if not said or (code or 0) > 128:  # ended by a signal: perhaps with its container
            said = " ".join(part for part in (said or "the stream was cut", self._after()) if part)
        return said


def exit_code(status: Mapping[str, Any]) -> int | None:
    """The exit status in a ``Status`` of an exec; None if the program did not end by itself."""
    if status.get("status") == "Success":
        return 0
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes if isinstance(causes, list) else ():
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode":
            text = str(cause.get("message"))
            return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None
    return None


def _message(status: Mapping[str, Any]) -> str:
    text = status.get("message")
    said = _QUERY.sub("", text) if isinstance(text, str) else ""
    return printable(said.encode("utf-8", "replace"))[:SHOWN_CHARACTERS]
