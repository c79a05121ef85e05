"""How long does an assertion take over SSH? 200 in one batch, and one alone, beside
pytest-testinfra in the same run.

Wanted: at most 1.5 ms each in a batch, at most 5 ms alone. Run: python -m
benchmarks.bench_assertions
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.timed import timed
from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.inventory.model import Login
from pytest_v6probe.transport.ssh import SshTransport
from pytest_v6probe.transport.ssh_login import Credentials

LOOPBACK = IPv6Address("::1")
BATCH, ROUNDS, PEER_ASSERTIONS = 200, 15, 10
FILE = "/proc/net/if_inet6"
LOOPBACK_LINE = b"00000000000000000000000000000001"


def main() -> None:
    with sshd() as (place, port), listener() as target:
        single, batch = ours(place, port, target)
        peer = testinfra(place, port, target)
    print(f"v6probe, one alone          {1000 * single:8.2f} ms   (wanted: 5)")
    print(f"v6probe, {BATCH} in one batch    {1000 * batch:8.2f} ms each   (wanted: 1.5)")
    print(f"pytest-testinfra, paramiko  {1000 * peer:8.2f} ms each")
    print(f"ratio: {peer / single:.0f} alone, {peer / batch:.0f} in a batch")


def ours(place: Path, port: int, target: int) -> tuple[float, float]:
    """Seconds for one assertion alone, and for each of a batch: half look at a file, half connect."""
    known = f"[::1]:{port} {(place / 'host.pub').read_text()}"
    agent = open_agent(
        SshTransport(
            Login(host=LOOPBACK, port=port),
            credentials=Credentials(
                user=getpass.getuser(), key=(place / "user").read_text(), known_hosts=known
            ),
        )
    )
    pair = [wire.read(FILE), wire.stream(LOOPBACK, target)]

    def ask(operations: list[wire.Operation]) -> None:
        for operation, reply in zip(operations, agent.run(operations), strict=True):
            assert reply.outcome == "answered"
            if operation["op"] == "read":
                assert LOOPBACK_LINE in wire.files(reply)[FILE]

    def one_by_one() -> None:
        for operation in pair:
            ask([operation])

    single = timed(one_by_one, rounds=ROUNDS) / len(pair)
    batch = timed(lambda: ask(pair * (BATCH // 2)), rounds=ROUNDS) / BATCH
    agent.close()
    return single, batch


def testinfra(place: Path, port: int, target: int) -> float:
    """Seconds for each of the same assertions, put by pytest-testinfra."""
    from testinfra import get_host

    config = place / "config"
    config.write_text(
        f"Host there\n HostName ::1\n Port {port}\n User {getpass.getuser()}\n"
        f" IdentityFile {place / 'user'}\n UserKnownHostsFile {place / 'known'}\n"
    )
    (place / "known").write_text(f"[::1]:{port} {(place / 'host.pub').read_text()}")
    host: Any = get_host("paramiko://there", ssh_config=str(config))

    def ask() -> None:
        for _ in range(PEER_ASSERTIONS // 2):
            assert LOOPBACK_LINE.decode() in host.file(FILE).content_string
            assert host.addr("::1").port(target).is_reachable

    return timed(ask, rounds=3) / PEER_ASSERTIONS


@contextmanager
def listener() -> Iterator[int]:
    """A port that accepts."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=1000) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    server.accept()[0].close()

        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@contextmanager
def sshd() -> Iterator[tuple[Path, int]]:
    """A real sshd on the loopback; the directory of its keys, and its port."""
    program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise SystemExit("needs OpenSSH's sshd: apt-get install openssh-server")
    with tempfile.TemporaryDirectory(prefix="v6probe-bench-") as text:
        place = Path(text)
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True
            )
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
            port = free.getsockname()[1]
        (place / "sshd_config").write_text(
            f"Port {port}\nListenAddress ::1\nHostKey {place / 'host'}\nAuthorizedKeysFile {place / 'user'}.pub\n"
            "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nLogLevel ERROR\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        process = subprocess.Popen([program, "-D", "-e", "-f", place / "sshd_config"])
        try:
            time.sleep(0.5)
            yield place, port
        finally:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    main()
