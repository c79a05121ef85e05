"""Agents under every Python that is here, and servers on the loopback that behave as they are told."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address
from pathlib import Path
from threading import Thread

import pytest

from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.transport.local import LocalTransport
from tests.unit.agent.world import World, eventually

VERSIONS = [f"3.{minor}" for minor in range(6, 15)]
LOOPBACK = IPv6Address("::1")
Handler = Callable[[socket.socket], None]


def python_of(version: str) -> str | None:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    built = sorted(root.glob(f"{version}.*/bin/python3"))
    return str(built[-1]) if built else shutil.which(f"python{version}")


HERE = [version for version in VERSIONS if version == "3.6" or python_of(version)]
BUILT = [version for version in HERE if python_of(version)]
OLDEST_AND_NEWEST = BUILT[:1] + BUILT[1:][-1:]


@pytest.fixture(scope="module", params=HERE)
def agent(request: pytest.FixtureRequest) -> Iterator[Agent]:
    python = python_of(request.param)
    if python is None:
        pytest.skip(f"no Python {request.param} on this machine, the oldest that the agent runs on")
    running = open_agent(LocalTransport(), python=python)
    yield running
    running.close()


@pytest.fixture(params=OLDEST_AND_NEWEST)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Under the oldest and the newest Python that are here."""
    python = python_of(request.param)
    assert python
    made = World(python)
    yield made
    made.end()


@pytest.fixture
def link(world: World) -> World:
    """A host's interface ``near``, as a host has it, and a router's end of the cable, ``far``."""
    world.sh(
        "ip link add near type veth peer name far; cd /proc/sys/net/ipv6/conf;"
        "echo 1 > far/disable_ipv6; echo 0 > near/accept_dad; ip link set far up; ip link set near up"
    )
    eventually(lambda: "fe80" in world.sh("ip -6 addr show dev near -tentative"))
    return world


@pytest.fixture
def recorder(world: World) -> Iterator[Agent]:
    """An agent in the world."""
    agent = world.agent()
    yield agent
    agent.close()


@pytest.fixture
def tcp_server() -> Iterator[Callable[[Handler], int]]:
    """Serve each connection by the handler; the port."""
    with contextlib.ExitStack() as stack:

        def serve(handler: Handler) -> int:
            listener = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        Thread(target=handle, args=(connection,), daemon=True).start()

            def handle(connection: socket.socket) -> None:
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    handler(connection)

            thread = Thread(target=accept, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return int(listener.getsockname()[1])

        yield serve


@pytest.fixture
def udp_server() -> Iterator[Callable[[Callable[[bytes], list[bytes]]], int]]:
    """Answer each datagram by those that the function makes of it; the port."""
    with contextlib.ExitStack() as stack:

        def serve(answer: Callable[[bytes], list[bytes]]) -> int:
            sock = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
            sock.bind(("::1", 0))

            def loop() -> None:
                while True:
                    question, client = sock.recvfrom(65535)
                    if question == b"end":
                        return
                    for datagram in answer(question):
                        sock.sendto(datagram, client)

            def end() -> None:
                with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as last:
                    last.sendto(b"end", sock.getsockname())
                thread.join(5)

            thread = Thread(target=loop, daemon=True)
            thread.start()
            stack.callback(end)
            return int(sock.getsockname()[1])

        yield serve


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for ``site.test`` and ``::1`` that is its own authority, with its key, in one
    file.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site.test")])
    now = datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName(
        [x509.DNSName("site.test"), x509.IPAddress(LOOPBACK)]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "site.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.fixture
def tls_server(certificate: Path, tcp_server: Callable[[Handler], int]) -> Callable[[Handler], int]:
    def serve(handler: Handler) -> int:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        context.set_alpn_protocols(["h2", "http/1.1"])

        def over_tls(connection: socket.socket) -> None:
            with (
                contextlib.suppress(ssl.SSLError),
                context.wrap_socket(connection, server_side=True) as secure,
            ):
                handler(secure)

        return tcp_server(over_tls)

    return serve


@pytest.fixture
def routed(world: World) -> World:
    """A host whose default routes lead to a router that has none."""
    world.sh(
        "ip netns add router; ip link add near type veth peer name far netns router;"
        "within='ip netns exec router';"
        "$within sh -c 'cd /proc/sys/net; echo 1 > ipv4/ip_forward;"
        " echo 1 > ipv6/conf/all/forwarding';"
        "ip link set near up; $within ip link set far up;"
        "ip addr add 2001:db8::2/64 dev near nodad; ip addr add 192.0.2.2/24 dev near;"
        "$within ip addr add 2001:db8::1/64 dev far nodad;"
        "$within ip addr add 192.0.2.1/24 dev far;"
        "ip route add default via 2001:db8::1; ip route add default via 192.0.2.1"
    )
    return world
