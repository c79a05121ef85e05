"""What does a connection over SSH say when it cannot be, and which ways does it know?"""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from pathlib import Path
from threading import Thread, Timer
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import AgentUnusable, VantageUnreachable
from pytest_v6probe.inventory.model import Login
from pytest_v6probe.transport import dial, ssh
from pytest_v6probe.transport.ssh import SshTransport

if TYPE_CHECKING:
    from tests.contract.conftest import Sshd

LOOPBACK = IPv6Address("::1")
Serve = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture
def server() -> Iterator[Serve]:
    """Something that is no sshd; the port."""
    with contextlib.ExitStack() as stack:

        def serve(handler: Callable[[socket.socket], None]) -> int:
            listener = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        with connection, contextlib.suppress(OSError):
                            handler(connection)

            thread = Thread(target=accept, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return int(listener.getsockname()[1])

        yield serve


def refused(transport: SshTransport, timeout_s: float = 10.0) -> VantageUnreachable:
    with pytest.raises(VantageUnreachable) as caught:
        transport.session(timeout_s=timeout_s)
    transport.close()
    return caught.value


def elsewhere(sshd: Sshd, port: int, **kwargs) -> SshTransport:
    return SshTransport(Login(host=LOOPBACK, port=port), credentials=sshd.credentials(), **kwargs)


def test_a_session_tells_both_ends_the_host_key_and_the_server(sshd: Sshd):
    transport = sshd.transport()
    session = transport.session()
    transport.close()
    fingerprint = subprocess.run(
        ["ssh-keygen", "-lf", f"{sshd.user_key_file.with_name('host')}.pub"],
        check=True,
        capture_output=True,
        text=True,
        timeout=10,
    ).stdout.split()[1]
    assert str(session.remote) == f"[::1]:{sshd.port}"
    assert getattr(session.local, "address", None) == LOOPBACK
    assert (session.host_key_type, session.fingerprint) == ("ssh-ed25519", fingerprint)
    assert session.server_version.startswith("SSH-2.0-OpenSSH_")


def test_an_unknown_key_is_refused_with_its_fingerprint_and_the_remedy(sshd: Sshd):
    why = refused(sshd.transport(credentials=sshd.credentials(known_hosts="")))
    assert why.reason == "host-key-unknown"
    assert "ssh-ed25519 key SHA256:" in str(why)
    assert f"ssh-keyscan -p {sshd.port} ::1 >> ~/.ssh/known_hosts" in str(why)


def test_a_changed_key_is_refused_with_the_line_and_the_remedy(sshd: Sshd):
    other = sshd.known_hosts.replace("AAAAC3NzaC1lZDI1NTE5AAAAI", "AAAAC3NzaC1lZDI1NTE5AAAAJ")
    why = refused(sshd.transport(credentials=sshd.credentials(known_hosts="# x\n" + other)))
    assert why.reason == "host-key-changed"
    assert "credentials:2" in str(why)
    assert f"ssh-keygen -R '[::1]:{sshd.port}'" in str(why)


def test_a_revoked_key_is_refused_although_it_is_known(sshd: Sshd):
    lines = sshd.known_hosts + "@revoked * " + sshd.host_key + "\n"
    assert (
        refused(sshd.transport(credentials=sshd.credentials(known_hosts=lines))).reason
        == "host-key-revoked"
    )


def test_a_key_that_may_not_log_in_is_refused_with_what_was_offered(sshd: Sshd, tmp_path: Path):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"],
        check=True,
        timeout=20,
    )
    why = refused(
        sshd.transport(credentials=sshd.credentials(key=(tmp_path / "other").read_text()))
    )
    assert why.reason == "auth-refused"
    assert f"{getpass.getuser()} is not let in; keys offered: the lab's key" in str(why)


def test_a_key_that_is_none_is_refused(sshd: Sshd):
    assert (
        refused(sshd.transport(credentials=sshd.credentials(key="none"))).reason == "auth-refused"
    )


def test_a_closed_port_is_refused(sshd: Sshd):
    why = refused(elsewhere(sshd, 1))
    assert (why.reason, why.vantage) == ("refused", "ssh [::1]:1")


def say(octets: bytes) -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    return handler


def trickle(connection: socket.socket) -> None:
    for octet in b"SSH-2.0-" + b"x" * 10000:
        connection.sendall(bytes([octet]))
        time.sleep(0.02)


def flood(octets: bytes) -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        while True:
            connection.sendall(octets)

    return handler


def listen(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def stall(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    listen(connection)


def reset(connection: socket.socket) -> None:
    connection.recv(5)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("handler", "reasons"),
    [
        pytest.param(say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), {"not-ssh"}, id="http"),
        pytest.param(say(b"\xff\xfd\x18\x1b[31m\xff\r\n" * 9), {"not-ssh"}, id="telnet"),
        pytest.param(say(b"SSH-1.5-old\r\n"), {"no-common-algorithm"}, id="ssh-1"),
        pytest.param(say(b""), {"not-ssh", "closed"}, id="hangs-up"),
        pytest.param(say(b"SSH-2.0-x\r\n" + b"\x00" * 5000), {"closed"}, id="junk-packets"),
        pytest.param(say(b"SSH-2.0-x\r\n" + b"\xff" * 5000), {"closed"}, id="huge-packet"),
        pytest.param(reset, {"closed", "not-ssh"}, id="reset"),
        pytest.param(listen, {"timed-out"}, id="silence"),
        pytest.param(stall, {"timed-out"}, id="silence-after-the-banner"),
        pytest.param(trickle, {"timed-out"}, id="trickle"),
        pytest.param(flood(b"x" * 65536), {"timed-out", "not-ssh"}, id="endless-line"),
        pytest.param(flood(b"x\n" * 1000), {"timed-out", "not-ssh"}, id="endless-lines"),
    ],
)
def test_what_is_no_sshd_is_named_in_time(
    sshd: Sshd, server: Serve, handler, reasons: set[str], caplog: pytest.LogCaptureFixture
):
    begun = time.monotonic()
    with caplog.at_level(logging.DEBUG):
        why = refused(elsewhere(sshd, server(handler)), timeout_s=1.5)
    assert why.reason in reasons
    assert str(why).isprintable()
    assert time.monotonic() - begun < 5
    assert caplog.records == []


