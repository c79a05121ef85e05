"""How do packets for an address behind a host get to that host: by a route, or because it answers
for it on its link?
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import netlink
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_v6probe.linux.neighbours import NeighbourProxy as Entry
    from pytest_v6probe.linux.routes import Route

_CONF = "/proc/sys/net/ipv6/conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourProxy(Finding):
    """What one host does for an address that it forwards to, a container's.

    Verdicts: ``proxied`` (it answers neighbour solicitations for it on *interface*);
    ``proxy-off`` (it has an entry for that, but proxy_ndp or forwarding is off there);
    ``unanswered`` (the address lies in the prefix of *interface*, so the routers there look for it
    on the link, and the kernel does not answer; a daemon such as ndppd may, which is not seen);
    ``routed`` (it lies in no prefix of the host's links: the routers need a route to the host);
    ``own`` (it is the host's), ``elsewhere`` (the host sends it to a router), ``no-route``;
    ``unreadable``, or why the kernel gave no answer.
    """

    layer: ClassVar[Layer] = Layer.FORWARDING
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    interface: str = ""
    """The link on which it is proxied, or would have to be."""
    inside: str = ""
    """The link behind which the address is."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Why nobody on the link learns where the address is."""
        link = self.interface
        if self.verdict == "proxy-off":
            return (
                f"the entry for {self.asked} on {link} is not heeded: proxy_ndp or forwarding is 0",
                f"sysctl -w net.ipv6.conf.{link}.proxy_ndp=1 net.ipv6.conf.{link}.forwarding=1",
            )
        if self.verdict == "unanswered":
            return (
                f"{self.asked} lies in the prefix of {link}, and the host does not answer for it",
                f"ip -6 neighbour add proxy {self.asked} dev {link}; or route another prefix to it",
            )
        return None


@Probe
def neighbour_proxy(address: IPv6Address) -> Ask[NeighbourProxy]:
    """How packets for *address*, behind the host, get to the host."""
    dumps = (netlink.dump_links(), netlink.dump_routes(6), netlink.dump_neighbour_proxies())
    return Ask(
        operations=(
            wire.netlink(*dumps, netlink.route_to(address)),
            wire.read(f"{_CONF}/*/proxy_ndp", f"{_CONF}/*/forwarding"),
        ),
        judge=partial(judge, address=address),
    )


def judge(seen: Seen, *, address: IPv6Address) -> NeighbourProxy:
    """Read the kernel's routes and proxy entries. Pure."""
    reply = seen.replies[0]
    verdict, interface, inside, evidence = reply.outcome, "", "", replies.said(reply)
    if reply.outcome == "answered":
        try:
            decision = next(iter(netlink.read_route_to(reply.payload)), "ENETUNREACH")
            routes = netlink.read_routes(reply.payload)
            entries = netlink.read_neighbour_proxies(reply.payload)
        except ValueError:
            verdict = "unreadable"
        else:
            on = replies.files(seen.replies[1])
            verdict, interface, inside = _told(address, decision, routes, entries, on)
            evidence = f"{verdict}: out by {inside or 'nothing'}, in by {interface or 'a route'}"
    return NeighbourProxy(
        vantage=seen.vantage,
        asked=str(address),
        verdict=verdict,
        interface=interface,
        inside=inside,
        elapsed_s=reply.elapsed_s,
        evidence=(replies.shown(evidence),),
    )


def _told(
    address: IPv6Address,
    decision: Route | str,
    routes: Sequence[Route],
    entries: Sequence[Entry],
    files: Mapping[str, bytes],
) -> tuple[str, str, str]:
    """The verdict, the outer link and the inner one."""
    if isinstance(decision, str) or decision.type not in {"unicast", "local"}:
        return "no-route", "", ""
    inside = decision.interface
    if decision.type == "local":
        return "own", "", inside
    if decision.gateway is not None:
        return "elsewhere", "", inside
    return *_from_outside(address, inside, routes, entries, files), inside


def _from_outside(
    address: IPv6Address,
    inside: str,
    routes: Sequence[Route],
    entries: Sequence[Entry],
    files: Mapping[str, bytes],
) -> tuple[str, str]:
    """The verdict on an address that the host forwards to, and the outer link."""
    mine = [entry for entry in entries if entry.address == address and entry.interface != inside]
    for entry in mine:
        if _heeded(entry, files):
            return "proxied", entry.interface
    if mine:
        return "proxy-off", mine[0].interface
    for route in routes:
        if _on_link(route, address) and route.interface != inside:
            return "unanswered", route.interface
    return "routed", ""


def _heeded(entry: Entry, files: Mapping[str, bytes]) -> bool:
    """As ndisc_recv_ns() in the kernel's net/ipv6/ndisc.c: forwarding of the link, and proxy_ndp of
    it or of all.
    """

    def on(interface: str, key: str) -> bool:
        return files.get(f"{_CONF}/{interface}/{key}", b"0").strip() != b"0"

    link = entry.interface
    return on(link, "forwarding") and (on(link, "proxy_ndp") or on("all", "proxy_ndp"))


def _on_link(route: Route, address: IPv6Address) -> bool:
    return (
        route.gateway is None
        and route.type == "unicast"
        and not route.is_default
        and not route.dead
        and address in route.destination
    )
