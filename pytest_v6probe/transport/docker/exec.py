"""How is a program run in a container and talked to, or beside one that has no python3? Over a
connection that the engine gives away.

What the program writes comes in frames (Engine API, "Stream format"). Its input cannot be closed
by itself: closing the connection ends both, and with them the agent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.transport.channel import LAST_WORDS, Channel, printable
from pytest_v6probe.transport.docker.frames import ERRORS, Frames

if TYPE_CHECKING:
    from pytest_v6probe.transport.docker.engine import Engine
    from pytest_v6probe.transport.docker.sdk import Refusal

DYING_S = 2.0
"""How long the engine may take to say how a program ended."""
SILENT_S = 0.3
"""The same after a deadline has passed in silence: that time is over already."""
LOOK_AGAIN_S = 0.02
NOT_EXECUTABLE = frozenset({126, 127})
"""Exit statuses of an exec whose program is not there or cannot be run (docker-run(1))."""

_NO_PROGRAM = re.compile(r"not found|no such file|permission denied", re.IGNORECASE)


class DockerTransport:
    """Starts programs in one container; or, with *helper_image*, in a container of that image that
    shares its network namespace, where *container* does not have the program.
    """

    def __init__(self, engine: Engine, container: str, *, helper_image: str = "") -> None:
        self._engine = engine
        self._container = container
        self._helper_image = helper_image

    @property
    def name(self) -> str:
        """``docker exec NAME at HOST``."""
        return f"docker exec {self._container} at {self._engine.host_id}"

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        """Start *argv*. Raises VantageUnreachable (``container-absent``, ``container-stopped``,
        ``container-refused``, and the engine's own), AgentUnusable (``no-python3``) or
        DeadlinePassed.
        """
        end = monotonic() + timeout_s
        started = self._engine.execute(self._container, argv, timeout_s=timeout_s)
        if not isinstance(started, tuple):
            if self._helper_image and _NO_PROGRAM.search(started.message) and started.status != 404:
                return self._beside(argv, end)
            raise self._refused(started)
        exec_id, connection, first = started
        channel = FrameChannel(
            connection, name=self.name, first=first, ended=lambda: self._status(exec_id)
        )
        if self._helper_image and not self._runs(channel, exec_id, end):
            channel.close()
            return self._beside(argv, end)
        return channel

    def close(self) -> None:
        """Nothing is shared by the channels."""

    def _beside(self, argv: Sequence[str], end: float) -> Channel:
        """Start *argv* in a container of the helper image."""
        started = self._engine.attend(
            self._container, self._helper_image, argv, timeout_s=end - monotonic()
        )
        if not isinstance(started, tuple):
            raise AgentUnusable(
                f"{self.name}: there is no {argv[0]} in it, and the helper image "
                f"{self._helper_image} does not run: {started.message}; pull an image with python3 "
                "on that host and name it as `helper_image`",
                reason="no-python3",
            )
        helper, connection, first = started

        def remove(within_s: float) -> None:
            with suppress(Unobserved):  # it removes itself when its connection goes
                self._engine.remove_container(helper, timeout_s=within_s)

        return FrameChannel(
            connection, name=self.name, first=first, ended=lambda: "the helper ended", after=remove
        )

    def _runs(self, channel: FrameChannel, exec_id: str, end: float) -> bool:
        """Whether the program was found: it has a process, or has run and ended by itself."""
        while monotonic() < end:
            state = self._engine.executed(exec_id, timeout_s=end - monotonic())
            if not isinstance(state, dict):
                return True
            if state.get("ExitCode") is not None:
                return state["ExitCode"] not in NOT_EXECUTABLE
            if state.get("Pid"):
                return True
            channel.listen(LOOK_AGAIN_S)
        raise DeadlinePassed(f"{self.name}: it does not start", reason="deadline-passed")

    def _status(self, exec_id: str) -> str:
        try:
            state = self._engine.executed(exec_id, timeout_s=DYING_S)
        except Unobserved:
            return "the engine does not say how it ended"
        code = state.get("ExitCode") if isinstance(state, dict) else None
        return f"exit status {code}" if isinstance(code, int) else "the connection was cut"

    def _refused(self, said: Refusal) -> VantageUnreachable:
        reason = {404: "container-absent", 409: "container-stopped"}.get(
            said.status, "container-refused"
        )
        return VantageUnreachable(
            f"{self.name}: {said.message}; `docker ps` on that host shows what runs",
            reason=reason,
            vantage=self.name,
        )


class FrameChannel:
    """A `Channel` over a connection that an engine gave away; *first* came with its head.

    *ended* says how the program ended, *after* is called when the channel has been closed, with
    the seconds it may take.
    """

    def __init__(
        self,
        connection: Channel,
        *,
        name: str,
        first: bytes,
        ended: Callable[[], str],
        after: Callable[[float], None] = lambda _within_s: None,
    ) -> None:
        self._connection = connection
        self._name = name
        self._ended = ended
        self._after = after
        self._frames = Frames()
        self._heard = first
        self._output = b""
        self._words = b""
        self._over = False
        self._silent = False
        self._closed = False

    def send(self, octets: bytes, *, timeout_s: float) -> None:
        """Write all of *octets*. Raises DeadlinePassed, or AgentUnusable if the program is gone."""
        if self._over:
            raise AgentUnusable(f"{self._name}: the program is gone", reason="agent-died")
        self._connection.send(octets, timeout_s=timeout_s)

    def receive(self, *, timeout_s: float) -> bytes:
        """The next octets of standard output; ``b""`` at its end. Raises DeadlinePassed, or
        AgentUnusable for what is not frames.
        """
        end = monotonic() + timeout_s
        self._silent = True
        while not self._output and not self._over:
            self._listen(end)
            if not self._output and not self._over and monotonic() > end:
                raise DeadlinePassed(f"{self._name}: silence", reason="deadline-passed")
        self._silent = False
        octets, self._output = self._output, b""
        return octets

    def listen(self, within_s: float) -> None:
        """Take what comes within so long, for `receive` to give."""
        with suppress(DeadlinePassed):
            self._listen(monotonic() + within_s)

    def last_words(self) -> str:
        """What came on standard error at last, and how the program ended."""
        words = printable(self._words)
        return " ".join(part for part in (words, "" if self._closed else self._ended()) if part)

    def close(self) -> None:
        """Close the connection, which ends an agent."""
        if not self._closed:
            self._closed = self._over = True
            self._connection.close()
            self._after(SILENT_S if self._silent else DYING_S)

    def _listen(self, end: float) -> None:
        octets, self._heard = self._heard, b""
        octets = octets or self._connection.receive(timeout_s=end - monotonic())
        if not octets:
            self._over = True
            return
        try:
            for stream, part in self._frames.parts(octets):
                if stream in ERRORS:
                    self._words = (self._words + part)[-LAST_WORDS:]
                else:
                    self._output += part
        except ValueError as why:
            self._over = True
            raise AgentUnusable(f"{self._name}: {why}", reason="agent-garbage") from why
