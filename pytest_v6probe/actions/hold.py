"""How is a host held while it is changed, so that it is put back whatever happens?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from pytest_v6probe.actions.actor import Actor, open_actor
from pytest_v6probe.actions.interruption import uninterrupted
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.transport import sudo

if TYPE_CHECKING:
    from pytest_v6probe.actions.docker import Action, Plan
    from pytest_v6probe.agent.client import Agent
    from pytest_v6probe.vantage import Vantage

NOT_DONE = frozenset({"no-program", "not-permitted", "failed", "no-engine-given"})
"""Reasons that say that the action could not be done; every other one, that contact was lost."""


@dataclass(slots=True, kw_only=True, eq=False)
class Hold:
    """A host whose watchdog is armed. *fires_at_s* is when it fires, on this machine's monotonic
    clock; *did*: what had to be put back.
    """

    host: Vantage
    plan: Plan
    watchdog: str
    fires_at_s: float
    actor: Actor = field(repr=False)
    did: tuple[str, ...] = ()
    lost: str = ""
    """Why contact was lost while the action was done; empty where it was not."""

    def act(self, timeout_s: float) -> str:
        """Do the action; what was refused, in words. Raises Unobserved if it could not be done;
        contact lost meanwhile is noted in *lost*.
        """
        try:
            return self.plan.do(timeout_s)
        except Unobserved as why:
            if why.reason in NOT_DONE:
                raise
            self.lost = str(why)
            return ""

    def restore(self) -> None:
        """Put everything back now; where the host cannot be reached, its watchdog will.

        An action that was interrupted and still goes on there is waited for: what it does last would
        undo all this.
        """
        for actor, fresh in self._actors():
            try:
                self.did = actor.put_back(self.watchdog)
                return
            except Unobserved:
                continue
            finally:
                if fresh:
                    actor.close()
        left_s = max(0.0, self.fires_at_s - monotonic())
        self.did = (f"left to the watchdog, which fires in {left_s:.0f} s",)

    def _actors(self) -> Iterator[tuple[Actor, bool]]:
        """The actor at hand, and new ones by each way there is; the host's own may be lost."""
        yield self.actor, False
        with suppress(Unobserved):
            agent = self.host.management()
            try:
                yield _actor(self.host, agent), True
            finally:
                agent.close()
        with suppress(Unobserved):
            yield _actor(self.host, self.host.agent), True


@contextmanager
def hold(host: Vantage, action: Action, *, deadline_s: float) -> Iterator[Hold]:
    """Arm a watchdog on *host*, and put everything back at the end.

    Raises Unobserved: reason ``no-way-back`` if no watchdog can be had there, ``armed-already`` if
    another run has one, or why the action cannot be planned.
    """
    with _reached(host) as actor:
        plan = action.plan(host, actor)
        with ExitStack() as back:
            with uninterrupted():
                armed_s = monotonic()
                watchdog = actor.arm(
                    deadline_s=deadline_s, files=plan.files, afterwards=plan.afterwards
                )
                held = Hold(
                    host=host,
                    plan=plan,
                    watchdog=watchdog,
                    fires_at_s=armed_s + deadline_s,
                    actor=actor,
                )
                back.callback(held.restore)
            yield held


@contextmanager
def _reached(host: Vantage) -> Iterator[Actor]:
    """An actor, by the way that survives a broken route if there is one."""
    agent = _manager(host)
    try:
        actor = _actor(host, agent or host.agent)
    except Unobserved as why:
        if agent is not None:
            agent.close()
        raise Unobserved(
            f"{host.name} is not changed: no watchdog could put it back ({why})",
            reason="no-way-back",
            vantage=host.name,
        ) from why
    try:
        yield actor
    finally:
        actor.close()
        if agent is not None:
            agent.close()


def _manager(host: Vantage) -> Agent | None:
    if host.manage is None:
        return None
    try:
        return host.management()
    except Unobserved:
        return None


def _actor(host: Vantage, agent: Agent) -> Actor:
    spec, way = host.host, agent.transport
    return open_actor(way, python=spec.python, sudo=sudo.needed(spec, way), vantage=host.name)
