"""Does the default route survive an action? Recorded by the host itself, and put back whatever
happens.

In this order: a flight recorder is started on the host, a watchdog armed there, the action done,
the host observed, the recording collected (over the management path, or after the watchdog put the
route back, if the host's own way is lost) and judged, everything put back.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from pytest_v6probe.actions import survival
from pytest_v6probe.actions.hold import hold
from pytest_v6probe.actions.permission import permitted
from pytest_v6probe.actions.recording import Recording
from pytest_v6probe.actions.survival import RouteSurvival, Story
from pytest_v6probe.agent import wire
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes import replies
from pytest_v6probe.probes.ra_owner import ra_owner
from pytest_v6probe.probes.replies import shown
from pytest_v6probe.wait import eventually

if TYPE_CHECKING:
    from pytest_v6probe.actions.docker import Action
    from pytest_v6probe.actions.hold import Hold
    from pytest_v6probe.linux.flight import Timeline
    from pytest_v6probe.vantage import Vantage

DEADLINE_S = 300.0
SETTLED_S = 1.0
"""So long after the action, at least, the host is observed."""
LOOK_EVERY_S = 0.5
BACK_S = 60.0
"""How long after its watchdog fired a host is waited for."""
CGROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")
EARLY_S = 0.5
"""So long before its watchdog fires a recording tells of the action alone."""


def route_survival(
    host: Vantage, action: Action, *, within_s: float, deadline_s: float = DEADLINE_S
) -> RouteSurvival:
    """Do *action* at *host* and say what became of its IPv6 default route.

    It is observed until a router advertisement after the action renewed the route, at most
    *within_s* seconds. If the run does not come back within *deadline_s* seconds, a watchdog on the
    host puts back route, sysctls and files by itself; the action gets two thirds of what
    *deadline_s* leaves. Raises Unobserved where the host may not or cannot be changed (reasons
    ``not-disruptive``, ``no-way-back``, ``armed-already``, ``not-json``, …), ValueError if
    *deadline_s* is not more than *within_s*.
    """
    permitted(host)
    if deadline_s <= within_s:
        raise ValueError(f"deadline_s={deadline_s:g} leaves no time beyond within_s={within_s:g}")
    owned = host.look([ra_owner.ask()])[0]
    with (
        closing(Recording.start(host, for_s=deadline_s + BACK_S)) as recording,
        hold(host, action, deadline_s=deadline_s) as held,
    ):
        started_s = monotonic()
        story = Story(
            vantage=host.name,
            action=action.name,
            within_s=within_s,
            owner=owned.owner or owned.verdict,
            action_s=recording.now_s(),
        )
        fires_s = story.action_s + held.fires_at_s - started_s - EARLY_S
        refused = held.act((deadline_s - within_s) * 2 / 3)
        story = replace(story, done_s=story.action_s + monotonic() - started_s)
        found = _observed(held, recording, story, fires_s)
    found = replace(found, put_back=held.did, refused=shown(refused))
    host.witness(found)
    return found


def _observed(held: Hold, recording: Recording, story: Story, fires_s: float) -> RouteSurvival:
    """Watch, collect and judge."""
    host = held.host

    def look() -> Timeline | None:
        try:
            return recording.look()
        except Unobserved:
            return None

    def decided(seen: Timeline | None) -> bool:
        if seen is None or seen.end is None or seen.end.t_s < story.done_s + SETTLED_S:
            return False
        return survival.judge(seen, story).survived

    eventually(look, until=decided, within_s=story.within_s, every_s=LOOK_EVERY_S)
    runs = _runs(host, story.owner)
    try:
        timeline = recording.finish()
    except Unobserved as why:
        return _late(held, recording, story, fires_s, str(why))
    if monotonic() > held.fires_at_s - EARLY_S:  # the watchdog's own doing is none of the action's
        timeline = timeline.until(min(story.done_s + story.within_s, fires_s))
    found = survival.judge(timeline, replace(story, owner_runs=bool(runs)))
    said = (*found.evidence, *((shown(held.lost),) if held.lost else ()))
    return replace(found, contact="lost" if runs is None else "kept", evidence=said)


def _late(
    held: Hold, recording: Recording, story: Story, fires_s: float, why: str
) -> RouteSurvival:
    """The host is silent: wait until its watchdog has put the route back, then read what it
    recorded before that.
    """

    def finish() -> Timeline | None:
        try:
            return recording.finish()
        except Unobserved:
            return None

    left_s = max(0.0, held.fires_at_s - monotonic()) + BACK_S
    timeline = eventually(finish, until=lambda seen: seen is not None, within_s=left_s, every_s=2)
    if timeline is None:
        return RouteSurvival(
            vantage=story.vantage,
            asked=survival.asked(story),
            verdict="contact-lost",
            owner=story.owner,
            cause=(shown(held.lost or why),),
            contact="lost",
        )
    told = timeline.until(min(story.done_s + story.within_s, fires_s))
    return replace(survival.judge(told, story), contact="lost")


def _runs(host: Vantage, owner: str) -> bool | None:
    """Whether systemd says that the daemon *owner* has processes, as a unit of its own or one for
    each interface (systemd.unit(5), templates); None if the host is silent.
    """
    units = (f"{owner}.service", f"system-{owner}.slice/{owner}@*.service")
    paths = [f"{root}/system.slice/{unit}/cgroup.procs" for root in CGROUPS for unit in units]
    try:
        reply = host.agent.run([wire.read(*paths)])[0]
    except Unobserved:
        return None
    return any(content.strip() for content in replies.files(reply).values())
