"""What became of the default route while a host was changed? Judged from a flight recording; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.actions import survival_causes
from pytest_v6probe.linux.flight import AddressChange, Advertisement, Look, RouteChange
from pytest_v6probe.probes import ra_owner_cures
from pytest_v6probe.probes.route import line
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from pytest_v6probe.linux.flight import Event, Timeline
    from pytest_v6probe.linux.routes import Route

MOVED_S = 0.5
"""An expiry that moved by less was read twice: a loaded host is late to read its clock."""
GONE_EARLY_S = 1.0
"""A route that went so long before its expiry, or later, went because of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSurvival(Finding):
    """What an action did to the default route.

    Verdicts: ``renewed`` (there, and a router advertisement after the action renewed it; or it
    never expires and needs none); ``purged`` (gone, and not back); ``dying`` (there, but nothing
    renews it: *expires_s*; 0 where it has expired meanwhile); ``replaced`` (another gateway, or put
    there by another); ``lost-and-back`` (*gap_ms* without any); ``never-there`` (none before the
    action); ``contact-lost`` (the host was not heard of again, or its recording is lost).
    """

    layer: ClassVar[Layer] = Layer.ROUTE
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    interface: str = ""
    owner: str = ""
    """Who handled router advertisements there before the action: ``kernel``, ``ifupdown``,
    ``systemd-networkd``, ``NetworkManager``, ``dhcpcd``, ``nobody``.
    """
    before_gateway: IPv6Address | None = None
    before_origin: str = ""
    after_gateway: IPv6Address | None = None
    after_origin: str = ""
    cause: tuple[str, ...] = ()
    """What was seen, in order: ``all.forwarding 0→1 at t+0.21 s while accept_ra=1 on eth0``. Times
    are since the action began.
    """
    gap_ms: float | None = field(default=None, compare=False)
    """How long there was no default route at all, in milliseconds; None: there always was one, or
    it did not come back.
    """
    expires_s: float | None = field(default=None, compare=False)
    """What is left of its lifetime at the end of the observation."""
    refused: str = field(default="", compare=False)
    """What the engine refused to do, in words; the route is judged all the same."""
    put_back: tuple[str, ...] = field(default=(), compare=False)
    """What had to be put back afterwards, a line for each."""
    contact: str = field(default="kept", compare=False)
    """``kept``, or ``lost``: the host did not answer any more by its own way."""

    @property
    def survived(self) -> bool:
        """Whether the route is there and stays."""
        return self.verdict == "renewed"

    @property
    def broken_layer(self) -> Layer:
        """A route that nothing renews is there: its advertisements are what is broken."""
        return Layer.RA if self.verdict == "dying" else self.layer

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """The cause that was seen, and how the owner is told to keep handling advertisements."""
        if self.survived:
            return None
        cause = self.cause[0] if self.cause else f"the default route: {self.verdict}"
        curable = survival_causes.is_curable(cause) or (
            self.verdict == "dying" and self.owner not in ra_owner_cures.KERNEL | {"nobody", ""}
        )
        cure = ra_owner_cures.keep(self.owner, self.interface) if curable else ""
        return cause, cure


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a judge knows besides the recording. *action_s* is when the action began, in the
    recording's time, *done_s* when it was over; *owner* handled advertisements then; *owner_runs*: it
    is known to run still.
    """

    vantage: str
    action: str
    action_s: float
    done_s: float = 0.0
    within_s: float
    owner: str
    owner_runs: bool = False

    @property
    def settled_s(self) -> float:
        """What renews the route counts from here on: the action is over."""
        return max(self.action_s, self.done_s)


def asked(story: Story) -> str:
    """What was asked, in words."""
    return f"::/0 through {story.action}"


def judge(timeline: Timeline, story: Story) -> RouteSurvival:
    """Read the recording. Pure."""
    end = timeline.end or _end_by_events(timeline)
    before = timeline.defaults_at(story.action_s)
    if not before:
        return _finding(story, "never-there", None, end.routes[:1])
    route = before[0]
    verdict, gap_s = _verdict(timeline, story, route, end)
    return _finding(
        story,
        verdict,
        route,
        _same(route, end.routes)[:1] if verdict != "replaced" else end.routes[:1],
        cause=survival_causes.causes(timeline, story, route, verdict, end.t_s),
        gap_ms=round(gap_s * 1000, 3) if gap_s is not None else None,
        evidence=(
            *(f"before: {line(r)}" for r in before[:4]),
            *(f"after: {line(r)}" for r in end.routes[:4]),
            *((f"{timeline.lost} times netlink messages were lost",) if timeline.lost else ()),
        ),
    )


def _verdict(timeline: Timeline, story: Story, route: Route, end: Look) -> tuple[str, float | None]:
    after = [r for r in end.routes if r.expires_s is None or r.expires_s > 0]
    if not after:
        return ("dying" if _expired(timeline, story, route, end) else "purged"), None
    best = [r for r in after if (r.metric, r.preference) == (after[0].metric, after[0].preference)]
    gap_s = _gap_s(timeline, story.action_s)
    same = _same(route, best)
    if not same:
        return "replaced", gap_s
    if gap_s is not None:
        return "lost-and-back", gap_s
    return ("renewed" if _renewed(timeline, story, same[0], end) else "dying"), None


def _renewed(timeline: Timeline, story: Story, now: Route, end: Look) -> bool:
    """Whether a router advertisement after the action renewed *now*, or it needs none.

    The expiry says so where there is one, whoever owns the route: kernel and systemd-networkd (252:
    RTM_NEWROUTE with RTA_EXPIRES for each advertisement, of which the kernel does not notify) both
    move it. Where there is none, a daemon counts the lifetime itself: then it must have been seen
    to act on an advertisement, or at least still run.
    """
    if now.protocol != "ra" and now.expires_s is None:
        return True
    heard = _heard(timeline, story, now.interface)
    was_s = _expires_at(timeline, now, story.settled_s)
    if now.expires_s is not None and was_s is not None:
        will_s = end.t_s + now.expires_s
        told = [ra.t_s + ra.lifetime_s for ra in heard if ra.lifetime_s]
        if told:
            return min(abs(will_s - t) for t in told) < abs(will_s - was_s)
        return bool(heard) and will_s > was_s + MOVED_S
    if not heard or story.owner in ra_owner_cures.KERNEL | {"nobody"}:
        return False
    return story.owner_runs or any(
        _acted(event, now.interface) for event in timeline.events if event.t_s >= heard[0].t_s
    )


def _acted(event: Event, interface: str) -> bool:
    """Whether a process set a route or an address of *interface*, as a daemon does when it is
    advertised.
    """
    if isinstance(event, RouteChange):
        return bool(event.port) and event.there and event.route.interface == interface
    return isinstance(event, AddressChange) and bool(event.port) and event.interface == interface


def _heard(timeline: Timeline, story: Story, interface: str) -> list[Advertisement]:
    """The advertisements of a default router on *interface* since the action was done."""
    return [
        event
        for event in timeline.events
        if isinstance(event, Advertisement)
        and event.interface == interface
        and event.t_s > story.settled_s
        and event.lifetime_s != 0
    ]


def _expires_at(timeline: Timeline, route: Route, until_s: float) -> float | None:
    """When *route* would have expired, as things stood at *until_s*, in the recording's time."""
    at_s = next(
        (
            timeline.start.t_s + r.expires_s
            for r in _same(route, timeline.start.routes)
            if r.expires_s
        ),
        None,
    )
    for event in timeline.events:
        if event.t_s > until_s:
            break
        if isinstance(event, RouteChange) and event.there and _same(route, (event.route,)):
            at_s = None if event.route.expires_s is None else event.t_s + event.route.expires_s
        elif (
            isinstance(event, Advertisement) and event.router == route.gateway and at_s is not None
        ):
            at_s = max(at_s, event.t_s + (event.lifetime_s or 0))
    return at_s


