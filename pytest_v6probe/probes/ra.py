"""Are router advertisements heard, do they offer a default router, and does the host take it? RFC
4861 §6.3.4.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import netlink
from pytest_v6probe.probes import ra_owner, replies, route
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.rfc import rfc4861
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Reply
    from pytest_v6probe.linux.routes import Route
    from pytest_v6probe.rfc.rfc4861 import RouterAdvertisement

_GROUPS = netlink.GROUP_IPV6_ROUTE | netlink.GROUP_ND_USEROPT


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterAdvertisements(Finding):
    """What routers advertised to one host while it listened.

    Verdicts: ``heard`` (and the host takes it); ``not-heard``; ``lifetime-zero`` (no router offers
    itself as a default router; without the right to read advertisements this is inferred: they
    come, the kernel takes them, and yet has no default route of theirs); ``not-accepted``
    (accept_ra and forwarding tell the kernel to ignore them, and no daemon handles them);
    ``invalid`` (only such as RFC 4861 §6.1.2 wants discarded); or why the agent could not listen.
    """

    layer: ClassVar[Layer] = Layer.RA
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    routers: frozenset[IPv6Address] = frozenset()
    owner: str = ""
    """Who handles them on the interface where they came: ``kernel``, ``systemd-networkd``,
    ``nobody``, …
    """
    interface: str = ""
    lifetime_s: float | None = field(default=None, compare=False)
    """The router lifetime: as advertised, or what is left of the route's where advertisements
    cannot be read.
    """
    prefixes: frozenset[IPv6Network] = frozenset()
    pref64: frozenset[IPv6Network] = frozenset()
    """NAT64 prefixes (RFC 8781); many clouds send none."""


@Probe
def router_advertisements(*, within_s: float = 10.0) -> Ask[RouterAdvertisements]:
    """Listen for router advertisements until one is heard, at most *within_s* seconds.

    Asks routers for one (RFC 4861 §6.3.7) where the agent has the right to; else it waits for the
    next that comes.
    """
    heard = wire.watch(groups=_GROUPS, timeout_s=within_s)
    dump = wire.netlink(netlink.dump_links(), netlink.dump_routes(6))
    return Ask(
        operations=(heard, dump, wire.read(*ra_owner.PATTERNS)),
        judge=partial(judge, within_s=within_s),
    )


def judge(seen: Seen, *, within_s: float) -> RouterAdvertisements:
    """Put together what was heard, the routes and the sysctls. Pure."""
    watched, dump, settings = seen.replies
    defaults, _ = route.read(dump)
    heard, invalid, came_on = _raw(watched)
    interface = came_on or _counted(watched)
    learned = [r for r in defaults if r.protocol == "ra" and r.interface == interface]
    owner = _owner(settings, dump, interface) if interface else ""
    offered = [ra for ra in heard if ra.lifetime_s]
    return RouterAdvertisements(
        vantage=seen.vantage,
        asked=f"router advertisements within {within_s:g} s",
        verdict=_verdict(watched, heard, invalid, learned, interface=interface, owner=owner),
        routers=frozenset(ra.router for ra in offered) | _gateways(learned),
        owner=owner,
        interface=interface,
        lifetime_s=max((ra.lifetime_s for ra in heard), default=_left_s(learned)),
        prefixes=frozenset(p.prefix for ra in heard for p in ra.options.prefixes),
        pref64=frozenset(p.prefix for ra in heard for p in ra.options.pref64),
        elapsed_s=watched.elapsed_s,
        evidence=(
            replies.said(watched),
            *map(_line, heard[:4]),
            *invalid[:4],
            *map(route.line, defaults[:4]),
        ),
    )


def _verdict(
    watched: Reply,
    heard: list[RouterAdvertisement],
    invalid: list[str],
    learned: list[Route],
    *,
    interface: str,
    owner: str,
) -> str:
    if watched.outcome not in {"answered", "timed-out"}:
        return watched.outcome
    if not heard and (invalid or not interface):
        return "invalid" if invalid else "not-heard"
    if owner == "nobody":
        return "not-accepted"
    offered = any(ra.lifetime_s for ra in heard) if heard else bool(learned)
    return "heard" if offered else "lifetime-zero"


def _raw(watched: Reply) -> tuple[list[RouterAdvertisement], list[str], str]:
    """The valid advertisements, why each other one is invalid, and the interface of the first valid
    one.
    """
    heard: list[RouterAdvertisement] = []
    invalid: list[str] = []
    interface = ""
    for event in _events(watched):
        try:
            octets = b64decode(event["payload"])
            source = IPv6Address(str(event["from"]).partition("%")[0])
            heard.append(
                rfc4861.parse_advertisement(octets, source=source, hop_limit=event["hop_limit"])
            )
            interface = interface or str(event.get("interface", ""))
        except (ValueError, KeyError, TypeError) as why:
            invalid.append(replies.shown(f"invalid: {why}"))
    return heard, invalid, interface


def _events(watched: Reply) -> Iterator[Mapping[str, Any]]:
    events = watched.fields.get("events")
    for event in events if isinstance(events, list) else ():
        if isinstance(event, Mapping) and event.get("kind") == "ra":
            yield event


def _counted(watched: Reply) -> str:
    """The first interface on which the kernel counted an advertisement while the agent listened."""
    counters = watched.fields.get("counters")
    for interface, pair in counters.items() if isinstance(counters, Mapping) else ():
        match pair:
            case [int(before), int(after)] if after > before:
                return str(interface)
    return ""


def _owner(settings: Reply, dump: Reply, interface: str) -> str:
    try:
        links, known = netlink.read_links(dump.payload), netlink.read_routes(dump.payload)
    except ValueError:
        links, known = (), ()
    index = next((link.index for link in links if link.name == interface), 0)
    return ra_owner.owner(replies.files(settings), known, interface=interface, index=index)


def _gateways(learned: list[Route]) -> frozenset[IPv6Address]:
    return frozenset(r.gateway for r in learned if isinstance(r.gateway, IPv6Address))


def _left_s(learned: list[Route]) -> float | None:
    return max((r.expires_s for r in learned if r.expires_s is not None), default=None)


def _line(ra: RouterAdvertisement) -> str:
    return replies.shown(
        f"{ra.router} lifetime {ra.lifetime_s} s, preference {ra.preference}, "
        f"prefixes {', '.join(str(p.prefix) for p in ra.options.prefixes) or 'none'}"
    )
