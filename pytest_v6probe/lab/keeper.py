"""Who owns a running lab? The keeper, PID 1 of its namespaces: its end is the lab's end."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_v6probe.errors import V6ProbeError
from pytest_v6probe.lab import answers, cgroups, names, shapes
from pytest_v6probe.lab.answers import Answer, Answers, Message
from pytest_v6probe.lab.loop import Loop, Task, Until, pause
from pytest_v6probe.lab.process import Processes
from pytest_v6probe.lab.running import Lab

if TYPE_CHECKING:
    from types import FrameType

MAX_MESSAGE_BYTES = 65536
SEND_S = 10.0
BACKLOG = 64
BUSY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keeper:
    """The server: one task a connection, so that a slow request holds up nobody else's."""

    answers: Answers
    loop: Loop
    door: socket.socket

    def run(self, fault: str) -> None:
        """Bring the lab up (with *fault*, if any) and answer requests until the end."""
        self.loop.start(self._accept())
        self.loop.start(self.answers.bring_up(fault))
        self.loop.run()

    def _accept(self) -> Task[None]:
        self.door.setblocking(False)  # noqa: FBT003  the socket's own signature
        while True:
            yield Until(fd=self.door.fileno())
            try:
                connection, _ = self.door.accept()
            except OSError:  # the peer has gone, or too much is open
                yield from pause(BUSY_S)
                continue
            connection.setblocking(False)  # noqa: FBT003  the socket's own signature
            self.loop.start(self._serve(connection))

    def _serve(self, connection: socket.socket) -> Task[None]:
        with connection:
            _, uid = names.peer(connection)
            if uid != os.getuid():
                return
            while True:
                yield Until(fd=connection.fileno())
                try:
                    octets = connection.recv(MAX_MESSAGE_BYTES)
                except OSError:
                    return
                if not octets:
                    return
                reply, fds = yield from self._answer(octets)
                sent = yield from _send(connection, reply, fds)
                if not sent:
                    return

    def _answer(self, octets: bytes) -> Task[Answer]:
        try:
            message = json.loads(octets)
            handler = self.answers.handlers()[message["do"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return _refusal(f"not a request that this keeper knows: {octets[:200]!r}"), []
        try:
            return (yield from handler(message))
        except (V6ProbeError, OSError) as why:
            return _refusal(str(why), answers.kind(why)), []
        except (KeyError, TypeError, ValueError, OverflowError) as why:
            return _refusal(f"{message['do']}: bad request: {why!r}"), []


def _refusal(error: str, kind: str = "lab") -> Message:
    return {"ok": False, "kind": kind, "error": error}


def _send(connection: socket.socket, reply: Message, fds: list[int]) -> Task[bool]:
    octets = json.dumps(reply).encode()
    try:
        writable = yield Until(fd=connection.fileno(), write=True, timeout_s=SEND_S)
        if not writable:
            return False
        socket.send_fds(connection, [octets], fds)
    except OSError:
        return False
    finally:
        for fd in fds:
            os.close(fd)
    return True


def _guard(loop: Loop, guardian: int) -> Task[None]:
    yield Until(fd=guardian)  # a pidfd is readable when its process has ended
    loop.stop()


def _reap(processes: Processes, wake: socket.socket) -> Task[None]:
    while True:
        yield Until(fd=wake.fileno())
        wake.recv(4096)
        processes.reap()


def _heed_signals(loop: Loop, processes: Processes) -> None:
    """PID 1 hears only the signals it has handlers for: children that end, and a request to end."""
    wake, signals = socket.socketpair()
    signals.setblocking(False)  # noqa: FBT003  the socket's own signature
    signal.set_wakeup_fd(signals.detach(), warn_on_full_buffer=False)

    def heed(number: int, frame: FrameType | None) -> None:
        del frame
        if number == signal.SIGTERM:
            loop.stop()

    signal.signal(signal.SIGCHLD, heed)
    signal.signal(signal.SIGTERM, heed)
    loop.start(_reap(processes, wake))


def _end_containers(name: str) -> None:
    """End every process of the lab, and remove the cgroups that its containers were in."""
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)  # of PID 1: to all others of its namespace
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    cgroups.remove(name)


def main() -> None:
    """Run a lab. `lab.up` starts this behind unshare(1), with the bound socket and the guardian's
    pidfd as descriptors.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--shape", required=True)
    parser.add_argument("--door", type=int, required=True)
    parser.add_argument("--guardian", type=int, default=-1)
    parser.add_argument("--fault", default="")
    options = parser.parse_args()
    loop, processes = Loop(), Processes()
    door = socket.socket(fileno=options.door)
    for fd in (options.door, options.guardian):
        if fd >= 0:  # the name on the door ends with the keeper, not with its last child
            os.set_inheritable(fd, False)  # noqa: FBT003  its own signature
    door.listen(BACKLOG)  # again: peers now see the keeper's credentials, not its starter's
    _heed_signals(loop, processes)
    if options.guardian >= 0:
        loop.start(_guard(loop, options.guardian))
    shape = shapes.shape(options.shape, name=options.name)
    lab = Lab(shape=shape, loop=loop, processes=processes)
    Keeper(answers=Answers(name=options.name, lab=lab), loop=loop, door=door).run(options.fault)
    if any(node.engine for node in shape.topology.nodes):
        _end_containers(options.name)
    os._exit(0)  # PID 1 is gone: the kernel ends everything else


if __name__ == "__main__":
    main()
