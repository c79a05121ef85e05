"""What does the keeper answer? One method a request of its protocol, each a task of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import LabError, V6ProbeError
from pytest_v6probe.lab import anchor, faults, kubeconfig, ready, running
from pytest_v6probe.lab.daemons import cluster_contents
from pytest_v6probe.lab.daemons.cluster_contents import ClusterContents
from pytest_v6probe.lab.loop import Task, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_v6probe.lab.running import Lab

FAREWELL_S = 1.0
POLL_S = 0.01
Message = dict[str, Any]
Answer = tuple[Message, list[int]]
"""What goes back, and the file descriptors that go with it; whoever sends it closes them."""


@dataclass(slots=True, kw_only=True, eq=False)
class Answers:
    """Everything that can be asked of a running lab."""

    name: str
    lab: Lab
    state: str = "starting"
    error: tuple[str, str] = ("", "")
    """Why the lab failed, and the kind of that."""
    fault: str = ""
    _changing: bool = False

    def handlers(self) -> dict[str, Callable[[Message], Task[Answer]]]:
        """The requests, by the word in their ``do``."""
        return {
            "wait": self._wait,
            "socket": self._socket,
            "agent": self._agent,
            "credentials": self._credentials,
            "kubeconfig": self._kubeconfig,
            "break": self._break,
            "mend": self._mend,
            "status": self._status,
            "down": self._down,
        }

    def bring_up(self, fault: str) -> Task[None]:
        """Bring the lab up, with *fault* if it is not empty. If it fails the lab ends."""
        yield from pause(0)
        try:
            yield from self.lab.bring_up()
            if fault:
                yield from self._change(fault, mend=False)
            self.state = "up"
        except (V6ProbeError, OSError) as why:
            self.state, self.error = "failed", (str(why), kind(why))
            yield from pause(FAREWELL_S)  # whoever waits is told first
            self.lab.loop.stop()

    def _wait(self, message: Message) -> Task[Answer]:
        timeout_s = float(message["timeout_s"])
        until = time.monotonic() + timeout_s
        while self.state == "starting":
            if time.monotonic() > until:
                raise running.not_ready(
                    f"the lab {self.name} is not up within {timeout_s:g} s; "
                    f"done so far, by the second: {self.lab.phases}"
                )
            yield from pause(POLL_S)
        if self.state == "failed":
            return {"ok": False, "error": self.error[0], "kind": self.error[1]}, []
        from pytest_v6probe.inventory import dump  # noqa: PLC0415  not for coming up

        return {"ok": True, "inventory": dump.to_toml(self.lab.inventory)}, []

    def _socket(self, message: Message) -> Task[Answer]:
        kinds = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM}
        if message["family"] not in {4, 6}:
            raise LabError(f"no address family {message['family']!r}; there are 4 and 6")
        pid = self.lab.node_pid(message["namespace"])
        made = ready.open_socket(pid, message["family"], kinds[message["type"]])
        yield from pause(0)
        return {"ok": True}, [made.detach()]

    def _agent(self, message: Message) -> Task[Answer]:
        argv = [str(word) for word in message["argv"]]
        if not argv:
            raise LabError("an agent needs a command line")
        pid = self.lab.node_pid(message["namespace"])
        theirs, ours = socket.socketpair()
        reader, writer = os.pipe()
        try:
            streams = (ours.fileno(), ours.fileno(), writer)
            self.lab.processes.start(argv, node_pid=pid, streams=streams)
        except BaseException:
            theirs.close()
            os.close(reader)
            raise
        finally:
            ours.close()
            os.close(writer)
        yield from pause(0)
        return {"ok": True}, [theirs.detach(), reader]

    def _credentials(self, message: Message) -> Task[Answer]:
        del message
        yield from pause(0)
        lines = []
        for host in self.lab.shape.inventory.hosts:
            if host.ssh is not None:
                public = running.KEYS / f"{host.region}-{host.name}.pub"
                words = public.read_text(encoding="ascii").split()
                lines.append(f"{host.ssh.host} {words[0]} {words[1]}\n")
        key = (running.KEYS / "user").read_text(encoding="ascii")
        said = {"user": anchor.LOGIN, "key": key, "known_hosts": "".join(lines)}
        return {"ok": True, **said}, []

    def _kubeconfig(self, message: Message) -> Task[Answer]:
        del message
        yield from pause(0)
        filled = (
            daemon.name for daemon in self.lab.shape.daemons if isinstance(daemon, ClusterContents)
        )
        name = next(filled, "")
        if not name:
            raise LabError(f"the lab {self.name} has no cluster")
        config = cluster_contents.home(name) / cluster_contents.USER_CONFIG
        return {"ok": True, "kubeconfig": kubeconfig.inlined(config.read_text("utf-8"))}, []

    def _break(self, message: Message) -> Task[Answer]:
        self._must_be_up()
        yield from self._change(message["fault"], mend=False)
        return {"ok": True}, []

    def _mend(self, message: Message) -> Task[Answer]:
        self._must_be_up()
        yield from self._change(message["fault"], mend=True)
        return {"ok": True}, []

    def _change(self, name: str, *, mend: bool) -> Task[None]:
        fault = faults.named(name)
        if fault.shape != self.lab.shape.name:
            raise LabError(f"the fault {name} is one of a lab of shape {fault.shape}")
        if mend and self.fault != name:
            raise LabError(f"the lab {self.name} has the fault {self.fault or 'none'}, not {name}")
        if not mend and self.fault:
            raise LabError(f"the lab {self.name} has the fault {self.fault}; mend it first")
        with self._alone():
            if mend:
                yield from faults.revert(fault, self.lab)
            else:
                yield from faults.apply(fault, self.lab)
        self.fault = "" if mend else name

    def _status(self, message: Message) -> Task[Answer]:
        del message
        yield from pause(0)
        lab = self.lab
        daemons = {daemon.name: self._daemon_state(daemon.name) for daemon in lab.shape.daemons}
        said = {"name": self.name, "shape": lab.shape.name, "state": self.state}
        more = {"fault": self.fault, "phases": lab.phases, "nodes": lab.pids, "daemons": daemons}
        return {"ok": True, **said, **more}, []

    def _daemon_state(self, name: str) -> str:
        pid, ended = self.lab.daemons.get(name, 0), self.lab.processes.ended
        if not pid:
            return "stopped"
        return f"ended with status {ended[pid]}" if pid in ended else "running"

    def _down(self, message: Message) -> Task[Answer]:
        del message
        self.lab.loop.start(self._end())
        yield from pause(0)
        return {"ok": True}, []

    def _end(self) -> Task[None]:
        yield from pause(0.05)  # the answer to "down" goes out first
        self.lab.loop.stop()

    def _must_be_up(self) -> None:
        if self.state != "up":
            raise running.not_ready(f"the lab {self.name} is {self.state}, not up")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if self._changing:
            raise LabError(f"the lab {self.name} is being broken or mended right now")
        self._changing = True
        try:
            yield
        finally:
            self._changing = False


def kind(why: Exception) -> str:
    """The protocol's word for an error: ``not-ready``, or ``lab``."""
    reason = getattr(why, "reason", "")
    return "not-ready" if reason in {"daemon-not-ready", "lab-not-ready"} else "lab"