@contextlib.contextmanager
def stopped(sshd: Sshd) -> Iterator[None]:
    """The connections that there are say nothing meanwhile; new ones do."""
    children = (
        Path(f"/proc/{sshd.process.pid}/task/{sshd.process.pid}/children").read_text().split()
    )
    for pid in children:
        os.kill(int(pid), signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in children:
            os.kill(int(pid), signal.SIGCONT)


def test_a_server_that_never_runs_the_program_is_bounded(sshd: Sshd):
    transport = sshd.transport()
    transport.session()
    begun = time.monotonic()
    with stopped(sshd), pytest.raises(VantageUnreachable) as caught:
        transport.start(["true"], timeout_s=0.5)
    elapsed = time.monotonic() - begun
    transport.close()
    assert (caught.value.reason, elapsed < 3) == ("timed-out", True)


def test_what_runs_over_a_connection_outlives_a_program_that_was_not_started_in_time(sshd: Sshd):
    transport = sshd.transport()
    agent = open_agent(transport)
    first = transport.session()
    with stopped(sshd), pytest.raises(VantageUnreachable):
        transport.start(["true"], timeout_s=0.2)
    answered = agent.run([wire.resolve("::1")])[0].outcome
    again = transport.session()
    agent.close()
    assert (answered, again) == ("answered", first)


def test_a_connection_that_stalls_is_replaced_in_time_and_what_runs_over_it_goes_on(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ssh, "STALLED_S", 0.2)
    transport = sshd.transport()
    agent = open_agent(transport)
    first = transport.session()
    with stopped(sshd):
        channel = transport.start(["echo", "here"], timeout_s=2)
        heard = channel.receive(timeout_s=5)
    answered = agent.run([wire.resolve("::1")])[0].outcome
    second = transport.session()
    agent.close()
    assert (heard, answered) == (b"here\n", "answered")
    assert second.local != first.local
    assert [client.alive for client, _ in transport._left] == []


def test_a_cut_connection_is_named_and_the_next_batch_makes_another(sshd: Sshd):
    transport = sshd.transport()
    agent = open_agent(transport)
    first = transport.session()
    Timer(0.2, transport.close).start()
    with pytest.raises(AgentUnusable) as caught:
        agent.run([wire.watch(groups=0, timeout_s=20)])
    assert caught.value.reason == "agent-died"
    assert agent.run([wire.resolve("::1")])[0].outcome == "answered"
    assert transport.session().local != first.local
    agent.close()


def test_a_program_may_flood_standard_error(sshd: Sshd):
    transport = sshd.transport()
    program = "import sys; sys.stderr.write('e' * (8 << 20)); print('done', flush=True); sys.stderr.write('last words')"
    channel = transport.start([sys.executable, "-c", program], timeout_s=5)
    heard = b""
    while octets := channel.receive(timeout_s=10):
        heard += octets
    words = channel.last_words()
    channel.close()
    transport.close()
    assert heard == b"done\n"
    assert words.endswith("last words exit status 0")
    assert len(words) < 2100


def test_a_program_that_is_ended_while_it_floods_takes_nothing_else_with_it(sshd: Sshd):
    transport = sshd.transport()
    first = transport.session()
    for _ in range(60):
        channel = transport.start(["yes"], timeout_s=5)
        channel.receive(timeout_s=5)
        channel.close()
    last = transport.session()
    transport.close()
    assert last == first


def test_a_host_is_reached_through_another(sshd: Sshd):
    bastion = sshd.transport()
    transport = sshd.transport(via=bastion)
    agent = open_agent(transport)
    session = transport.session()
    assert agent.run([wire.resolve("::1")])[0].outcome == "answered"
    assert (session.local, str(session.remote)) == (None, f"[::1]:{sshd.port}")
    agent.close()
    refusal = refused(
        SshTransport(Login(host=LOOPBACK, port=1), credentials=sshd.credentials(), via=bastion)
    )
    assert (refusal.reason, "cannot connect to [::1]:1" in str(refusal)) == (
        "forward-refused",
        True,
    )
    bastion.close()


def test_a_host_is_reached_by_sockets_made_elsewhere(sshd: Sshd):
    made: list[tuple[str, int]] = []

    def elsewhere(host: str, port: int, *, timeout_s: float) -> socket.socket:
        made.append((host, port))
        return dial.direct(host, port, timeout_s=timeout_s)

    transport = sshd.transport(via=elsewhere)
    assert transport.session().remote is not None
    assert made == [("::1", sshd.port)]
    transport.close()
