"""What of a lab can be seen from outside? Its processes, namespaces, mounts, socket and files; and
what is left of it.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pytest_v6probe.lab import names
from pytest_v6probe.wait import eventually

GONE_S = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Taken while the lab lives; `left` says what is still there of it, later."""

    name: str
    pids: frozenset[int]
    spaces: frozenset[str]
    networks: frozenset[str]
    mounts: frozenset[str]
    files: frozenset[str]

    @classmethod
    def of(cls, name: str) -> Traces:
        own = _space(os.getpid(), "pid")
        named = {pid for pid in _pids() if name in _command(pid)} - {os.getpid()}
        spaces = frozenset(space for pid in named if (space := _space(pid, "pid")) not in {own, ""})
        inside = {pid for pid in _pids() if _space(pid, "pid") in spaces}
        networks = {_space(pid, "net") for pid in inside} - {_space(os.getpid(), "net"), ""}
        return cls(
            name=name,
            pids=frozenset(inside),
            spaces=spaces,
            networks=frozenset(networks),
            mounts=_mounts(),
            files=_files(),
        )

    @staticmethod
    def parent(pid: int) -> int:
        """The process that started *pid*."""
        return int(
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
        )

    def left(self) -> tuple[str, ...]:
        """What remains, as lines; asked until nothing does, or for as long as the kernel may take."""
        return eventually(self._left, until=lambda lines: not lines, within_s=GONE_S, every_s=0.05)

    def _left(self) -> tuple[str, ...]:
        lines = [f"socket {name}" for name in names.up() if name == self.name]
        for pid in _pids() - {os.getpid()}:
            if self.name in (command := _command(pid)) or _space(pid, "pid") in self.spaces:
                lines.append(f"process {pid} {command}")
            if _space(pid, "net") in self.networks:
                lines.append(f"network namespace of {pid}")
        lines += [f"mount {line}" for line in _mounts() - self.mounts if "v6probe" in line]
        lines += [f"file {file}" for file in _files() - self.files]
        return tuple(lines)


def _pids() -> set[int]:
    return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()}


def _command(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode("utf-8", "replace")
        )
    except OSError:
        return ""


def _space(pid: int, kind: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return ""


def _mounts() -> frozenset[str]:
    return frozenset(Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines())


def _files() -> frozenset[str]:
    places = (Path(tempfile.gettempdir()), Path("/run"), Path("/var/run"))
    return frozenset(str(file) for place in places for file in place.glob("*v6probe*"))
