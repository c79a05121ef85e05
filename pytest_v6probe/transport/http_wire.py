"""How does http.client speak over a channel? By as much of a socket as it wants, bounded in time and
size.
"""

from __future__ import annotations

import io
from time import monotonic
from typing import Any

from pytest_v6probe.errors import DeadlinePassed
from pytest_v6probe.transport.channel import Channel

MAX_HEADS_BYTES = 1 << 19
"""So much is taken before an answer's body begins, with what is read ahead of it."""
CHUNK_BYTES = 1 << 16


class HttpWire:
    """What stands for a socket. *left_bytes* is what may still come, *heard* whether anything of the
    answer has; after *stopped* nothing more is read.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._end = 0.0
        self.left_bytes = 0
        self.heard = self.stopped = False

    def begin(self, end: float) -> None:
        """Expect the next answer until *end* on the monotonic clock."""
        self._end, self.left_bytes, self.heard = end, MAX_HEADS_BYTES, False

    def sendall(self, octets: bytes) -> None:
        """Write all of *octets*. Raises what the channel raises."""
        self._channel.send(octets, timeout_s=self._end - monotonic())

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the answer is read from."""
        return io.BufferedReader(_Octets(self), CHUNK_BYTES)

    def read(self) -> bytes:
        """The next octets; ``b""`` at the end. Raises DeadlinePassed, or OverflowError for an answer
        that is too long.
        """
        if self.stopped:
            return b""
        left_s = self._end - monotonic()
        if left_s <= 0:
            raise DeadlinePassed("an answer without end", reason="deadline-passed")
        octets = self._channel.receive(timeout_s=left_s)
        self.heard = self.heard or bool(octets)
        self.left_bytes -= len(octets)
        if self.left_bytes < 0:
            raise OverflowError("an answer that is too long")
        return octets

    def close(self) -> None:
        """The channel is closed by who opened it."""


class _Octets(io.RawIOBase):
    """What an `HttpWire` reads, for io.BufferedReader."""

    def __init__(self, wire: HttpWire) -> None:
        self._wire = wire
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        octets = self._rest or self._wire.read()
        taken, self._rest = octets[: len(buffer)], octets[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)
