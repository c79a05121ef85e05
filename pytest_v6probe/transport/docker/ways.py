"""By which ways is a Docker Engine reached? Its socket here, TLS, or a program on its own host."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, VantageUnreachable
from pytest_v6probe.inventory.model import Docker
from pytest_v6probe.transport import dial
from pytest_v6probe.transport.channel import SUDO, Channel, Transport
from pytest_v6probe.transport.docker import http
from pytest_v6probe.transport.docker.http import Connect

TLS_PORT = 2376
"""The port of dockerd for TLS (docs.docker.com/engine/security/protect-access)."""
CHUNK_BYTES = 1 << 16

RELAY = (
    "import os,select,socket,sys\n"
    "s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1])\n"
    "while 1:\n"
    " for r in select.select([0,s],[],[])[0]:\n"
    "  b=os.read(0,65536) if r==0 else s.recv(65536)\n"
    "  if not b:os._exit(0)\n"
    "  if r==0:s.sendall(b)\n"
    "  while r!=0 and b:b=b[os.write(1,b):]\n"
)
"""``docker system dial-stdio`` for a host without the docker command: python3, any version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to an engine: how it is called, and what makes a connection by it."""

    name: str
    connect: Connect


def ways(
    docker: Docker, *, host_id: str, through: Transport | None, sudo: bool, python: str
) -> tuple[Way, ...]:
    """The ways to try, in order. Where *url* is given, that alone; a socket is this machine's if
    *through* is None.
    """
    if docker.url:
        return (_by_url(docker, host_id),)
    if through is None:
        return (_by_socket(docker.socket, host_id),)
    before = SUDO if sudo else ()
    url = f"unix://{docker.socket}"
    programs = (
        (*before, "docker", "-H", url, "system", "dial-stdio"),
        (*before, python, "-c", RELAY, docker.socket),
    )
    return tuple(_by_program(through, program, host_id, docker.socket) for program in programs)


class SocketChannel:
    """A `Channel` over a connected socket, TLS or not, that it owns."""

    def __init__(self, sock: socket.socket, *, name: str) -> None:
        self._sock = sock
        self._name = name

    def send(self, octets: bytes, *, timeout_s: float) -> None:
        """Write all of *octets*. Raises DeadlinePassed, or AgentUnusable if the peer is gone."""
        end = monotonic() + timeout_s
        left = memoryview(octets)
        try:
            while left:
                self._sock.settimeout(max(0.001, end - monotonic()))
                left = left[self._sock.send(left) :]
        except TimeoutError as why:
            raise self._late() from why
        except OSError as why:
            with suppress(DeadlinePassed):
                self.receive(timeout_s=0)  # TLS may have been told why
            raise AgentUnusable(f"{self._name}: {why}", reason="agent-died") from why

    def receive(self, *, timeout_s: float) -> bytes:
        """The next octets; ``b""`` at the end. Raises DeadlinePassed, or VantageUnreachable where
        TLS says no.
        """
        try:
            self._sock.settimeout(max(0.001, timeout_s))
            return self._sock.recv(CHUNK_BYTES)
        except TimeoutError as why:
            raise self._late() from why
        except ssl.SSLError as why:  # under TLS 1.3 a refused client certificate shows here
            raise _tls(self._name, why) from why
        except OSError:
            return b""

    def last_words(self) -> str:
        """Nothing: a socket has no standard error."""
        return ""

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def _late(self) -> DeadlinePassed:
        return DeadlinePassed(f"{self._name}: silence", reason="deadline-passed")


def _by_socket(path: str, host_id: str) -> Way:
    name = f"docker {path} at {host_id}"

    def connect(timeout_s: float) -> Channel:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(max(0.001, timeout_s))
            sock.connect(path)
        except OSError as why:
            sock.close()
            forbidden = why.errno in {errno.EACCES, errno.EPERM}
            raise http.gone(
                name, f"permission denied: {path}" if forbidden else f"{path}: errno {why}"
            ) from why
        return SocketChannel(sock, name=name)

    return Way(name=name, connect=connect)


def _by_url(docker: Docker, host_id: str) -> Way:
    parts = urlsplit(docker.url)
    if parts.scheme == "unix":
        return _by_socket(parts.path, host_id)
    name = f"docker {docker.url} at {host_id}"
    host, port = parts.hostname or "", parts.port or TLS_PORT

    def connect(timeout_s: float) -> Channel:
        end = monotonic() + timeout_s
        context = _context(Path(docker.certificates).expanduser(), name)
        try:
            sock = dial.direct(host, port, timeout_s=timeout_s)
        except VantageUnreachable as why:
            raise http.gone(name, str(why)) from why
        try:
            sock.settimeout(max(0.001, end - monotonic()))
            secure = context.wrap_socket(sock, server_hostname=host)
        except OSError as why:  # ssl.SSLError is one
            sock.close()
            raise _tls(name, why) from why
        return SocketChannel(secure, name=name)

    return Way(name=name, connect=connect)


def _context(place: Path, name: str) -> ssl.SSLContext:
    """Both sides show certificates, as DOCKER_TLS_VERIFY has it."""
    authority, own, key = (place / file for file in ("ca.pem", "cert.pem", "key.pem"))
    try:
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(own, key)
    except OSError as why:  # ssl.SSLError is one: a file that is no certificate, or another's key
        raise VantageUnreachable(
            f"{name}: {place}: {why}: `certificates` is the directory of ca.pem, cert.pem and key.pem",
            reason="docker-certificates",
            vantage=name,
        ) from why
    return context


def _tls(name: str, why: OSError) -> VantageUnreachable:
    """The error for a TLS that failed; an alert about a certificate is the engine's no to ours."""
    told = getattr(why, "reason", None) or ""
    if "ALERT" in told and any(mark in told for mark in ("CERTIFICATE", "CA", "DENIED")):
        return VantageUnreachable(
            f"{name}: TLS: {why}: is cert.pem signed by the authority that the engine trusts?",
            reason="docker-forbidden",
            vantage=name,
        )
    return http.gone(name, f"TLS: {why}")


def _by_program(through: Transport, argv: Sequence[str], host_id: str, path: str) -> Way:
    name = f"docker {path} at {host_id} by {through.name}"

    def connect(timeout_s: float) -> Channel:
        try:
            return through.start(argv, timeout_s=timeout_s)
        except AgentUnusable as why:  # there is no such program
            raise http.gone(name, f"{argv[0]}: not found") from why

    return Way(name=name, connect=connect)
