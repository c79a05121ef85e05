"""What is a lab while it runs? Its nodes, wires and daemons, and how they are brought up."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.errors import DaemonNotReady, LabError
from pytest_v6probe.lab import anchor, certificates, kernel, ready, settled
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE
from pytest_v6probe.lab.loop import Loop, Task, Until, pause
from pytest_v6probe.lab.process import Processes, program, tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_v6probe.inventory.model import Inventory
    from pytest_v6probe.lab.certificates import Authority, Certificate
    from pytest_v6probe.lab.daemon import Daemon
    from pytest_v6probe.lab.netns import Wires
    from pytest_v6probe.lab.topology import Node, Shape

POLL_S = 0.01
NODE_DEADLINE_S = 5.0
SETTLE_DEADLINE_S = 15.0
KEYS = Path(anchor.HOME, "keys")
SPARE_KEY = KEYS / "spare"


@dataclass(slots=True, kw_only=True, eq=False)
class Lab:
    """Everything that runs. Only the keeper has one."""

    shape: Shape
    loop: Loop
    processes: Processes
    pids: dict[str, int] = field(default_factory=dict)
    """The anchor of each node."""
    daemons: dict[str, int] = field(default_factory=dict)
    """The process of each daemon that was started and not stopped."""
    phases: dict[str, float] = field(default_factory=dict)
    """When each phase of the bring-up was over, in seconds since its start."""
    _wires: Wires | None = None
    _authority: Authority | None = None
    _issued: dict[Path, Certificate] = field(default_factory=dict)

    @property
    def wires(self) -> Wires:
        """Links, addresses and routes. Raises LabError before there are any."""
        if self._wires is None:
            raise LabError("the lab is not wired yet")
        return self._wires

    @property
    def inventory(self) -> Inventory:
        """The inventory of the shape, with what is known only of a lab that runs: whom its https
        sites and registries are trusted by.
        """
        declared, known = self.shape.inventory, self._authority
        if known is None:
            return declared
        sites = (replace(site, ca=known.pem) if site.https else site for site in declared.sites)
        images = (replace(image, ca=known.pem) for image in declared.images)
        return replace(declared, sites=tuple(sites), images=tuple(images))

    def node_pid(self, node: str) -> int:
        """The anchor of *node*. Raises LabError that lists the nodes."""
        if node not in self.pids:
            raise LabError(
                f"this lab has no namespace {node!r}; "
                f"it has {', '.join(sorted(self.pids)) or 'none yet'}"
            )
        return self.pids[node]

    def bring_up(self) -> Task[None]:
        """Nodes, wires, daemons, and wait until hosts have addresses and daemons answer. Raises
        LabError, DaemonNotReady.
        """
        began = time.monotonic()

        def note(phase: str) -> None:
            self.phases[phase] = round(time.monotonic() - began, 3)

        self._prepare()
        standing = {node.name: self._anchor(node) for node in self.shape.topology.nodes}
        note("forked")
        from pytest_v6probe.lab import netns  # noqa: PLC0415  0.3 s, while anchors start

        note("imported")
        for name, reader in standing.items():
            yield from self._stands(name, reader)
        note("nodes")
        self._wires = netns.Wires(self.pids)
        self.wires.lay(self.shape.topology)
        note("wired")
        yield from self._start_all(note)
        yield from self.settle()
        note("settled")

    def start(self, daemon: Daemon) -> Task[None]:
        """Start *daemon* and wait until it is ready. Raises DaemonNotReady with its last lines,
        LabError.
        """
        yield from self._ready(daemon, self.launch(daemon))

    def answers(self, daemon: Daemon) -> Task[None]:
        """Wait until *daemon*, which runs, answers as it should. Raises DaemonNotReady."""
        yield from self._ready(daemon, self.daemons[daemon.name])

    def launch(self, daemon: Daemon) -> int:
        """Write its files and start *daemon*, without waiting; its pid. Raises LabError."""
        home = _home(daemon)
        home.mkdir(parents=True, exist_ok=True)
        for name, text in daemon.files(home).items():
            path = home / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for name, wanted in _certificates(daemon).items():
            self.certify(wanted, home / name)
        first, *rest = daemon.argv(home)
        path = _copied(program(first)) if daemon.own_copy else Path(program(first))
        pid = self.processes.start(
            (str(path), *rest), node_pid=self.pids[daemon.node], output=home / "log"
        )
        self.daemons[daemon.name] = pid
        return pid

    def certify(self, wanted: Certificate, file: Path) -> None:
        """Write a certificate of the lab's authority, as *wanted*, and its new key to *file*, unless
        such a one is there: what was signed by its key is still good.
        """
        if self._authority is None:
            self._authority = certificates.authority()
            Path(anchor.AUTHORITY).write_text(self._authority.pem, encoding="ascii")
        if self._issued.get(file) != wanted:
            self._authority.issue(wanted, file)
            self._issued[file] = wanted

    def stop(self, name: str) -> Task[None]:
        """Kill the daemon called *name* at once: it says no farewell. Nothing happens if it does
        not run.
        """
        pid = self.daemons.pop(name, 0)
        if pid:
            self.processes.kill(pid)
            while pid not in self.processes.ended:
                yield from pause(POLL_S)

    def run(self, node: str, *argv: str, stdin: str = "") -> Task[None]:
        """Run a command in *node* to its end. Raises LabError with what it said if it fails."""
        home = anchor.directory(node)
        output, given = home / "output", home / "input"
        output.unlink(missing_ok=True)
        given.write_text(stdin, encoding="utf-8")
        log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        source = os.open(given, os.O_RDONLY | os.O_CLOEXEC)
        try:
            pid = self.processes.start(
                argv, node_pid=self.node_pid(node), streams=(source, log, log)
            )
        finally:
            os.close(log)
            os.close(source)
        while pid not in self.processes.ended:
            yield from pause(POLL_S)
        if self.processes.ended[pid]:
            raise LabError(f"{node}: {' '.join(argv)} failed: {tail(output)}")

    def settle(self) -> Task[None]:
        """Wait until every host has its addresses and default route. Raises LabError that names
        what is missing.
        """
        until = time.monotonic() + SETTLE_DEADLINE_S
        for node in self.shape.topology.nodes:
            if not node.fabric:
                missing = partial(settled.missing, node, self.pids[node.name])
                yield from self.until(missing, until=until)

    def until(self, missing: Callable[[], str], *, until: float) -> Task[None]:
        """Wait until *missing* returns "". Raises LabError with its last word when the clock passes
        *until*.
        """
        while why := missing():
            if time.monotonic() > until:
                raise LabError(why)
            yield from pause(POLL_S)

    def _prepare(self) -> None:
        machine = os.open("/etc", os.O_PATH | os.O_CLOEXEC)
        kernel.mount("tmpfs", Path("/run"), kind="tmpfs", data="mode=0755,size=512m")
        for name in ("bin", "daemons", "home", "keys", "machine-etc", "nodes"):
            Path(anchor.HOME, name).mkdir(parents=True)
        Path("/run/sshd").mkdir(mode=0o755)  # OpenSSH's privilege separation directory
        kernel.mount(f"/proc/self/fd/{machine}", anchor.MACHINE_ETC, flags=kernel.MS_BIND)
        os.close(machine)
        login = Path(anchor.HOME, "home", anchor.LOGIN)
        login.mkdir()
        os.chown(login, anchor.LOGIN_ID, anchor.LOGIN_ID)
        wanted = {
            KEYS / "user",
            SPARE_KEY,
            *(
                key
                for daemon in self.shape.daemons
                if (key := getattr(daemon, "host_key", None)) is not None
            ),
        }
        for key in wanted:
            self.processes.start(
                ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key.name, "-f", str(key)),
                output=KEYS / "log",
            )

    def _anchor(self, node: Node) -> int:
        anchor.lay_out(node)
        self.pids[node.name], reader = anchor.start(node)
        self.processes.adopt(self.pids[node.name])
        return reader

    def _stands(self, name: str, reader: int) -> Task[None]:
        yield Until(fd=reader, timeout_s=NODE_DEADLINE_S)
        os.set_blocking(reader, False)
        try:
            said = os.read(reader, 4096).decode("utf-8", "replace")
        except BlockingIOError:
            said = f"did not stand within {NODE_DEADLINE_S} s"
        os.close(reader)
        if said:
            raise LabError(f"node {name}: {said.strip()}")

    def _start_all(self, note: Callable[[str], None]) -> Task[None]:
        first = [daemon for daemon in self.shape.daemons if not daemon.ready()]
        certified = [daemon for daemon in self.shape.daemons if _certificate(daemon) is not None]
        rest = [
            daemon for daemon in self.shape.daemons if daemon.ready() and daemon not in certified
        ]
        for daemon in first:
            self.launch(daemon)
        for node in self.shape.topology.nodes:
            if node.nft:
                yield from self.run(node.name, "nft", "-f", "-", stdin=node.nft)
        pids = [(daemon, self.launch(daemon)) for daemon in (*rest,)]
        note("launched")
        for daemon, pid in pids:
            yield from self._ready(daemon, pid)
        note("ready")
        for (
            daemon
        ) in certified:  # hosts make sure of their addresses meanwhile, and that takes longer
            yield from self.start(daemon)
        note("certified")

    def _ready(self, daemon: Daemon, pid: int) -> Task[None]:
        until = time.monotonic() + daemon.deadline_s
        ended = self.processes.ended
        why = ""
        for question in daemon.ready():
            why = why or (
                yield from ready.answered(
                    question, self.pids[daemon.node], until=until, alive=lambda: pid not in ended
                )
            )
        if pid in ended:
            why = f"it ended with status {ended[pid]}"
        if why:
            raise DaemonNotReady(
                f"{daemon.name} ({daemon.program}) was not ready within {daemon.deadline_s:g} s: "
                f"{why}\nits last lines:\n{tail(_home(daemon) / 'log')}",
                reason="daemon-not-ready",
                vantage=daemon.node,
            )


def _home(daemon: Daemon) -> Path:
    return Path(anchor.HOME, "daemons", daemon.name)


def _certificate(daemon: Daemon) -> Certificate | None:
    wanted: Certificate | None = getattr(daemon, "certificate", None)
    return wanted


def _certificates(daemon: Daemon) -> dict[str, Certificate]:
    """What it is to have below its home, by the names of the files."""
    one = _certificate(daemon)
    return {**({CERTIFICATE_FILE: one} if one else {}), **getattr(daemon, "certificates", {})}


def _copied(path: str) -> Path:
    copy = Path(anchor.HOME, "bin", Path(path).name)
    if not copy.exists():
        shutil.copy(path, copy)
    return copy


def not_ready(why: str) -> DaemonNotReady:
    """The lab itself is not ready, for the reason *why*."""
    return DaemonNotReady(why, reason="lab-not-ready")
