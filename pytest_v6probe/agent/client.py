"""How is an agent talked to? Start it through a transport, put batches of operations to it, collect
the replies.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from time import monotonic
from typing import Any

from pytest_v6probe.agent import batch, bootstrap
from pytest_v6probe.agent.wire import Operation, Reply
from pytest_v6probe.agent.wire import reply as reply_of
from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved
from pytest_v6probe.transport.channel import SUDO, Channel, Transport, printable

MAX_NOISE_BYTES = 65536
"""So much may be written to standard output before the agent says hello: a login's banner."""
MAX_LINE_BYTES = 16 << 20
MOST_OUTSTANDING = 2048
SEND_BYTES = 1 << 20
SLACK_S = 5.0
"""How much longer than its operations' own time a batch may take: for the way there and back."""

_NO_SUDO = re.compile(
    r"password is required|terminal is required|a tty|sudoers|not allowed to|sudo: (command )?not found",
    re.IGNORECASE,
)
_NO_PROGRAM = re.compile(r"not found|no such file|unknown command|permission denied", re.IGNORECASE)


def open_agent(
    transport: Transport,
    *,
    python: str = "python3",
    vantage: str = "",
    timeout_s: float = 10.0,
    concurrency: int = 64,
    sudo: bool = False,
) -> Agent:
    """Start an agent by *python* through *transport*; at most *concurrency* operations run at once.
    With *sudo* it runs as root, without a password being asked for.

    *timeout_s* is for all of it, from the connection to the hello. Raises VantageUnreachable,
    AgentUnusable (reasons ``no-python3``, ``python-too-old``, ``sudo-refused``, ``agent-died``,
    ``agent-garbage``) or DeadlinePassed.
    """
    agent = Agent(
        transport,
        python=python,
        vantage=vantage or transport.name,
        timeout_s=timeout_s,
        concurrency=concurrency,
        sudo=sudo,
    )
    agent.open()
    return agent


