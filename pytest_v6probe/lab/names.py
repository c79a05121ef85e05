"""What are labs called, and which run here? A name is an abstract socket: it ends with its lab."""

from __future__ import annotations

import os
import re
import socket
import struct
from pathlib import Path

from pytest_v6probe.errors import LabError

PREFIX = "v6probe-"
_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", re.ASCII)


def check(name: str) -> None:
    """Raises LabError unless *name* can be a lab's: letters, digits, dot, dash and underscore, at
    most 80.
    """
    if not _ALLOWED.fullmatch(name):
        raise LabError(
            f"{name!r} cannot be the name of a lab: letters, digits, '.', '_' and '-', "
            "at most 80, a letter or digit first"
        )


def address(name: str) -> str:
    """The address of the keeper's socket (unix(7), abstract)."""
    return f"\0{PREFIX}{name}"


def up(sockets: str | None = None) -> tuple[str, ...]:
    """The names of the labs of this machine, sorted. *sockets* is the text of /proc/net/unix."""
    text = (
        Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace")
        if sockets is None
        else sockets
    )
    marked = f"@{PREFIX}"
    last = (line.rsplit(" ", 1)[-1] for line in text.splitlines())
    return tuple(sorted({word.removeprefix(marked) for word in last if word.startswith(marked)}))


def mine() -> tuple[str, ...]:
    """The names of the labs of this machine whose keepers listen to this user, sorted."""
    return tuple(name for name in up() if _keeper(name)[1] == os.geteuid())


def keeper_pid(name: str) -> int:
    """The process id of the keeper of the lab *name*, as this process counts. Raises LabError."""
    pid, _ = _keeper(name)
    if not pid:
        raise LabError(f"no lab named {name} is up")
    return pid


def _keeper(name: str) -> tuple[int, int]:
    """Process and user id of who listens behind *name*; 0 and -1 if nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.connect(address(name))
        except OSError:
            return 0, -1
        return peer(probe)


def peer(connection: socket.socket) -> tuple[int, int]:
    """Process and user id of the other end of *connection*, as the kernel vouches for them."""
    layout = struct.Struct("3i")  # struct ucred, unix(7)
    octets = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, layout.size)
    pid, uid, _ = layout.unpack(octets)
    return int(pid), int(uid)


def outside_pid(keeper: int, inside: int) -> int:
    """What the process that the keeper counts as *inside* is called out here. Raises LabError if it
    is gone.
    """
    for child in Path(f"/proc/{keeper}/task/{keeper}/children").read_text(encoding="ascii").split():
        status = Path(f"/proc/{child}/status").read_text(encoding="utf-8")
        numbers = next(
            (line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), []
        )
        if numbers and numbers[-1] == str(inside):
            return int(child)
    raise LabError(f"the keeper {keeper} has no process {inside} any more")
