"""Who handles router advertisements on each interface: the kernel, a daemon, two of them, or nobody?

The kernel does if accept_ra and forwarding say so (ip-sysctl.rst); systemd-networkd sets
accept_ra=0 on the links it manages and handles them itself (systemd.network(5), IPv6AcceptRA=), and
so does NetworkManager, and dhcpcd (dhcpcd.conf(5), ipv6rs). Debian's ifupdown leaves it to the
kernel and chooses its accept_ra (interfaces(5)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import netlink, routes, sysctl
from pytest_v6probe.probes import ra_owner_cures, ra_owner_files, replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_v6probe.linux.links import Link
    from pytest_v6probe.linux.routes import Route

_CONF = "/proc/sys/net/ipv6/conf/*"
_NETWORKD = "/run/systemd/netif/links/"
_NETWORK_MANAGER = "/run/NetworkManager/devices/"

PATTERNS = (
    f"{_CONF}/accept_ra",
    f"{_CONF}/accept_ra_defrtr",
    f"{_CONF}/forwarding",
    f"{_NETWORKD}*",
    f"{_NETWORK_MANAGER}*",
)
"""The files that `owner` wants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaOwner(Finding):
    """Who handles router advertisements on the interface that leads out of the host.

    Verdicts: ``one-owner``; ``two-owners`` (both write routes and addresses, and one of them takes
    away what the other needs); ``nobody``; ``no-interface`` (none is up); ``unreadable``, or why
    the kernel gave no answer.
    """

    layer: ClassVar[Layer] = Layer.RA
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    owners: tuple[str, ...] = ()
    """``kernel``, ``ifupdown`` (the kernel, as ifupdown told it), ``systemd-networkd``,
    ``NetworkManager``, ``dhcpcd``.
    """
    interface: str = ""
    accept_ra: int | None = None
    forwarding: int | None = None
    manager: str = ""
    """Who would handle them if anybody did: whose files configure the interface."""

    @property
    def owner(self) -> str:
        """The only owner; empty where there is none, or more than one."""
        return self.owners[0] if len(self.owners) == 1 else ""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Why there is not one owner, and the command that makes it one."""
        if self.verdict == "two-owners":
            return ra_owner_cures.two_owners(self.owners, self.interface)
        if self.verdict == "nobody":
            return ra_owner_cures.nobody(
                self.manager,
                self.interface,
                accept_ra=self.accept_ra or 0,
                forwarding=bool(self.forwarding),
            )
        return None


@Probe
def ra_owner(*, interface: str = "") -> Ask[RaOwner]:
    """Who handles router advertisements on *interface*; by default the one with the default route,
    else the first that is up.
    """
    dump = wire.netlink(netlink.dump_links(), netlink.dump_routes(6))
    files = wire.read(*PATTERNS, *ra_owner_files.PATTERNS)
    return Ask(operations=(dump, files), judge=partial(judge, interface=interface))


def judge(seen: Seen, *, interface: str = "") -> RaOwner:
    """Put together the routes, the sysctls and what daemons wrote of themselves. Pure."""
    reply, files = seen.replies[0], replies.files(seen.replies[1])
    asked = f"who handles router advertisements{f' on {interface}' if interface else ''}"
    found = partial(RaOwner, vantage=seen.vantage, asked=asked, elapsed_s=reply.elapsed_s)
    if reply.outcome != "answered":
        return found(verdict=reply.outcome)
    try:
        links, known = netlink.read_links(reply.payload), netlink.read_routes(reply.payload)
        link = _outward(links, known, interface)
        if link is None:
            return found(verdict="no-interface", interface=interface)
        settings = sysctl.read(files, interface=link.name)
    except ValueError:
        return found(verdict="unreadable")
    there = owners(files, known, interface=link.name, index=link.index)
    if not there and settings.takes_default_route is None:
        return found(verdict="unreadable", interface=link.name)
    return found(
        verdict={0: "nobody", 1: "one-owner"}.get(len(there), "two-owners"),
        owners=there,
        interface=link.name,
        accept_ra=settings.accept_ra,
        forwarding=settings.forwarding,
        manager=manager(files, interface=link.name, index=link.index),
        evidence=(
            f"{link.name}: accept_ra={settings.accept_ra} forwarding={settings.forwarding}",
            *ra_owner_files.said(files, index=link.index, interface=link.name),
        ),
    )


def owner(files: Mapping[str, bytes], *, interface: str, index: int) -> str:
    """``kernel``, ``systemd-networkd``, ``NetworkManager``, ``nobody``, or ``unknown`` where the
    files do not tell.
    """
    if _kernel(files, interface):
        return "kernel"
    if b"ADMIN_STATE=configured" in files.get(f"{_NETWORKD}{index}", b""):
        return "systemd-networkd"
    if b"managed=true" in files.get(f"{_NETWORK_MANAGER}{index}", b""):
        return "NetworkManager"
    return "unknown" if _kernel(files, interface) is None else "nobody"


def owners(
    files: Mapping[str, bytes], known: Sequence[Route], *, interface: str, index: int
) -> tuple[str, ...]:
    """Everybody who handles router advertisements on *interface*, the kernel first."""
    kernel = bool(_kernel(files, interface))
    # NetworkManager leaves advertisements to the kernel with ipv6.method=ignore; its own routes
    # never expire: it takes them away itself.
    lasting = any(r.protocol == "ra" and r.index == index and r.expires_s is None for r in known)
    there = []
    if kernel:
        told = ra_owner_files.by_ifupdown(files, interface=interface)
        there.append("ifupdown" if told else "kernel")
    if ra_owner_files.by_networkd(files, index=index):
        there.append("systemd-networkd")
    if ra_owner_files.by_network_manager(files, index=index) and (lasting or not kernel):
        there.append("NetworkManager")
    if ra_owner_files.by_dhcpcd(files, interface=interface) and (lasting or not kernel):
        there.append("dhcpcd")
    return tuple(there)


def manager(files: Mapping[str, bytes], *, interface: str, index: int) -> str:
    """Whose files configure *interface*; ``kernel`` where no daemon does."""
    if f"{_NETWORKD}{index}" in files and ra_owner_files.configured(files, index=index):
        return "systemd-networkd"
    if ra_owner_files.by_network_manager(files, index=index):
        return "NetworkManager"
    if ra_owner_files.by_dhcpcd(files, interface=interface):
        return "dhcpcd"
    return "ifupdown" if ra_owner_files.by_ifupdown(files, interface=interface) else "kernel"


def _outward(links: Sequence[Link], known: Sequence[Route], interface: str) -> Link | None:
    """The interface that is meant: by its name, by the default route, or the first that is up."""
    if interface:
        return next((link for link in links if link.name == interface), None)
    indices = [route.index for route in routes.default_routes(known)]
    by_route = next((link for link in links if link.index in indices[:1]), None)
    usable = (
        link
        for link in links
        if link.up and link.running and not link.loopback and link.kind != "bridge"
    )
    return by_route or min(usable, key=lambda link: link.index, default=None)


def _kernel(files: Mapping[str, bytes], interface: str) -> bool | None:
    try:
        return sysctl.read(files, interface=interface).takes_default_route
    except ValueError:
        return None
