"""Who handles router advertisements in user space? systemd-networkd, on one link of its host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import Daemon

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address
    from pathlib import Path

PROGRAM = "/lib/systemd/systemd-networkd"
METRIC = 512
"""Of its default route: another than the kernel's, so that one can tell whose route it is."""
USER, USER_ID = "systemd-network", 998
START = f"""
mount -o remount,bind,ro /sys    # read-only means to it: there is no udev to wait for
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
mkdir -p /run/systemd/netif/lldp
cp "$1" /run/systemd/network/10-link.network
chown -R {USER_ID}:{USER_ID} /run/systemd/netif
exec {PROGRAM}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Networkd(Daemon):
    """Takes *link*: sets its accept_ra to 0 and makes addresses and routes from advertisements
    itself.
    """

    program: ClassVar[str] = "unshare"

    link: str
    token: IPv6Address
    """The host part of the address that it makes from an advertised prefix."""
    ipv4: IPv4Address
    routes: tuple[IPv4Network, ...] = ()
    """What is on the link besides."""

    def files(self, home: Path) -> dict[str, str]:
        del home
        routes = "".join(f"[Route]\nDestination={to}\nScope=link\n" for to in self.routes)
        return {
            "link.network": (
                f"[Match]\nName={self.link}\n"
                "[Network]\nIPv6AcceptRA=yes\nLinkLocalAddressing=ipv6\n"
                f"[IPv6AcceptRA]\nToken=static:{self.token}\nUseDNS=no\n"
                f"RouteMetric={METRIC}\n"
                f"[Address]\nAddress={self.ipv4}/32\nScope=link\n"
                f"DuplicateAddressDetection=none\n{routes}"
            )
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "--mount", "sh", "-e", "-c", START, "sh", str(home / "link.network"))
