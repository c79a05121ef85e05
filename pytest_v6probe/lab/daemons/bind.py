"""Who answers DNS? BIND: authoritative, or the VPC's resolver with DNS64 (RFC 6147)."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import Daemon, Question
from pytest_v6probe.rfc import rfc1035

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_v6probe.result import Address

LINK_LOCAL = IPv4Network("169.254.0.0/16")
"""Means another host on every link: nothing is synthesised from it (RFC 6052 §3.1)."""
NO_ZONES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind(Daemon):
    """Serves *zones* on *addresses*; with *forwarders* it also resolves every other name for
    whoever asks.
    """

    program: ClassVar[str] = "named"
    own_copy: ClassVar[bool] = True

    addresses: tuple[Address, ...]
    zones: Mapping[str, str] = field(default_factory=lambda: NO_ZONES)
    """Zone texts by origin (without the trailing dot; the root is ``""``)."""
    forwarders: tuple[Address, ...] = ()
    dns64: IPv6Network | None = None
    ignore_native: bool = False
    """Synthesise although a real AAAA exists, by excluding all of them (RFC 6147 §5.1.4)."""
    redirect: str = ""
    """A zone text whose records are given instead of NXDOMAIN."""
    rewrite: str = ""
    """A response policy zone: names whose answers are replaced."""
    asked: tuple[str, str] = (".", "SOA")
    """Name and type of a question with a positive answer, which shows that it is ready."""

    def files(self, home: Path) -> dict[str, str]:
        extra = {"redirect.zone": self.redirect, "rewrite.zone": self.rewrite}
        return {
            "named.conf": self._config(home),
            **{_file(origin): text for origin, text in self.zones.items()},
            **{name: text for name, text in extra.items() if text},
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "-g", "-n", "1", "-c", str(home / "named.conf"))

    def ready(self) -> tuple[Question, ...]:
        flags = (
            rb"\x81\x80" if self.forwarders else rb"\x85\x00"
        )  # RFC 1035 §4.1.1: QR, (AA,) RD, (RA,) NOERROR
        query = rfc1035.query(*self.asked, id=0x7636)
        return tuple(
            Question(address=address, port=53, send=query, pattern=rb"v6" + flags, udp=True)
            for address in self.addresses
        )

    def _config(self, home: Path) -> str:
        listen = {6: "none;", 4: "none;"}
        for version in listen:
            own = [f"{address};" for address in self.addresses if address.version == version]
            listen[version] = " ".join(own) or "none;"
        zones = "".join(
            f'zone "{origin or "."}" {{ type primary; file "{_file(origin)}"; }};\n'
            for origin in self.zones
        )
        if self.redirect:
            zones += 'zone "." { type redirect; file "redirect.zone"; };\n'
        if self.rewrite:
            zones += 'zone "rewrite" { type primary; file "rewrite.zone"; };\n'
        return (
            f'options {{\n  directory "{home}";\n  pid-file none;\n  session-keyfile none;\n'
            f"  listen-on {{ {listen[4]} }};\n  listen-on-v6 {{ {listen[6]} }};\n"
            "  allow-query { any; };\n  dnssec-validation no;\n"
            "  empty-zones-enable no;\n  max-cache-size 8m;\n"
            f"  notify no;\n  prefetch 0;\n  servfail-ttl 0;\n  interface-interval 0;\n"
            f"  minimal-responses no-auth-recursive;\n"
            f"{self._recursion()}}};\ncontrols {{}};\n{zones}"
        )

    def _recursion(self) -> str:
        if not self.forwarders:
            return "  recursion no;\n"
        servers = " ".join(f"{address};" for address in self.forwarders)
        text = (
            "  recursion yes;\n  allow-recursion { any; };\n"
            f"  forward only;\n  forwarders {{ {servers} }};\n"
        )
        if self.dns64 is not None:
            exclude = " exclude { any; };" if self.ignore_native else ""
            text += (
                f"  dns64 {self.dns64} {{ clients {{ any; }};"
                f" mapped {{ !{LINK_LOCAL}; any; }};{exclude} }};\n"
            )
        if self.rewrite:
            text += '  response-policy { zone "rewrite"; };\n'
        return text


def _file(origin: str) -> str:
    return f"{origin or 'root'}.zone"