class Agent:
    """An agent at a vantage. Threads may share it; their batches follow one another.

    After an error the program is ended; the next `run` starts another, as it does where the program
    ended while nothing was asked of it (its container was restarted, its connection cut).
    """

    def __init__(
        self,
        transport: Transport,
        *,
        python: str,
        vantage: str,
        timeout_s: float,
        concurrency: int,
        sudo: bool = False,
    ) -> None:
        self._transport = transport
        self._python = python
        self._vantage = vantage
        self._timeout_s = timeout_s
        self._concurrency = concurrency
        self._sudo = sudo
        self._lock = Lock()
        self._channel: Channel | None = None
        self._hello: Mapping[str, Any] = {}
        self._rest = b""
        self._last_id = 0
        self._closed = False

    @property
    def hello(self) -> Mapping[str, Any]:
        """What the agent says of itself: ``python`` (its version), ``uid``, ``pid``."""
        return self._hello

    @property
    def transport(self) -> Transport:
        """The way to the vantage."""
        return self._transport

    def open(self) -> None:
        """Start the program, if none runs. Raises what `open_agent` raises."""
        with self._lock:
            self._open()

    def run(self, operations: Sequence[Operation]) -> list[Reply]:
        """Put *operations* (built by `wire`) to the agent; the replies come in their order.

        The total time is bounded by the operations' own. Raises what `open_agent` raises.
        """
        planned = batch.jobs(operations)
        with self._lock:
            try:
                return self._exchange(self._open(), planned, len(operations))
            except BaseException:
                self._drop()
                raise

    def close(self) -> None:
        """End the agent and the connection. May be called twice."""
        with self._lock:
            self._closed = True
            self._drop()
            self._transport.close()

    def _drop(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _open(self) -> Channel:
        if self._closed:
            raise self._unusable("agent-died", "it was closed")
        if self._channel is not None and not self._over(self._channel):
            return self._channel
        self._drop()
        try:
            self._channel = self._started()
        except DeadlinePassed as why:
            raise DeadlinePassed(
                f"agent at {self._vantage}: no hello within {self._timeout_s:.1f} s",
                reason="deadline-passed",
                vantage=self._vantage,
            ) from why
        except Unobserved as why:
            why.vantage = self._vantage
            raise
        return self._channel

    def _over(self, channel: Channel) -> bool:
        """Whether the program ended since the last batch. Raises AgentUnusable if it spoke unasked."""
        try:
            octets = channel.receive(timeout_s=0.0)
        except DeadlinePassed:
            return False
        except Unobserved:
            return True
        if octets:
            raise self._unusable("agent-garbage", f"unasked it says {printable(octets[:200])}")
        return True

    def _started(self) -> Channel:
        deadline = monotonic() + self._timeout_s
        nonce = secrets.token_hex(8)
        plain = bootstrap.command(self._python, nonce=nonce, concurrency=self._concurrency)
        argv = (*SUDO, *plain) if self._sudo else plain
        channel = self._transport.start(argv, timeout_s=self._timeout_s)
        try:
            self._ship(channel, deadline)
            self._hello, self._rest = self._greeting(channel, nonce, deadline)
        except BaseException:
            channel.close()
            raise
        return channel

    def _ship(self, channel: Channel, deadline: float) -> None:
        try:
            channel.send(bootstrap.payload(), timeout_s=deadline - monotonic())
        except AgentUnusable:
            return  # it ended early: what it wrote, which is read next, says why

    def _greeting(
        self, channel: Channel, nonce: str, deadline: float
    ) -> tuple[Mapping[str, Any], bytes]:
        """Wait for the hello, whatever a login printed before; and what came behind it."""
        mark = f"{bootstrap.MARK}{nonce}:".encode("ascii")
        heard = b""
        while True:
            octets = channel.receive(timeout_s=deadline - monotonic())
            if not octets:
                raise self._never_spoke(heard, channel)
            heard += octets
            noise, found, behind = heard.partition(mark)
            line, ended, rest = behind.partition(b"\n")
            if found and ended:
                return self._read_hello(line), rest
            if len(noise) > MAX_NOISE_BYTES or len(line) > MAX_NOISE_BYTES:
                raise self._unusable(
                    "agent-garbage",
                    "no hello in the first 64 KiB it wrote: " + printable(heard[-200:]),
                )

    def _read_hello(self, line: bytes) -> Mapping[str, Any]:
        if line.startswith(bootstrap.TOO_OLD.encode("ascii")):
            raise self._too_old(f"python {printable(line[len(bootstrap.TOO_OLD) :][:20])}")
        try:
            hello = json.loads(line)
        except (ValueError, RecursionError):
            hello = None
        if not isinstance(hello, dict):
            raise self._unusable("agent-garbage", f"its hello is {printable(line[:200])}")
        return hello

    def _never_spoke(self, noise: bytes, channel: Channel) -> AgentUnusable:
        words = " ".join(part for part in (printable(noise[-500:]), channel.last_words()) if part)
        if "nknown option: -I" in words:
            return self._too_old("a python older than 3.4")
        if self._sudo and _NO_SUDO.search(words):
            return self._unusable(
                "sudo-refused",
                f"sudo says no ({words}); allow it without a password, or unset the host's `sudo`",
            )
        if _NO_PROGRAM.search(words):
            return self._unusable(
                "no-python3",
                f"no {self._python} there ({words}); install Python "
                "3.6 or newer, or set the host's `python`",
            )
        return self._unusable("agent-died", f"it ended before its hello ({words})")

    def _too_old(self, what: str) -> AgentUnusable:
        return self._unusable(
            "python-too-old",
            f"{what} is too old, 3.6 is the oldest that will do; set the host's `python`",
        )

    def _unusable(self, reason: str, why: str) -> AgentUnusable:
        return AgentUnusable(
            f"agent at {self._vantage}: {why}", reason=reason, vantage=self._vantage
        )

    def _exchange(self, channel: Channel, planned: Sequence[batch.Job], count: int) -> list[Reply]:
        within_s = batch.limit_s(planned, self._concurrency, SLACK_S)
        deadline = monotonic() + within_s
        replies: list[Reply | None] = [None] * count
        waiting: dict[int, batch.Job] = {}
        unsent = list(reversed(planned))
        while unsent or waiting:
            while unsent and len(waiting) < MOST_OUTSTANDING:
                self._send_some(channel, unsent, waiting, deadline)
            try:
                octets = channel.receive(timeout_s=deadline - monotonic())
            except DeadlinePassed as why:
                raise DeadlinePassed(
                    f"{self._vantage} did not finish within {within_s:.1f} s: {len(waiting) + len(unsent)}"
                    f" of {len(planned)} operations are unanswered",
                    reason="deadline-passed",
                    vantage=self._vantage,
                ) from why
            if not octets:
                raise self._unusable(
                    "agent-died",
                    f"it ended with {len(waiting)} operations unanswered ({channel.last_words()})",
                )
            for line in self._lines(octets):
                self._take(line, waiting, replies)
        return [reply for reply in replies if reply is not None]

    def _send_some(
        self,
        channel: Channel,
        unsent: list[batch.Job],
        waiting: dict[int, batch.Job],
        deadline: float,
    ) -> None:
        parts, size = [], 0
        while unsent and size < SEND_BYTES and len(waiting) < MOST_OUTSTANDING:
            self._last_id += 1
            parts.append(batch.encoded(unsent[-1].operation, self._last_id))
            waiting[self._last_id] = unsent.pop()
            size += len(parts[-1])
        channel.send(b"[" + b",".join(parts) + b"]\n", timeout_s=deadline - monotonic())

    def _lines(self, octets: bytes) -> Iterator[bytes]:
        *lines, rest = octets.split(b"\n")
        if lines:
            lines[0] = self._rest + lines[0]
            self._rest = rest
        else:
            self._rest += rest
        if len(self._rest) > MAX_LINE_BYTES:
            raise self._unusable("agent-garbage", "a line of more than 16 MiB")
        return iter(lines)

    def _take(
        self, line: bytes, waiting: dict[int, batch.Job], replies: list[Reply | None]
    ) -> None:
        try:
            for message in json.loads(line):
                job = waiting.pop(message["id"])
                for place, reply in job.replies(reply_of(message)):
                    replies[place] = reply
        except (ValueError, LookupError, TypeError, RecursionError) as why:
            raise self._unusable(
                "agent-garbage", f"{printable(line[:200])} is no reply ({type(why).__name__})"
            ) from why
