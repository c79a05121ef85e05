"""Who handles router advertisements on each interface: the kernel, a daemon, two of them, or nobody?

The kernel does if accept_ra and forwarding say so (ip-sysctl.rst); systemd-networkd sets
accept_ra=0 on the links it manages and handles them itself (systemd.network(5), IPv6AcceptRA=), and
so does NetworkManager, and dhcpcd (dhcpcd.conf(5), ipv6rs). Debian's ifupdown leaves it to the
kernel and chooses its accept_ra (interfaces(5)).

NetworkManager and dhcpcd write accept_ra=0 where they take advertisements, and leave it alone where
the kernel is to (NetworkManager 1.42.4: ipv6.method=ignore; dhcpcd 9.4.1: noipv6rs, -4, and an
interface that is not its business, whatever pid file it has).
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
_SYSCTLS = (f"{_CONF}/accept_ra", f"{_CONF}/accept_ra_defrtr", f"{_CONF}/forwarding")

PATTERNS = (*ra_owner_files.RUN, *_SYSCTLS)
"""The files that `owner` wants. The agent reads so many and no more: the sysctls of a host with
hundreds of interfaces come last.
"""


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
    files = wire.read(*ra_owner_files.PATTERNS, *PATTERNS)
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
        manager=manager(files, known, interface=link.name, index=link.index),
        evidence=(
            f"{link.name}: accept_ra={settings.accept_ra} forwarding={settings.forwarding}",
            *ra_owner_files.said(files, index=link.index, interface=link.name),
        ),
    )


def owner(
    files: Mapping[str, bytes], known: Sequence[Route] = (), *, interface: str, index: int
) -> str:
    """``kernel``, ``systemd-networkd``, ``NetworkManager``, ``dhcpcd``, ``nobody``, or ``unknown``
    where the files do not tell. *known* are routes, the default ones at least.
    """
    there = owners(files, known, interface=interface, index=index)
    if there:
        return "kernel" if there[0] in ra_owner_cures.KERNEL else there[0]
    return "unknown" if _kernel(files, interface) is None else "nobody"


def owners(
    files: Mapping[str, bytes], known: Sequence[Route], *, interface: str, index: int
) -> tuple[str, ...]:
    """Everybody who handles router advertisements on *interface*, the kernel first."""
    left, alien = _left_to_daemons(files, interface), _alien(known, index)
    there = []
    if _kernel(files, interface):
        told = ra_owner_files.by_ifupdown(files, interface=interface)
        there.append("ifupdown" if told else "kernel")
    if ra_owner_files.by_networkd(files, index=index):
        there.append("systemd-networkd")
    # Its ipv6.method is in files that hold secrets; with link-local, dhcp and disabled it writes
    # accept_ra=0 as well (1.42.4), but only with auto does it make routes.
    makes_routes = alien or (left and bool(_learned(known, index)))
    if ra_owner_files.by_network_manager(files, index=index) and makes_routes:
        there.append("NetworkManager")
    if (
        (alien or left)
        and ra_owner_files.by_dhcpcd(files, interface=interface)
        and ra_owner_files.dhcpcd_may(files, interface=interface)
    ):
        there.append("dhcpcd")
    return tuple(there)


def manager(
    files: Mapping[str, bytes], known: Sequence[Route], *, interface: str, index: int
) -> str:
    """Whose files configure *interface*; ``kernel`` where no daemon does."""
    if ra_owner_files.configured(files, index=index):
        return "systemd-networkd"
    if ra_owner_files.by_network_manager(files, index=index):
        return "NetworkManager"
    runs = ra_owner_files.by_dhcpcd(files, interface=interface)
    told_not_to = not ra_owner_files.dhcpcd_may(files, interface=interface)
    if runs and (told_not_to or _left_to_daemons(files, interface) or _alien(known, index)):
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


def _left_to_daemons(files: Mapping[str, bytes], interface: str) -> bool:
    try:
        return sysctl.read(files, interface=interface).accept_ra == 0
    except ValueError:
        return False


def _learned(known: Sequence[Route], index: int) -> list[Route]:
    return [route for route in known if route.protocol == "ra" and route.index == index]


def _alien(known: Sequence[Route], index: int) -> bool:
    """Whether the kernel did not make every default route by advertisement: its own expire, and
    have one metric.

    Those of NetworkManager 1.42.4 and dhcpcd 9.4.1 do not expire; NetworkConfiguration/dhcpcd PR 429
    (2025) makes them, and they have dhcpcd's own metric.
    """
    defaults = [route for route in _learned(known, index) if route.is_default]
    lasting = any(route.expires_s is None for route in defaults)
    return lasting or len({route.metric for route in defaults}) > 1
