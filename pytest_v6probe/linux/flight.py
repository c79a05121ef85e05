"""What happened on a host, and when? The flight recorder's file, read into a timeline.

The file is JSON lines, written by `agent/payload_flight.py` on the host under test: nothing here
trusts the shape of a line, and one that makes no sense, or was cut off, is counted and passed over.
Times are seconds since the recorder's start, on the host's monotonic clock.
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

from pytest_v6probe.linux import netlink, rtnetlink
from pytest_v6probe.linux.nlmsg import Message, messages
from pytest_v6probe.linux.routes import Route, default_routes
from pytest_v6probe.rfc import rfc4861

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RTM_DELLINK, RTM_DELADDR, RTM_DELROUTE = 17, 21, 25  # linux/rtnetlink.h
NLM_F_REPLACE = 0x100
_CONF = "/proc/sys/net/ipv6/conf/"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteChange:
    """A default route came (or was announced anew), or went. *port* is the netlink port of who did
    it; 0: the kernel itself.
    """

    t_s: float
    route: Route
    there: bool
    port: int = 0
    replaces: bool = False
    """Whether it took the place of the one with its metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A sysctl of ``net.ipv6.conf``, as ``eth0.accept_ra``, has another value."""

    t_s: float
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement:
    """A router advertisement arrived. *router* and *lifetime_s* are None where it was only counted
    by the kernel.
    """

    t_s: float
    interface: str
    router: IPv6Address | None = None
    lifetime_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """An interface changed: it is *up* and has a carrier, or not."""

    t_s: float
    interface: str
    up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """An IPv6 address of *interface* came, went, or had its lifetimes set. *port* as in
    `RouteChange`.
    """

    t_s: float
    interface: str
    port: int = 0


Event = RouteChange | Setting | Advertisement | LinkChange | AddressChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The default routes as they were at one instant, best first, with what was left of them."""

    t_s: float
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All that a recording says. *up_s* and *clock_s* are the host's uptime and wall clock at its
    start.
    """

    up_s: float
    clock_s: float = 0.0
    start: Look
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """At the start: ``eth0.accept_ra`` and its like."""
    events: tuple[Event, ...] = ()
    end: Look | None = None
    """None where the recording was cut off."""
    raw: bool = True
    """Whether advertisements could be read; else they are only counted."""
    lost: int = 0
    """Notifications that the kernel could not deliver."""
    unreadable: int = 0
    """Lines that made no sense."""

    def ending(self, look: Look) -> Timeline:
        """The same, with *look* as its end."""
        return replace(self, end=look)

    def until(self, t_s: float) -> Timeline:
        """The same without what came after *t_s*; the end stays if no default route changed after
        that.
        """
        changed = any(isinstance(e, RouteChange) and e.t_s > t_s for e in self.events)
        events = tuple(event for event in self.events if event.t_s <= t_s)
        return replace(self, events=events, end=None if changed else self.end)

    def defaults_at(self, t_s: float) -> tuple[Route, ...]:
        """The default routes as events tell it, best first, after everything up to *t_s*."""
        held = {_key(route): route for route in self.start.routes}
        for event in self.events:
            if isinstance(event, RouteChange) and event.t_s <= t_s:
                _apply(event, held)
        return default_routes(held.values())

    def walk(self) -> Iterator[tuple[RouteChange, int]]:
        """Each change of a default route, and how many there were after it."""
        held = {_key(route): route for route in self.start.routes}
        for event in self.events:
            if isinstance(event, RouteChange):
                _apply(event, held)
                yield event, len(held)

    def setting_at(self, name: str, t_s: float) -> str:
        """The value of the sysctl *name* at *t_s*; empty where it is not known."""
        value = self.sysctls.get(name, "")
        for event in self.events:
            if isinstance(event, Setting) and event.name == name and event.t_s <= t_s:
                value = event.value
        return value


def read(octets: bytes) -> Timeline:
    """Read a recording, perhaps one that still goes on. Raises ValueError where it does not begin
    with a start that can be read.
    """
    lines = octets.split(b"\n")
    try:
        first = _object(lines[0])
        names = {link.index: link.name for link in netlink.read_links(_octets(first, "links"))}
        reader = _Reader(names)
        start = reader.look(first)
        timeline = Timeline(
            up_s=float(first["up_s"]),
            clock_s=float(first.get("clock_s", 0.0)),
            start=start,
            sysctls=_sysctls(first.get("sysctls")),
            raw=bool(first.get("raw", True)),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as why:
        raise ValueError(f"not a flight recording: {why!r}") from why
    for line in lines[1:]:
        if line:
            reader.take(line)
    return replace(
        timeline,
        events=tuple(reader.events),
        end=reader.end,
        lost=reader.lost,
        unreadable=reader.unreadable,
    )


class _Reader:
    """Line by line; remembers the names of interfaces and what each router said last."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.said: dict[tuple[str, str], int] = {}
        self.events: list[Event] = []
        self.end: Look | None = None
        self.lost = self.unreadable = 0

    def take(self, line: bytes) -> None:
        try:
            said = _object(line)
            self.events += self._events(said)
            if said["kind"] == "end":
                self.lost += int(said.get("lost", 0))
                self.end = self.look(said) if said.get("routes") else None
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            self.unreadable += 1

    def look(self, said: Mapping[str, Any]) -> Look:
        found = [
            route
            for message in messages(_octets(said, "routes"))
            if message.type == netlink.RTM_NEWROUTE
            for route in rtnetlink.routes(message.body, self.names)
        ]
        alive = (route for route in found if not route.dead)
        return Look(t_s=float(said["t_s"]), routes=default_routes(alive))

    def _events(self, said: Mapping[str, Any]) -> list[Event]:
        t_s, kind = float(said["t_s"]), said["kind"]
        if kind == "netlink":
            port = int(said.get("port", 0))
            return [
                event
                for message in messages(_octets(said, "payload"))
                for event in self._kernel(message, t_s, port)
            ]
        if kind == "sysctl":
            ((name, value),) = _sysctls({said["name"]: said["value"]}).items()
            return [Setting(t_s=t_s, name=name, value=value)]
        if kind == "ra":
            return [self._advertisement(said, t_s)]
        if kind == "ra-counted":
            return [Advertisement(t_s=t_s, interface=str(said["interface"]))]
        return []

    def _advertisement(self, said: Mapping[str, Any], t_s: float) -> Advertisement:
        """A line without payload says that the router repeats itself."""
        interface, source = str(said["interface"]), str(said["from"]).partition("%")[0]
        router = IPv6Address(source)
        if "payload" in said:
            octets, hops = _octets(said, "payload"), int(said["hop_limit"])
            parsed = rfc4861.parse_advertisement(octets, source=router, hop_limit=hops)
            self.said[interface, source] = parsed.lifetime_s
        lifetime_s = self.said.get((interface, source))
        return Advertisement(t_s=t_s, interface=interface, router=router, lifetime_s=lifetime_s)

    def _kernel(self, message: Message, t_s: float, port: int) -> Iterator[Event]:
        if message.type in {netlink.RTM_NEWROUTE, RTM_DELROUTE}:
            there = message.type == netlink.RTM_NEWROUTE
            for route in default_routes(rtnetlink.routes(message.body, self.names)):
                instead = bool(message.flags & NLM_F_REPLACE)
                yield RouteChange(t_s=t_s, route=route, there=there, port=port, replaces=instead)
        elif message.type in {netlink.RTM_NEWLINK, RTM_DELLINK}:
            link = rtnetlink.link(message.body)
            self.names[link.index] = link.name or self.names.get(link.index, str(link.index))
            up = message.type == netlink.RTM_NEWLINK and link.up and link.running
            yield LinkChange(t_s=t_s, interface=self.names[link.index], up=up)
        elif message.type in {netlink.RTM_NEWADDR, RTM_DELADDR}:
            address = rtnetlink.address(message.body, self.names)
            yield AddressChange(t_s=t_s, interface=address.interface, port=port)


def _apply(event: RouteChange, held: dict[tuple[object, ...], Route]) -> None:
    route = event.route
    if event.replaces:
        for key in [k for k, other in held.items() if other.metric == route.metric]:
            del held[key]
    if event.there:
        held[_key(route)] = route
    else:
        held.pop(_key(route), None)


def _key(route: Route) -> tuple[object, ...]:
    return (route.gateway, route.index, route.metric, route.protocol)


def _sysctls(said: object) -> dict[str, str]:
    found = said if isinstance(said, dict) else {}
    paths = {str(path): str(value).strip() for path, value in found.items()}
    return {
        path.removeprefix(_CONF).replace("/", "."): value
        for path, value in paths.items()
        if path.startswith(_CONF)
    }


def _object(line: bytes) -> dict[str, Any]:
    said = json.loads(line)
    if not isinstance(said, dict):
        raise TypeError("a line that is no object")
    return said


def _octets(said: Mapping[str, Any], key: str) -> bytes:
    text = said[key]
    if not isinstance(text, str):
        raise TypeError(f"{key} is no text")
    return b64decode(text, validate=True)
