"""Where does a packet go? Routes as Linux holds them, and its choice of a default one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

    from pytest_v6probe.result import Address

TABLE_MAIN = 254  # linux/rtnetlink.h
_PREFERENCE_RANK = {"high": 0, "medium": 1, "low": 2}  # RFC 4191 §2.1
_IPV6 = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route, or one next hop of a multipath route. A link-local gateway is without scope: see
    *interface*.
    """

    destination: IPv6Network | IPv4Network
    gateway: Address | None
    interface: str
    """The name, the index as text where no name was seen, or empty for a route without a device."""
    index: int
    protocol: str
    """Who put it there: ``ra``, ``kernel``, ``boot``, ``static``, ``dhcp``, …, or a number as text.
    """
    table: int = TABLE_MAIN
    metric: int = 0
    """Lower wins. In IPv6 an unset metric is 1024."""
    expires_s: float | None = None
    """Seconds until it goes; None if it stays. Only routes that the kernel itself learned (RA)
    expire.
    """
    preference: str | None = None
    """RFC 4191: ``low``, ``medium``, ``high``; None for IPv4."""
    type: str = "unicast"
    """``unicast``, ``unreachable``, ``blackhole``, ``prohibit``, ``throw``, ``local``, …"""
    source: Address | None = None
    """The source address the route prefers, or the one chosen in the answer to `netlink.route_to`.
    """
    mtu_bytes: int | None = None
    """The route's own MTU metric; for a cached exception, the path MTU."""
    dead: bool = False
    """RTNH_F_DEAD: the device is down; the kernel passes over it."""

    @property
    def is_default(self) -> bool:
        """Whether it covers the whole address family."""
        return self.destination.prefixlen == 0


def default_routes(routes: Iterable[Route], *, version: int = _IPV6) -> tuple[Route, ...]:
    """The default routes that forward packets, of the main table, best first.

    A default of type ``unreachable`` (older kernels show one on ``lo``) is not among them.
    """
    found = (
        route
        for route in routes
        if route.is_default
        and route.destination.version == version
        and route.table == TABLE_MAIN
        and route.type == "unicast"
    )
    return tuple(sorted(found, key=_rank))


def _rank(route: Route) -> tuple[int, int]:
    preference = _PREFERENCE_RANK.get(route.preference or "medium", 1)
    return (route.metric, preference)
