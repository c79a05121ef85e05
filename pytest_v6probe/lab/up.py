"""How is a lab had? Whoever binds its name starts the keeper; everybody else joins and waits."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest_v6probe
from pytest_v6probe.errors import LabError, Unobserved
from pytest_v6probe.lab import cgroups, doctor, names, shapes
from pytest_v6probe.transport.netns import Keeper
from pytest_v6probe.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKLOG = 64
SAID_BYTES = 2000
JOIN_S = 1.0
"""How long the name may be bound before its keeper's socket listens."""
ANSWER_S = 2.0
"""How much longer than its own deadline the keeper's answer may take."""


def bring_up(
    shape: str = "aws",
    *,
    name: str,
    fault: str | None = None,
    guardian_pid: int | None = None,
    timeout_s: float | None = None,
) -> Keeper:
    """A connection to the lab called *name*, which is up; it is started if nobody has.

    *fault* is broken before the lab counts as up. The lab ends with the process *guardian_pid*;
    without one it lives until it
    is told to go down. *timeout_s* is for everything; None: as long as its shape may take. Raises LabError with the command that helps
    if no lab can be had here,
    DaemonNotReady if one of its daemons does not start.
    """
    names.check(name)
    shapes.check(shape)
    until = time.monotonic() + (shapes.patience_s(shape) if timeout_s is None else timeout_s)
    kind = shapes.kind(shape)
    if name not in names.up() and (lacking := doctor.lacking(kind)):
        raise LabError(doctor.report(lacking, kind))
    if os.geteuid() == 0:
        cgroups.sweep(names.up())
    with (
        _guardian(guardian_pid) as guardian,
        os.fdopen(os.memfd_create("v6probe-keeper"), "r+b") as said,
    ):
        try:
            _start(shape, name, fault or "", guardian, said)
            return _joined(name, until)
        except LabError as why:
            raise LabError(f"the lab {name} did not come up: {why}{_words(said)}") from why


def _joined(name: str, until: float) -> Keeper:
    """Connect to the keeper of *name*, whoever started it, and wait until the lab is up."""
    within_s = min(JOIN_S, until - time.monotonic())
    seen = eventually(lambda: _door(name), until=_is_open, within_s=within_s, every_s=0.01)
    if isinstance(seen, LabError):
        raise seen
    left_s = max(0.1, until - time.monotonic())
    try:
        seen.request({"do": "wait", "timeout_s": left_s}, timeout_s=left_s + ANSWER_S)
    except (LabError, Unobserved):
        seen.close()
        raise
    return seen


def _door(name: str) -> Keeper | LabError:
    try:
        return Keeper.connect(name)
    except LabError as why:
        return why


def _is_open(seen: Keeper | LabError) -> bool:
    return isinstance(seen, Keeper)


def _start(shape: str, name: str, fault: str, guardian: int, said: IO[bytes]) -> None:
    """Bind the name and start the keeper behind it, its words going to *said*; nothing happens if
    the name is taken.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        try:
            door.bind(names.address(name))
        except OSError as why:
            if why.errno == errno.EADDRINUSE:
                return
            raise LabError(f"cannot take the name of the lab {name}: {why}") from why
        door.listen(BACKLOG)
        fds = [door.fileno(), *([guardian] if guardian >= 0 else [])]
        _spawn(_command(shape, name, fault, door.fileno(), guardian), fds, said)


def _spawn(command: tuple[str, ...], fds: list[int], said: IO[bytes]) -> None:
    """Start *command* in a session of its own, as nobody's child: it outlives this process, and
    leaves it no zombie.
    """
    place = str(Path(pytest_v6probe.__file__).parents[1]) if pytest_v6probe.__file__ else ""
    paths = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH", "")]))
    try:
        subprocess.run(
            ("setsid", "--fork", *command),
            check=True,
            pass_fds=fds,
            cwd="/",
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    except (OSError, subprocess.SubprocessError) as why:
        raise LabError(
            f"cannot start {command[0]}: {why}; `v6probe doctor` says what is missing"
        ) from why


def _command(shape: str, name: str, fault: str, door: int, guardian: int) -> tuple[str, ...]:
    rootless = () if os.geteuid() == 0 else ("--user", "--map-auto", "--map-root-user")
    return (
        "unshare",
        *rootless,
        "--pid",
        "--fork",
        "--kill-child",
        "--mount",
        "--net",
        "--mount-proc",
        sys.executable,
        "-m",
        "pytest_v6probe.lab.keeper",
        "--name",
        name,
        "--shape",
        shape,
        "--door",
        str(door),
        "--guardian",
        str(guardian),
        "--fault",
        fault,
    )


@contextlib.contextmanager
def _guardian(pid: int | None) -> Iterator[int]:
    if pid is None:
        yield -1
        return
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError as why:
        raise LabError(
            f"the process {pid}, with which the lab is to end, has ended already"
        ) from why
    try:
        yield fd
    finally:
        os.close(fd)


def _words(said: IO[bytes]) -> str:
    said.seek(0)
    words = said.read()[-SAID_BYTES:].decode("utf-8", "replace").strip()
    return f"\n{words}" if words else ""
