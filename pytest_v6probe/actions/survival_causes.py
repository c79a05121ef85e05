"""Why did a default route go, or stop being renewed? Lines for a person, from a flight recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.linux.flight import Advertisement, LinkChange, RouteChange, Setting
from pytest_v6probe.probes import ra_owner_cures
from pytest_v6probe.probes.replies import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.actions.survival import Story
    from pytest_v6probe.linux.flight import Event, Timeline
    from pytest_v6probe.linux.routes import Route

MOST = 8
TOGETHER_S = 0.5
"""A write to ``all.forwarding`` changes that of each interface; it is told of once."""
_IGNORES = "accept_ra=1 on "


def causes(
    timeline: Timeline, story: Story, route: Route, verdict: str, end_s: float
) -> tuple[str, ...]:
    """What was seen since the action began that explains *verdict*, in order of time, the settings
    that made the kernel drop the route first.
    """
    if verdict == "renewed":
        return (f"proto {route.protocol} never expires",) if route.protocol != "ra" else ()
    settings = [*_settings(timeline, story, route)]
    seen = [
        said
        for event in timeline.events
        if event.t_s > story.action_s and (said := _said(event, story, route))
    ]
    if verdict == "dying" and not settings:
        settings = _standing(timeline, story, route, end_s)
    return tuple(shown(said) for said in (*settings, *seen))[:MOST]


def is_curable(cause: str) -> bool:
    """Whether it helps to have the owner handle advertisements while forwarding is on."""
    return _IGNORES in cause


def _settings(timeline: Timeline, story: Story, route: Route) -> Iterator[str]:
    """Sysctls that made the kernel ignore advertisements, if it was the one to handle them."""
    name = route.interface
    wanted = (
        "all.forwarding",
        f"{name}.forwarding",
        f"{name}.accept_ra",
        f"{name}.accept_ra_defrtr",
    )
    changes = [
        event
        for event in timeline.events
        if isinstance(event, Setting) and event.name in wanted and event.t_s > story.action_s
    ]
    for_all_s = [event.t_s for event in changes if event.name == "all.forwarding"]
    for event in changes if _by_kernel(story) else ():
        was, at = _before(timeline, event), _at(event.t_s, story)
        if event.name.endswith(".forwarding"):
            told = event.name != "all.forwarding" and any(
                abs(event.t_s - t_s) < TOGETHER_S for t_s in for_all_s
            )
            accepts = timeline.setting_at(f"{name}.accept_ra", event.t_s)
            if event.value != "0" and accepts == "1" and not told:
                yield f"{event.name} {was}→{event.value} {at} while {_IGNORES}{name}"
        elif event.value == "0":
            yield f"{event.name.rpartition('.')[2]} {was}→0 on {name} {at}"


def _said(event: Event, story: Story, route: Route) -> str:
    at = _at(event.t_s, story)
    if isinstance(event, RouteChange):
        return _moved(event, route, at)
    if isinstance(event, LinkChange) and event.interface == route.interface and not event.up:
        return f"{event.interface} went down {at}"
    if isinstance(event, Advertisement) and event.lifetime_s == 0:
        return f"{event.router} advertised a router lifetime of 0 on {event.interface} {at}"
    return ""


def _moved(event: RouteChange, route: Route, at: str) -> str:
    who = f"a process (netlink port {event.port})" if event.port else "the kernel"
    way = f"default via {event.route.gateway} dev {event.route.interface}"
    if not event.there:
        return f"{way} removed by {who} {at}"
    other = (event.route.gateway, event.route.protocol) != (route.gateway, route.protocol)
    origin = f" proto {event.route.protocol}" if other else ""
    return f"{way}{origin} set by {who} {at}"


def _standing(timeline: Timeline, story: Story, route: Route, end_s: float) -> list[str]:
    """Why nothing renews the route, where no setting changed since the action began."""
    name = route.interface
    forwarding = timeline.setting_at(f"{name}.forwarding", story.action_s)
    accepts = timeline.setting_at(f"{name}.accept_ra", story.action_s)
    if forwarding == "1" and accepts == "1":
        return [f"forwarding=1 since before the action, and {_IGNORES}{name}"]
    heard = sum(
        isinstance(event, Advertisement) and event.interface == name and event.t_s > story.action_s
        for event in timeline.events
    )
    if not heard:
        listened_s = end_s - story.action_s
        return [
            f"no router advertisement on {name} in the {listened_s:.0f} s since the action began"
        ]
    how_many = f"{heard} router advertisement{'s' if heard > 1 else ''}"
    return [f"{how_many} on {name} since the action began, and none was taken"]


def _before(timeline: Timeline, change: Setting) -> str:
    value = timeline.sysctls.get(change.name, "?")
    for event in timeline.events:
        if event is change:
            break
        if isinstance(event, Setting) and event.name == change.name:
            value = event.value
    return value


def _by_kernel(story: Story) -> bool:
    return story.owner in ra_owner_cures.KERNEL


def _at(t_s: float, story: Story) -> str:
    return f"at t+{t_s - story.action_s:.2f} s"
