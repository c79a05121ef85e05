"""Is a daemon ready? It is asked in its own namespace and family until it answers as it should."""

from __future__ import annotations

import errno
import re
import socket
import time
from typing import TYPE_CHECKING

from pytest_v6probe.lab import kernel
from pytest_v6probe.lab.loop import Task, Until, pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_v6probe.lab.daemon import Question

RETRY_S = 0.03
ATTEMPT_S = 0.4
MAX_ANSWER_BYTES = 4096
_LATER = {errno.EINPROGRESS, errno.EAGAIN}


def open_socket(node_pid: int, family: int, kind: socket.SocketKind) -> socket.socket:
    """A socket made in the network namespace of *node_pid*; *family* is 6 or 4."""
    with kernel.network_of(node_pid):
        return socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, kind)


def answered(
    question: Question, node_pid: int, *, until: float, alive: Callable[[], bool]
) -> Task[str]:
    """Ask until the answer matches: "" then. The last reason if the clock passes *until*, or if the
    daemon is no longer *alive*.
    """
    reason = "was not asked"
    while alive() and time.monotonic() < until:
        reason = yield from _attempt(question, node_pid)
        if not reason:
            return ""
        yield from pause(RETRY_S)
    return f"[{question.address}]:{question.port} {reason}"


def _attempt(question: Question, node_pid: int) -> Task[str]:
    kind = socket.SOCK_DGRAM if question.udp else socket.SOCK_STREAM
    with open_socket(node_pid, question.address.version, kind) as door:
        door.setblocking(False)  # noqa: FBT003  the socket's own signature
        try:
            code = door.connect_ex((str(question.address), question.port))
            if code not in {0, *_LATER}:
                return errno.errorcode.get(code, str(code))
            writable = yield Until(fd=door.fileno(), write=True, timeout_s=ATTEMPT_S)
            if not writable:
                return "does not accept a connection"
            door.send(question.send)
            return (yield from _match(question, door))
        except OSError as why:
            return errno.errorcode.get(why.errno or 0, str(why))


def _match(question: Question, door: socket.socket) -> Task[str]:
    got = b""
    while len(got) < MAX_ANSWER_BYTES:
        readable = yield Until(fd=door.fileno(), timeout_s=ATTEMPT_S)
        if not readable:
            return f"is silent after {got[:40]!r}" if got else "is silent"
        more = door.recv(MAX_ANSWER_BYTES)
        got += more
        if re.match(question.pattern, got, re.DOTALL):
            return ""
        if question.udp or not more:
            break
    return f"answers {got[:60]!r}"
