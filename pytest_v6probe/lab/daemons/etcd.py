"""Where does a cluster keep what it knows? etcd, one member, over TLS."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PORT, PEER_PORT, HEALTH_PORT = 2379, 2380, 2381
URL = f"https://[::1]:{PORT}"
LOOPBACK = (IPv6Address("::1"), IPv4Address("127.0.0.1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Etcd(Daemon):
    """Answers on the loopback of its node whoever has a certificate of the lab's authority."""

    program: ClassVar[str] = "etcd"

    @property
    def certificates(self) -> Mapping[str, Certificate]:
        """As the server that it is."""
        own = Certificate(name="localhost", addresses=LOOPBACK)
        return MappingProxyType({CERTIFICATE_FILE: own})

    def files(self, home: Path) -> dict[str, str]:
        del home
        return {}

    def argv(self, home: Path) -> tuple[str, ...]:
        own = str(home / CERTIFICATE_FILE)
        return (
            self.program,
            f"--data-dir={home / 'data'}",
            f"--listen-client-urls={URL}",
            f"--advertise-client-urls={URL}",
            f"--cert-file={own}",
            f"--key-file={own}",
            f"--trusted-ca-file={anchor.AUTHORITY}",
            "--client-cert-auth",
            "--enable-grpc-gateway=false",  # it would be a client with the server's certificate
            f"--listen-peer-urls=http://127.0.0.1:{PEER_PORT}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{PEER_PORT}",
            f"--initial-cluster=default=http://127.0.0.1:{PEER_PORT}",
            f"--listen-metrics-urls=http://[::1]:{HEALTH_PORT}",
            "--heartbeat-interval=20",
            "--election-timeout=200",  # it has nobody to lose one to, and waits that long for one
            "--logger=zap",
            "--log-level=warn",
        )

    def ready(self) -> tuple[Question, ...]:
        return (
            Question(
                address=IPv6Address("::1"),
                port=HEALTH_PORT,
                send=b"GET /health HTTP/1.0\r\n\r\n",
                pattern=rb"HTTP/1\.0 200 ",
            ),
        )
