"""How is a program on an SSH host talked to? Its standard output and error are read side by side."""

from __future__ import annotations

from contextlib import suppress
from threading import Event
from time import monotonic
from typing import Any

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed
from pytest_v6probe.transport.channel import LAST_WORDS, printable

CHUNK_BYTES = 1 << 18
DYING_S = 1.0
"""How long after the end of standard output the exit status may take."""


class SshChannel:
    """A `Channel` over one of paramiko's, which it owns.

    Its buffers wake an event, not the pipe behind its fileno(): closing that while octets come makes
    paramiko's reader write to a descriptor that is gone, which ends the whole connection.
    """

    def __init__(self, channel: Any, *, name: str) -> None:
        self._channel = channel
        self._name = name
        self._words = b""
        self._stirred = Event()
        for buffer in (channel.in_buffer, channel.in_stderr_buffer):
            buffer.set_event(self._stirred)

    def send(self, octets: bytes, *, timeout_s: float) -> None:
        """Write all of *octets*. Raises DeadlinePassed, or AgentUnusable if the program is gone."""
        try:
            self._channel.settimeout(max(0.001, timeout_s))
            self._channel.sendall(octets)
        except TimeoutError as why:
            raise self._late() from why
        except (OSError, EOFError) as why:
            raise AgentUnusable(
                f"{self._name}: the program is gone ({why})", reason="agent-died"
            ) from why

    def receive(self, *, timeout_s: float) -> bytes:
        """The next octets of standard output; ``b""`` at its end. Raises DeadlinePassed."""
        end = monotonic() + timeout_s
        while True:
            self._take_errors()
            if self._channel.recv_ready():
                break
            if self._channel.eof_received or self._channel.closed:
                break  # what came before the end may still be there
            left_s = end - monotonic()
            if left_s <= 0 or not self._stirred.wait(left_s):
                raise self._late()
        return bytes(self._channel.recv(CHUNK_BYTES))

    def last_words(self) -> str:
        """What came on standard error at last, and the exit status."""
        self._channel.status_event.wait(DYING_S)
        self._take_errors()
        status = self._channel.exit_status
        ended = "killed, or the connection was cut" if status < 0 else f"exit status {status}"
        return " ".join(part for part in (printable(self._words), ended) if part)

    def close(self) -> None:
        """Close the channel, which ends an agent."""
        with suppress(EOFError, OSError):  # the connection has ended, and the channel with it
            self._channel.close()

    def _take_errors(self) -> None:
        while self._channel.recv_stderr_ready():
            self._words = (self._words + self._channel.recv_stderr(65536))[-LAST_WORDS:]

    def _late(self) -> DeadlinePassed:
        return DeadlinePassed(f"{self._name}: silence", reason="deadline-passed")
