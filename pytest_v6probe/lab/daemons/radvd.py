"""How are routers advertised? radvd, on the links of one router (RFC 4861 §6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import Daemon

if TYPE_CHECKING:
    from ipaddress import IPv6Address, IPv6Network
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Radvd(Daemon):
    """Advertises one prefix on each link, several times a second.

    Intervals below 3 s are allowed where the Advertisement Interval option is sent (RFC 6275 §7.5).
    """

    program: ClassVar[str] = "radvd"

    links: tuple[tuple[str, IPv6Network], ...]
    """Interface and prefix of each subnet."""
    rdnss: IPv6Address | None = None
    lifetime_s: int = 1800  # RFC 4861 §6.2.1: 3 times MaxRtrAdvInterval of 600 s
    preference: str = "medium"  # RFC 4191 §2.2
    autonomous: bool = True
    least_s: float = 0.15
    most_s: float = 0.4

    def files(self, home: Path) -> dict[str, str]:
        del home
        return {"radvd.conf": "\n".join(self._link(link, prefix) for link, prefix in self.links)}

    def argv(self, home: Path) -> tuple[str, ...]:
        return (
            self.program,
            "--nodaemon",
            "--logmethod",
            "stderr",
            "--config",
            str(home / "radvd.conf"),
            "--pidfile",
            str(home / "radvd.pid"),
        )

    def _link(self, link: str, prefix: IPv6Network) -> str:
        rdnss = (
            f"  RDNSS {self.rdnss} {{ AdvRDNSSLifetime 1800; }};\n"
            if self.rdnss is not None
            else ""
        )
        return (
            f"interface {link} {{\n"
            f"  AdvSendAdvert on;\n  AdvIntervalOpt on;\n  IgnoreIfMissing on;\n"
            f"  MinRtrAdvInterval {self.least_s};\n  MaxRtrAdvInterval {self.most_s};\n"
            f"  AdvDefaultLifetime {self.lifetime_s};\n  AdvDefaultPreference {self.preference};\n"
            f"  prefix {prefix} {{\n    AdvOnLink on;\n"
            f"    AdvAutonomous {'on' if self.autonomous else 'off'};\n"
            # RFC 4861 §6.2.1
            "    AdvValidLifetime 2592000;\n    AdvPreferredLifetime 604800;\n  };\n"
            f"{rdnss}}};\n"
        )
