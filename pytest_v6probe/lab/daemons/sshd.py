"""Who lets people in? OpenSSH's server, with a host key and the lab's one user key."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import Daemon, Question

if TYPE_CHECKING:
    from pathlib import Path

BANNER = "This host is part of a lab.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sshd(Daemon):
    """Listens on every IPv6 address of its node; a login is by key only."""

    program: ClassVar[str] = "sshd"

    host_key: Path
    authorized_keys: Path

    def files(self, home: Path) -> dict[str, str]:
        return {
            "banner": BANNER,
            "sshd_config": (
                "Port 22\nAddressFamily inet6\nListenAddress ::\nPidFile none\n"
                f"HostKey {self.host_key}\n"
                f"AuthorizedKeysFile {self.authorized_keys}\nBanner {home}/banner\n"
                # without root, "/" belongs to nobody: the machine's root has no name in the lab
                "StrictModes no\n"
                "PermitRootLogin no\nPasswordAuthentication no\n"
                "KbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\n"
                "PrintMotd no\nPrintLastLog no\nMaxStartups 200\nMaxSessions 200\n"
            ),
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "-D", "-e", "-f", str(home / "sshd_config"))

    def ready(self) -> tuple[Question, ...]:
        return (
            Question(
                address=IPv6Address("::1"),
                port=22,
                send=b"SSH-2.0-v6probe\r\n",
                pattern=rb"SSH-2\.0-",
            ),
        )
