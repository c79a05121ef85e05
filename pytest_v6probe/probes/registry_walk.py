"""How are many things got from a registry's servers at once? Names first, then requests, redirects
by hand.

Every step is one batch to the agent; every request leaves a hop, also where it shares a connection
with others; one that another's endless response left no time for was not made. What a server chose (a redirect, a
realm) is looked at before it is gone to, and never gets the authorization of another host.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import ceil
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING

from pytest_v6probe.agent import wire_requests
from pytest_v6probe.probes import registry_hop, registry_names, replies, url
from pytest_v6probe.probes.registry_hop import Fetch, Got, Hop
from pytest_v6probe.probes.registry_names import Place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv6Address

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.vantage import Vantage

MAX_REDIRECTS = 5
AT_ONCE = 32
"""Fewer connections than any agent has at once, so that a batch takes no longer than its longest."""
CONNECTIONS = 3
"""To one server at once: as many as an engine fetches layers on (dockerd,
``max-concurrent-downloads``).
"""
NO_TIME = Place(verdict="timed-out")


@dataclass(slots=True, kw_only=True, eq=False)
class Walk:
    """One walk along the servers of an image, from *at*, until *deadline* (monotonic)."""

    at: Vantage
    deadline: float
    ca: str = field(repr=False)
    step_s: float
    """How long one question, other than for a blob, may take."""
    hops: list[Hop] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set, repr=False)
    """What was sent, and must not be told, whoever says it again."""
    _places: dict[str, Place] = field(default_factory=dict)
    _origin: IPv6Address | None = None
    _line: str = field(default_factory=lambda: token_hex(8))

    def get(self, fetch: Fetch) -> Got:
        """Get one thing. Raises Unobserved if the vantage cannot be used."""
        return self.get_all([fetch])[0]

    def get_all(self, wanted: Sequence[Fetch]) -> list[Got]:
        """Get many things, all at once, each through its redirects; in their order."""
        done: dict[int, Got] = {}
        trails: list[set[str]] = [{fetch.text} for fetch in wanted]
        waiting = dict(enumerate(wanted))
        while waiting:
            new = self._once(list(waiting.values()))
            again: dict[int, Fetch] = {}
            for number, got in zip(waiting, new, strict=True):
                onward = self._onward(waiting[number], got, trails[number])
                if onward is None:
                    done[number] = replace(got, verdict=self.hops[got.hop].verdict)
                else:
                    again[number] = onward
            waiting = again
        return [done[number] for number in range(len(wanted))]

    def amend(self, got: Got, *, role: str = "", verdict: str = "", said: str = "") -> None:
        """Say more of a hop than its response alone did."""
        known = self.hops[got.hop]
        self.hops[got.hop] = replace(
            known,
            role=role or known.role,
            verdict=verdict or known.verdict,
            said=f"{known.said}; {said}" if said else known.said,
        )

    def blame(self, role: str, host: str, *, verdict: str, said: str = "") -> None:
        """A hop that was not made, and why."""
        self.hops.append(Hop(role=role, host=host, verdict=verdict, said=said))

    def told(self) -> tuple[Hop, ...]:
        """The hops, with nothing secret in them."""
        return tuple(
            replace(hop, host=self.hidden(hop.host), said=self.hidden(hop.said))
            for hop in self.hops
        )

    def hidden(self, text: str) -> str:
        """*text* without what is secret."""
        for secret in self.secrets:
            text = text.replace(secret, "…").replace(secret.lower(), "…")
        return text

    def _onward(self, fetch: Fetch, got: Got, trail: set[str]) -> Fetch | None:
        """The request that a redirect leads to; None where it ends here, well or badly."""
        if got.verdict != "redirected" or got.response is None:
            return None
        parts, text, refused = registry_names.target(
            got.response.header("location"), base=fetch.parts, base_text=fetch.text
        )
        if not refused and fetch.content:  # what is posted is a secret, and was for that host only
            refused = "refused-redirect"
        if not refused and (text in trail or len(trail) > MAX_REDIRECTS):
            refused = "loop"
        if parts is None or refused:
            self.amend(got, verdict=refused)
            return None
        trail.add(text)
        same = (parts.authority, parts.secure) == (fetch.parts.authority, fetch.parts.secure)
        headers = fetch.headers if same else tuple(h for h in fetch.headers if h[0] == "Accept")
        return replace(
            fetch, parts=parts, text=text, headers=headers, trusted=fetch.trusted and same
        )

    def _once(self, wanted: Sequence[Fetch]) -> list[Got]:
        """One request each: names, then all at once, on a few connections to each server."""
        self._look_up(wanted)
        places = [self._place(fetch) for fetch in wanted]
        lines = _lines(wanted, places)
        found: dict[int, Reply] = {}
        for first in range(0, len(lines), AT_ONCE):
            some, left_s = lines[first : first + AT_ONCE], self._left_s()
            if left_s > 0:
                operations = [self._operation(wanted, places, line, left_s) for line in some]
                for line, reply in zip(some, self.at.agent.run(operations), strict=True):
                    found |= _answers(wanted, line, reply)
        return [
            self._got(fetch, place, found.get(at))
            for at, (fetch, place) in enumerate(zip(wanted, places, strict=True))
        ]

    def _operation(
        self, wanted: Sequence[Fetch], places: Sequence[Place], line: Sequence[int], left_s: float
    ) -> Operation:
        fetches, to = [wanted[at] for at in line], places[line[0]].addresses[0]
        first = fetches[0]
        return registry_hop.operation(
            fetches,
            to,
            ca=self.ca,
            step_s=self.step_s,
            timeout_s=left_s if first.digest else min(left_s, self.step_s),
            line="" if first.content else self._line,  # what is posted is not asked twice
            keep=not first.digest and to == self._origin,
        )

    def _got(self, fetch: Fetch, place: Place, reply: Reply | None) -> Got:
        response, verdict = None, place.verdict
        if reply is not None:
            verdict, response = registry_hop.read(fetch, reply, place)
        elif not verdict:
            verdict = NO_TIME.verdict
        path = replies.path_of(reply.remote, self.at.nat64_prefixes) if reply else None
        self.hops.append(
            registry_hop.hop(fetch, place, reply, verdict=verdict, response=response, path=path)
        )
        return Got(hop=len(self.hops) - 1, verdict=verdict, response=response)

    def _look_up(self, wanted: Sequence[Fetch]) -> None:
        """Ask for the names that are new, all in one batch."""
        named = {f.parts.name for f in wanted if f.parts.name}
        new = sorted(named - self._places.keys())
        timeout_s = min(self.step_s, self._left_s())
        if not new or timeout_s <= 0:
            return
        found = registry_names.look_up(self.at.agent, new, timeout_s=timeout_s)
        self._places |= zip(new, found, strict=True)

    def _place(self, fetch: Fetch) -> Place:
        """Where the request goes; with a verdict instead where it must not go."""
        host = fetch.parts.host
        if isinstance(host, str):
            place = self._places.get(host, NO_TIME)
        else:
            place = Place(addresses=(host,))
        if place.verdict:
            return place
        if self._origin is None:
            self._origin = place.addresses[0]
        known = self.at.nat64_prefixes
        if not fetch.trusted and registry_names.refused(
            place.addresses[0], source=self._origin, prefixes=known
        ):
            return replace(place, verdict="refused-redirect")
        return place

    def _left_s(self) -> float:
        return self.deadline - monotonic()


def fetch(role: str, text: str, *, trusted: bool = True) -> Fetch:
    """A plain GET of *text*. Raises ValueError for a URL that cannot be asked over IPv6."""
    return Fetch(role=role, parts=url.parse(text), text=text, trusted=trusted)


def _lines(wanted: Sequence[Fetch], places: Sequence[Place]) -> list[list[int]]:
    """Which of *wanted* go on which connection, each in their order: those of one origin share a few,
    so that each has about as many octets to bring.
    """
    origins: dict[tuple[object, ...], list[int]] = {}
    for at, (fetch, place) in enumerate(zip(wanted, places, strict=True)):
        if not place.verdict:
            parts = fetch.parts
            origin = (place.addresses[0], parts.host, parts.port, parts.secure)
            origins.setdefault(origin, []).append(at)
    return [line for some in origins.values() for line in _shared(wanted, some)]


def _shared(wanted: Sequence[Fetch], some: Sequence[int]) -> list[list[int]]:
    count = max(CONNECTIONS, ceil(len(some) / wire_requests.MOST))
    loads = [(0, number) for number in range(count)]
    lines: list[list[int]] = [[] for _ in loads]
    for at in sorted(some, key=lambda at: wanted[at].body_bytes, reverse=True):
        size_bytes, number = heappop(loads)
        lines[number].append(at)
        if len(lines[number]) < wire_requests.MOST:
            heappush(loads, (size_bytes + wanted[at].body_bytes, number))
    return [sorted(line) for line in lines if line]


def _answers(wanted: Sequence[Fetch], line: Sequence[int], reply: Reply) -> dict[int, Reply]:
    """What came of each request of one connection that was made, or that could not be, for want of
    one.
    """
    answers = wire_requests.answers(reply)
    found = dict(zip(line, answers, strict=False))
    if registry_hop.unconnected(wanted[line[0]], answers[-1]):
        found |= dict.fromkeys(line[len(answers) :], answers[-1])
    return found
