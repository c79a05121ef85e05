"""Which processes does the lab run, and how did they end?"""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROGRAM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TAIL_BYTES = 2000
_KEPT = frozenset({"LANG", "LC_ALL", "TERM", "TZ"})


@dataclass(slots=True, kw_only=True, eq=False)
class Processes:
    """The children of the keeper that matter by name; orphans are reaped as well, and forgotten."""

    ended: dict[int, int] = field(default_factory=dict)
    """Exit status by pid, as a shell counts it (128 + signal), of every child that has ended and
    was started here.
    """
    _known: set[int] = field(default_factory=set)

    def start(
        self,
        argv: Sequence[str],
        *,
        node_pid: int = 0,
        output: Path | None = None,
        streams: Sequence[int] = (),
    ) -> int:
        """Start *argv* in the namespaces of *node_pid* (0: the keeper's own); its pid.

        *streams* are file descriptors for standard input, output and error; without them input is
        empty and the others
        are appended to *output*. Raises LabError if the program is not here.
        """
        log = os.open(
            output or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        empty = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            wanted = tuple(streams) or (empty, log, log)
            actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(wanted)]
            whole = (*entering(node_pid), *argv) if node_pid else tuple(argv)
            pid = os.posix_spawn(
                program(whole[0]),
                whole,
                environment(),
                file_actions=actions,
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGINT),
            )
        finally:
            os.close(log)
            os.close(empty)
        self.adopt(pid)
        return pid

    def adopt(self, pid: int) -> None:
        """Remember the status of *pid*, a child that was forked elsewhere."""
        self.ended.pop(pid, None)  # numbers are used again
        self._known.add(pid)

    def reap(self) -> None:
        """Collect every child that has ended, orphans included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._known:
                code = os.waitstatus_to_exitcode(status)
                self.ended[pid] = code if code >= 0 else 128 - code

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process group that *pid* leads, if it is still there."""
        if pid not in self.ended:
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                return


def entering(node_pid: int) -> tuple[str, ...]:
    """The words before a command line that runs it in the network, mount and host-name namespaces
    of *node_pid*.
    """
    return ("nsenter", f"--target={node_pid}", "--net", "--mount", "--uts", "--")


def program(name: str) -> str:
    """The full path of *name*. Raises LabError that names `v6probe doctor`."""
    found = shutil.which(name, path=PROGRAM_PATH)
    if found is None:
        raise LabError(f"{name} is not installed; `v6probe doctor` says which package has it")
    return found


def environment() -> dict[str, str]:
    """What a process of the lab inherits: nothing of the user's but language and terminal."""
    kept = {key: value for key, value in os.environ.items() if key in _KEPT}
    return {**kept, "PATH": PROGRAM_PATH, "HOME": "/"}


def tail(log: Path) -> str:
    """The last lines of a log, for a message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
