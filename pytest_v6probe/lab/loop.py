"""Who runs next in the keeper? One thread, many tasks: generators that yield what they wait for."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """What a task waits for: *fd* being ready to read (or *write*), at most *timeout_s*; without
    *fd*, that long.
    """

    fd: int = -1
    write: bool = False
    timeout_s: float | None = None


Task = Generator[Until, bool, R]
"""A task is sent True when its file descriptor became ready, False when the time was up. `yield
from` composes tasks.
"""


class Loop:
    """Runs tasks until `stop`. A file descriptor is waited for by one task at a time."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Task[None], int]] = []
        self._waiting: dict[int, Task[None]] = {}
        self._numbers = itertools.count()
        self._armed: dict[int, int] = {}
        self._stopped = False

    def start(self, task: Task[None]) -> None:
        """Begin *task* now; it runs until its first yield before this returns."""
        wait = next(task, None)
        if wait is not None:
            self._arm(task, wait)

    def stop(self) -> None:
        """Make `run` return after the step that is under way."""
        self._stopped = True

    def run(self) -> None:
        """Run tasks until `stop` was called. An error in a task ends the loop: tasks answer for
        their own errors.
        """
        while not self._stopped:
            for key, _ in self._selector.select(self._pause_s()):
                task = self._waiting.pop(key.fd)
                self._selector.unregister(key.fd)
                self._armed.pop(id(task), None)
                self._resume(task, ready=True)
            self._expire()

    def _resume(self, task: Task[None], *, ready: bool) -> None:
        try:
            wait = task.send(ready)
        except StopIteration:
            return
        self._arm(task, wait)

    def _arm(self, task: Task[None], wait: Until) -> None:
        if wait.fd >= 0:
            self._selector.register(
                wait.fd, selectors.EVENT_WRITE if wait.write else selectors.EVENT_READ
            )
            self._waiting[wait.fd] = task
        if wait.timeout_s is not None:
            number = next(self._numbers)
            self._armed[id(task)] = number
            heapq.heappush(self._timers, (time.monotonic() + wait.timeout_s, number, task, wait.fd))

    def _pause_s(self) -> float | None:
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - time.monotonic())

    def _expire(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, number, task, fd = heapq.heappop(self._timers)
            if self._armed.get(id(task)) != number:
                continue  # its file descriptor was ready before the time was up
            del self._armed[id(task)]
            if fd >= 0:
                self._selector.unregister(fd)
                del self._waiting[fd]
            self._resume(task, ready=False)


def pause(seconds: float) -> Task[None]:
    """Let the other tasks run for *seconds*."""
    yield Until(timeout_s=seconds)
