"""Who translates between IPv6 and IPv4? TAYGA: stateless NAT64 (RFC 7915) on a tunnel device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import Daemon, Question

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Network
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Tayga(Daemon):
    """Translates whatever its node routes into the tunnel device *tun*."""

    program: ClassVar[str] = "tayga"

    tun: str
    prefix: IPv6Network
    own: IPv4Address
    pool: IPv4Network
    beyond: Question
    """Answered only through the translator: shows that it translates."""

    def files(self, home: Path) -> dict[str, str]:
        return {
            "tayga.conf": f"tun-device {self.tun}\nipv4-addr {self.own}\nprefix {self.prefix}\n"
            f"dynamic-pool {self.pool}\ndata-dir {home}\n"
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (
            self.program,
            "--nodetach",
            "--config",
            str(home / "tayga.conf"),
            "--pidfile",
            str(home / "tayga.pid"),
        )

    def ready(self) -> tuple[Question, ...]:
        return (self.beyond,)