def _expired(timeline: Timeline, story: Story, route: Route, end: Look) -> bool:
    """Whether *route* is gone because its lifetime ended, rather than before."""
    due_s = _expires_at(timeline, route, story.action_s)
    gone_s = next(
        (
            event.t_s
            for event in timeline.events
            if isinstance(event, RouteChange)
            and not event.there
            and event.t_s > story.action_s
            and _same(route, (event.route,))
        ),
        end.t_s,
    )
    return due_s is not None and gone_s > due_s - GONE_EARLY_S


def _gap_s(timeline: Timeline, since_s: float) -> float | None:
    """How long there was no default route, all gaps together; None if there always was one."""
    total_s, gone_s = 0.0, None
    for event, left in timeline.walk():
        if event.t_s <= since_s:
            continue
        if not left and gone_s is None:
            gone_s = event.t_s
        elif left and gone_s is not None:
            total_s, gone_s = total_s + event.t_s - gone_s, None
    return total_s or None


def _same(route: Route, among: tuple[Route, ...] | list[Route]) -> tuple[Route, ...]:
    """Those *among* with the gateway, interface and origin of *route*."""
    mark = (route.gateway, route.index, route.protocol)
    return tuple(r for r in among if (r.gateway, r.index, r.protocol) == mark)


def _end_by_events(timeline: Timeline) -> Look:
    """The end of a recording that was cut off: as events and advertisements tell it."""
    last_s = timeline.events[-1].t_s if timeline.events else timeline.start.t_s
    found = []
    for route in timeline.defaults_at(last_s):
        at_s = _expires_at(timeline, route, last_s)
        found.append(replace(route, expires_s=None if at_s is None else at_s - last_s))
    return Look(t_s=last_s, routes=tuple(found))


def _finding(
    story: Story,
    verdict: str,
    before: Route | None,
    after: tuple[Route, ...],
    *,
    cause: tuple[str, ...] = (),
    gap_ms: float | None = None,
    evidence: tuple[str, ...] = (),
) -> RouteSurvival:
    left_s = after[0].expires_s if after else None
    return RouteSurvival(
        vantage=story.vantage,
        asked=asked(story),
        verdict=verdict,
        interface=before.interface if before is not None else "",
        owner=story.owner,
        before_gateway=_gateway(before),
        before_origin=before.protocol if before is not None else "",
        after_gateway=_gateway(after[0]) if after else None,
        after_origin=after[0].protocol if after else "",
        cause=cause,
        gap_ms=gap_ms,
        expires_s=0.0 if verdict == "dying" and not after else left_s and max(0.0, left_s),
        evidence=evidence,
    )


def _gateway(route: Route | None) -> IPv6Address | None:
    found = route.gateway if route is not None else None
    return found if isinstance(found, IPv6Address) else None
