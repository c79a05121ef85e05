"""How is the kernel asked for namespaces and mounts? The calls that Python 3.11 does not offer."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWNET = 0x40000000
MS_RDONLY = 1
MS_BIND = 4096
MS_REC = 16384

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Move this process into new namespaces (unshare(2)). Raises OSError."""
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: Path, *, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount *source* on *target* in this process's mount namespace (mount(2)). Raises OSError."""
    _checked(
        _libc.mount(
            source.encode(),
            os.fsencode(target),
            kind.encode() or None,
            flags,
            data.encode() or None,
        ),
        f"mount {source} on {target}",
    )


@contextmanager
def network_of(pid: int) -> Iterator[None]:
    """Run the body in the network namespace of *pid*. What it opens stays there; this thread comes
    back.
    """
    own, other = Path("/proc/self/ns/net"), Path(f"/proc/{pid}/ns/net")
    with own.open("rb") as home, other.open("rb") as there:
        _checked(_libc.setns(there.fileno(), CLONE_NEWNET), f"setns to {pid}")
        try:
            yield
        finally:
            _checked(_libc.setns(home.fileno(), CLONE_NEWNET), "setns back")


def spare_inotify_instances(wanted: int) -> int:
    """How many instances of inotify(7), up to *wanted*, this user may still have."""
    opened: list[int] = []
    try:
        while len(opened) < wanted and (descriptor := _libc.inotify_init1(os.O_CLOEXEC)) >= 0:
            opened.append(descriptor)
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return len(opened)


def _checked(answer: int, call: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
