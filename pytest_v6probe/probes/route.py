"""Which default route does the host have, who gave it, and is it kept alive? RFC 4861 §6.3.4, as
its kernel says.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import netlink, routes
from pytest_v6probe.probes import ra_owner, replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.linux.routes import Route

RENEWAL_S = 0.15
"""Two readings of one expiry differ by less: the route and the uptime are read milliseconds apart.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultRoute(Finding):
    """The IPv6 default route of one host, the best one if there are several.

    Verdicts: ``present``; ``absent``; ``several-routers`` (two gateways on one link: one of them
    may be a rogue, RFC 6104); ``expired``; ``unreadable``, or why the kernel gave no answer.
    """

    layer: ClassVar[Layer] = Layer.ROUTE
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.RA,)

    gateway: IPv6Address | None = None
    gateways: frozenset[IPv6Address] = frozenset()
    interface: str = ""
    origin: str = ""
    """Who put it there: ``ra``, ``static``, ``boot``, ``dhcp``, …; empty where there is none."""
    owner: str = ""
    """Who handles router advertisements on its interface: ``kernel``, ``systemd-networkd``,
    ``nobody``, …
    """
    expires_s: float | None = field(default=None, compare=False)
    """Seconds until it goes; None if it stays."""
    expires_at_s: float | None = field(default=None, compare=False)
    """The same as an instant: seconds after the host's boot."""

    @property
    def present(self) -> bool:
        """Whether there is a default route that has not expired."""
        return self.verdict in {"present", "several-routers"}

    @property
    def broken_layer(self) -> Layer:
        """A second router comes by router advertisement, so that is where to look."""
        by_ra = self.verdict == "several-routers" and self.origin == "ra"
        return Layer.RA if by_ra else self.layer

    def renewed_since(self, before: DefaultRoute) -> bool:
        """Whether a router advertisement after *before* renewed it: it now expires at a later
        instant.

        A route from an advertisement that never expires, where the kernel does not handle them,
        belongs to a daemon (NetworkManager, dhcpcd), which takes it away when its lifetime ends.
        """
        if not self.present:
            return False
        if self.expires_at_s is None or before.expires_at_s is None:
            return self.expires_at_s is None and self.origin == "ra" and self.owner != "kernel"
        return self.expires_at_s > before.expires_at_s + RENEWAL_S


@Probe
def default_route() -> Ask[DefaultRoute]:
    """The IPv6 default route of the host, and who handles router advertisements there."""
    dump = wire.netlink(netlink.dump_links(), netlink.dump_routes(6))
    return Ask(operations=(dump, wire.read("/proc/uptime", *ra_owner.PATTERNS)), judge=judge)


def judge(seen: Seen) -> DefaultRoute:
    """Read the kernel's main table. Pure."""
    reply, files = seen.replies[0], replies.files(seen.replies[1])
    defaults, failed = read(reply)
    if not defaults:
        return DefaultRoute(
            vantage=seen.vantage,
            asked="::/0",
            verdict=failed or "absent",
            elapsed_s=reply.elapsed_s,
        )
    best, up_s = defaults[0], _uptime_s(files)
    expires_at_s = None if best.expires_s is None or up_s is None else up_s + best.expires_s
    return DefaultRoute(
        vantage=seen.vantage,
        asked="::/0",
        verdict=_verdict(defaults),
        gateway=best.gateway if isinstance(best.gateway, IPv6Address) else None,
        gateways=frozenset(r.gateway for r in defaults if isinstance(r.gateway, IPv6Address)),
        interface=best.interface,
        origin=best.protocol,
        owner=ra_owner.owner(files, defaults, interface=best.interface, index=best.index),
        expires_s=best.expires_s,
        expires_at_s=expires_at_s,
        elapsed_s=reply.elapsed_s,
        evidence=tuple(map(line, defaults[:8])),
    )


def read(reply: wire.Reply) -> tuple[tuple[Route, ...], str]:
    """The IPv6 default routes in the answer to a dump, best first, and why if unreadable."""
    if reply.outcome != "answered":
        return (), reply.outcome
    try:
        found = routes.default_routes(netlink.read_routes(reply.payload))
    except ValueError:
        return (), "unreadable"
    return tuple(route for route in found if not route.dead), ""


def line(route: Route) -> str:
    """One route as a person reads it."""
    lasts = "" if route.expires_s is None else f" expires {route.expires_s:.0f} s"
    return replies.shown(
        f"default via {route.gateway} dev {route.interface} proto {route.protocol} "
        f"metric {route.metric}{lasts}"
    )


def _verdict(defaults: tuple[Route, ...]) -> str:
    alive = [r for r in defaults if r.expires_s is None or r.expires_s > 0]
    by_link: dict[int, set[object]] = defaultdict(set)
    for route in alive:
        by_link[route.index].add(route.gateway)
    if any(len(gateways) > 1 for gateways in by_link.values()):
        return "several-routers"
    return "present" if alive else "expired"


def _uptime_s(files: Mapping[str, bytes]) -> float | None:
    try:
        return float(files["/proc/uptime"].split()[0])
    except (KeyError, IndexError, ValueError):
        return None
