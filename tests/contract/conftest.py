"""Six ways to start an agent: here, in a namespace, over SSH, by a Docker Engine, in a pod, and a
scripted one; each can be made to fail.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.inventory.model import Docker, Login, Pod
from pytest_v6probe.lab.certificates import authority
from pytest_v6probe.transport.channel import Transport
from pytest_v6probe.transport.docker.engine import open_engine
from pytest_v6probe.transport.docker.exec import DockerTransport
from pytest_v6probe.transport.fake import FakeTransport
from pytest_v6probe.transport.local import LocalTransport
from pytest_v6probe.transport.netns import Keeper, NamespaceTransport
from pytest_v6probe.transport.pod.api import ClusterApi, open_api
from pytest_v6probe.transport.pod.exec import PodTransport
from pytest_v6probe.transport.ssh import SshTransport
from pytest_v6probe.transport.ssh_login import Credentials
from tests.unit.transport.docker.played import FakeEngine
from tests.unit.transport.pod.played import FakeApi

WAYS = ("local", "netns", "ssh", "docker", "pod", "fake")
PROGRAMS = {
    "noisy": "echo '*** Authorised use only ***'; printf 'Last login: today'; exec {python} \"$@\"",
    "silent": "exec sleep 60",
    "too-old": "exec {python} -c 'import sys; a = sys.argv; sys.version_info = (3, 5, 2); "
    'sys.argv = ["-c"] + a[5:]; exec(a[4])\' "$@"',
    "dying": "echo 'cannot allocate memory' >&2; exit 137",
}


@dataclass(kw_only=True)
class Sshd:
    """A real sshd on the loopback, with a host key of its own and one key that may log in."""

    port: int
    process: subprocess.Popen[bytes]
    host_key: str
    user_key: str
    user_key_file: Path
    log: Path

    @property
    def known_hosts(self) -> str:
        return f"[::1]:{self.port} {self.host_key}\n"

    def credentials(self, **changed: str) -> Credentials:
        said = {"user": getpass.getuser(), "key": self.user_key, "known_hosts": self.known_hosts}
        return Credentials(**{**said, **changed})

    def transport(self, **kwargs: Any) -> SshTransport:
        kwargs.setdefault("credentials", self.credentials())
        return SshTransport(Login(host=IPv6Address("::1"), port=self.port), **kwargs)


def free_port() -> int:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as sock:
        return int(sock.getsockname()[1])


def keygen(file: Path) -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file],
        check=True,
        timeout=20,
    )
    return file


@pytest.fixture(scope="session")
def sshd() -> Iterator[Sshd]:
    program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    assert program, "these tests need OpenSSH's sshd: apt-get install openssh-server"
    with tempfile.TemporaryDirectory(prefix="v6probe-sshd-") as text:
        place = Path(text)
        host, user, port = keygen(place / "host"), keygen(place / "user"), free_port()
        config = place / "sshd_config"
        config.write_text(
            f"Port {port}\nListenAddress ::1\nHostKey {host}\nAuthorizedKeysFile {user}.pub\nPidFile none\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 100\n"
            "PrintMotd no\nLogLevel ERROR\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, "-D", "-e", "-f", config],
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        wait_for_port(port, process)
        yield Sshd(
            port=port,
            process=process,
            log=place / "log",
            user_key=user.read_text(),
            host_key=" ".join(Path(f"{host}.pub").read_text().split()[:2]),
            user_key_file=user,
        )
        process.terminate()
        process.wait(10)


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("::1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("sshd does not listen")


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A client of the smallest keeper: it starts agents here and answers nothing else."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    started: list[subprocess.Popen[bytes]] = []

    def serve() -> None:
        with theirs:
            while octets := theirs.recv(65536):
                near, reader = start(json.loads(octets)["argv"])
                socket.send_fds(theirs, [b'{"ok": true}'], [near.fileno(), reader])
                near.close()
                os.close(reader)

    def start(argv: list[str]) -> tuple[socket.socket, int]:
        near, far = socket.socketpair()
        reader, writer = os.pipe()
        # as nsenter, the keeper's way in, says it when there is no such program
        shown = f'command -v {shlex.quote(argv[0])} >/dev/null || {{ echo "{argv[0]}: not found" >&2; exit 127; }}'
        with far, os.fdopen(writer, "wb") as errors:
            started.append(
                subprocess.Popen(
                    ["/bin/sh", "-c", f'{shown}; exec "$@"', "sh", *argv],
                    stdin=far.fileno(),
                    stdout=far.fileno(),
                    stderr=errors,
                    start_new_session=True,
                )
            )
        return near, reader

    thread = Thread(target=serve, daemon=True)
    thread.start()
    client = Keeper(ours, name="test")
    yield client
    client.close()
    thread.join(10)
    for process in started:
        process.kill()
        process.wait(10)


@pytest.fixture
def fake_engine() -> Iterator[FakeEngine]:
    with tempfile.TemporaryDirectory(prefix="v6probe-engine-") as place:
        engine = FakeEngine(Path(place) / "docker.sock")
        yield engine
        engine.close()


@pytest.fixture
def fake_cluster(tmp_path: Path) -> Iterator[ClusterApi]:
    """The API of a cluster with one pod, whose programs run here."""
    fake = FakeApi(tmp_path, authority())
    api = open_api(fake.spec())
    yield api
    api.close()
    fake.close()


@dataclass(kw_only=True)
class Way:
    """One way to start an agent, and agents that were started by it."""

    name: str
    make: Callable[..., Transport]
    python: Callable[[str], str]
    agents: list[Agent] = field(default_factory=list)

    def open(self, kind: str = "python", *, timeout_s: float = 10.0, **script: Any) -> Agent:
        """An agent by *kind* of python; *script* is for the scripted one."""
        agent = open_agent(self.make(**script), python=self.python(kind), timeout_s=timeout_s)
        self.agents.append(agent)
        return agent


def by_docker(fixture: Callable[[str], Any]) -> Transport:
    engine: FakeEngine = fixture("fake_engine")
    docker = Docker(host="here", socket=str(engine.path))
    return DockerTransport(open_engine(docker, host_id="here", through=None), "web")


def scripted(script: dict[str, Any]) -> Transport:
    return FakeTransport(
        script.get("answer", lambda _: {"outcome": "answered"}),
        noise=b"*** Authorised use only ***\n",
        pythons={
            "python": "3.12.0",
            "noisy": "3.12.0",
            "silent": "",
            "too-old": "3.5.2",
            "dying": "!cannot allocate memory",
        },
    )


STARTS: dict[str, Callable[[Callable[[str], Any]], Transport]] = {
    "local": lambda _: LocalTransport(),
    "netns": lambda fixture: NamespaceTransport(fixture("keeper"), "client"),
    "ssh": lambda fixture: fixture("sshd").transport(),
    "docker": by_docker,
    "pod": lambda fixture: PodTransport(
        fixture("fake_cluster"), Pod(cluster="here/prod", selector="app=web")
    ),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    def python(kind: str) -> str:
        if request.param == "fake":
            return kind
        if kind in {"python", "missing"}:
            return sys.executable if kind == "python" else "/nonexistent/python3"
        file = tmp_path / kind
        file.write_text("#!/bin/sh\n" + PROGRAMS[kind].replace("{python}", sys.executable) + "\n")
        file.chmod(0o755)
        return str(file)

    def make(**script: Any) -> Transport:
        if request.param == "fake":
            return scripted(script)
        return STARTS[request.param](request.getfixturevalue)

    made = Way(name=request.param, make=make, python=python)
    yield made
    for agent in made.agents:
        agent.close()
