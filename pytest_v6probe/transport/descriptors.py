"""How is a program talked to whose standard streams are file descriptors here?"""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from time import monotonic

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed
from pytest_v6probe.transport.channel import LAST_WORDS, printable

CHUNK_BYTES = 1 << 18
DYING_S = 1.0
"""How long after the end of standard output its last words may take."""


class DescriptorChannel:
    """A channel over descriptors that it owns; *source* and *sink* may be the same one.

    *ended* is called once, after they are closed, and returns a word on how the program ended;
    it is given the seconds it may take.
    """

    def __init__(
        self, *, name: str, source: int, sink: int, errors: int, ended: Callable[[float], str]
    ) -> None:
        self._name = name
        self._source, self._sink, self._errors = source, sink, errors
        self._ended = ended
        self._words = b""
        self._exit = ""
        self._closed = False
        for descriptor in (source, sink, errors):
            os.set_blocking(descriptor, False)

    def send(self, octets: bytes, *, timeout_s: float) -> None:
        """Write all of *octets*. Raises DeadlinePassed, or AgentUnusable if the program is gone."""
        end = monotonic() + timeout_s
        left = memoryview(octets)
        while left:
            try:
                left = left[os.write(self._sink, left) :]
            except BlockingIOError:
                self._wait(self._sink, selectors.EVENT_WRITE, end)
            except OSError as why:
                raise AgentUnusable(
                    f"{self._name}: the program is gone ({why.strerror})", reason="agent-died"
                ) from why

    def receive(self, *, timeout_s: float) -> bytes:
        """The next octets of standard output; ``b""`` at its end. Raises DeadlinePassed."""
        end = monotonic() + timeout_s
        while True:
            try:
                return os.read(self._source, CHUNK_BYTES)
            except BlockingIOError:
                self._wait(self._source, selectors.EVENT_READ, end)
            except OSError:
                return b""

    def last_words(self) -> str:
        """What came on standard error at last, and how the program ended."""
        if not self._closed:
            end = monotonic() + DYING_S
            try:
                while self._errors >= 0:
                    self._wait(-1, 0, end)
            except DeadlinePassed:
                pass
            self._exit = self._exit or self._ended(max(0.0, end - monotonic()))
        return " ".join(part for part in (printable(self._words), self._exit) if part)

    def close(self) -> None:
        """Close the descriptors, which ends an agent, and wait for the program's end."""
        if self._closed:
            return
        self._closed = True
        for descriptor in {self._source, self._sink, self._errors} - {-1}:
            os.close(descriptor)
        self._ended(DYING_S)

    def _wait(self, descriptor: int, events: int, end: float) -> None:
        """Wait until *descriptor* is ready, and take what comes on standard error meanwhile."""
        with selectors.DefaultSelector() as selector:
            if descriptor >= 0:
                selector.register(descriptor, events)
            if self._errors >= 0:
                selector.register(self._errors, selectors.EVENT_READ, "errors")
            ready = selector.select(max(0.0, end - monotonic()))
        if not ready:
            raise DeadlinePassed(f"{self._name}: silence", reason="deadline-passed")
        if any(key.data for key, _ in ready):
            self._take_errors()

    def _take_errors(self) -> None:
        try:
            octets = os.read(self._errors, 65536)
        except BlockingIOError:
            return
        self._words = (self._words + octets)[-LAST_WORDS:]
        if not octets:
            os.close(self._errors)
            self._errors = -1
