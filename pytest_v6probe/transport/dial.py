"""How is a connection for the control path made? By address, by name, or by a command of the
user's.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from threading import Thread
from time import monotonic
from typing import Any, Protocol, TypeVar

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.result import Endpoint

T = TypeVar("T")

SLOWEST_LAST_S = 1.0
"""An address is given at least this long before the next one of the same name is tried."""

_REASONS = {
    errno.ECONNREFUSED: ("refused", "nothing listens there; is sshd running, is the port right?"),
    errno.ENETUNREACH: ("no-route", "there is no route; does `ip -6 route get` know one here?"),
    errno.EHOSTUNREACH: ("unreachable", "the last hop does not find it; is the host up?"),
    errno.EACCES: ("prohibited", "a firewall on the way says no; see the security group and ACLs"),
    errno.EADDRNOTAVAIL: ("no-address", "there is no source address of that family here"),
    errno.ETIMEDOUT: ("timed-out", "nothing answers; see the security group, ACLs and routes"),
    errno.ECONNRESET: ("reset", "the connection is torn down; is it sshd that listens there?"),
}


class Dial(Protocol):
    """Makes a connected TCP socket. Raises VantageUnreachable."""

    def __call__(self, host: str, port: int, *, timeout_s: float) -> socket.socket: ...


def direct(host: str, port: int, *, timeout_s: float) -> socket.socket:
    """Connect from this machine. A literal is used as it is; of a name, IPv6 addresses are tried
    first.

    A name may lead to IPv4: this is the way *to* a vantage, never what is measured there. Which
    address was used is in the session's `remote`. Raises VantageUnreachable.
    """
    end = monotonic() + timeout_s
    places = _addresses(host, port, timeout_s)
    for number, (family, address) in enumerate(places):
        sock = socket.socket(family, socket.SOCK_STREAM)
        left_s = end - monotonic()
        share_s = max(min(SLOWEST_LAST_S, left_s), left_s / (len(places) - number))
        try:
            return connect(sock, address, timeout_s=share_s)
        except VantageUnreachable:
            if number == len(places) - 1:
                raise
    raise VantageUnreachable(f"{host} has no address", reason="name-error")


def connect(sock: socket.socket, address: tuple[Any, ...], *, timeout_s: float) -> socket.socket:
    """Connect *sock*; it is closed if that fails. Raises VantageUnreachable with the cause as
    reason.
    """
    where = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    try:
        sock.settimeout(max(0.001, timeout_s))
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as why:
        sock.close()
        number = errno.ETIMEDOUT if isinstance(why, TimeoutError) else why.errno or 0
        reason, advice = _REASONS.get(number, ("error", "see the errno"))
        raise VantageUnreachable(
            f"connection to {where}: {why.strerror or reason}: {advice}", reason=reason
        ) from why
    return sock


class CommandSocket(socket.socket):
    """Our end of a ProxyCommand's streams; closing it hangs up the command, as ssh does."""

    process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        super().close()
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.killpg(self.process.pid, signal.SIGHUP)


def by_command(command: str, *, name: str) -> CommandSocket:
    """Run the user's ProxyCommand as ssh does: by the user's shell, its streams one socket of ours.

    The command ends when the socket is closed. Raises VantageUnreachable.
    """
    near, theirs = socket.socketpair()
    ours = CommandSocket(fileno=near.detach())
    with theirs:
        try:
            ours.process = subprocess.Popen(
                [os.environ.get("SHELL", "/bin/sh"), "-c", "exec " + command],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                start_new_session=True,
            )
        except OSError as why:
            ours.close()
            raise VantageUnreachable(
                f"{name}: ProxyCommand {command!r}: {why.strerror}", reason="ssh-config"
            ) from why
    Thread(target=ours.process.wait, daemon=True).start()
    return ours


def within(timeout_s: float, act: Callable[[], T], *foreign: type[Exception]) -> T:
    """What *act* returns, which may hang: it runs in a thread that is left alone when the time is
    over.

    Raises TimeoutError, or the OSError, ValueError, EOFError or *foreign* that *act* raises.
    """
    expected: tuple[type[Exception], ...] = (OSError, ValueError, EOFError, *foreign)
    made: list[T] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            made.append(act())
        except expected as why:
            failed.append(why)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.0, timeout_s))
    if failed:
        raise failed[0]
    if not made:
        raise TimeoutError
    return made[0]


def ends(sock: Any, host: str, port: int) -> tuple[Endpoint | None, Endpoint | None]:
    """Both ends of a connection as far as this machine knows them; a bastion's are not."""
    if isinstance(sock, socket.socket) and sock.family in (socket.AF_INET6, socket.AF_INET):
        near, far = sock.getsockname(), sock.getpeername()
        return Endpoint(ip_address(near[0]), near[1]), Endpoint(ip_address(far[0]), far[1])
    try:
        return None, Endpoint(ip_address(host), port)
    except ValueError:
        return None, None


def _addresses(host: str, port: int, timeout_s: float) -> list[tuple[int, tuple[Any, ...]]]:
    with suppress(socket.gaierror, ValueError):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [(found[0][0], found[0][4])]
    try:
        found = within(timeout_s, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except TimeoutError as why:
        raise VantageUnreachable(
            f"{host}: the resolver of this machine is silent", reason="name-error"
        ) from why
    except (OSError, ValueError) as why:
        raise VantageUnreachable(f"{host}: {why}; is the name right?", reason="name-error") from why
    return sorted(
        ((entry[0], entry[4]) for entry in found), key=lambda place: place[0] != socket.AF_INET6
    )
