"""Is a host only changed when it can be put back, and is every way tried to put it back?"""

from __future__ import annotations

import re
import signal

import pytest

from pytest_v6probe.actions.actor import Actor
from pytest_v6probe.actions.docker import Plan
from pytest_v6probe.actions.hold import Hold, hold
from pytest_v6probe.errors import AgentUnusable, LabError, Unobserved
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.transport.channel import Transport
from pytest_v6probe.transport.netns import Keeper, NamespaceTransport
from pytest_v6probe.vantage import Vantage


def gone(reason="agent-died"):
    return AgentUnusable("the program is gone", reason=reason)


class Way:
    """An agent by whose transport nothing starts."""

    name = "way"

    def __init__(self) -> None:
        self.transport: Transport = self
        self.closed, self.argvs = False, list[tuple[str, ...]]()

    @property
    def started(self) -> int:
        """How many programs were to start."""
        return len(self.argvs)

    def start(self, argv, *, timeout_s):
        self.argvs.append(argv)
        raise gone("no-python3")

    def close(self):
        self.closed = True


class Recorded(Keeper):
    """A keeper of a lab that starts nothing, and remembers what it was to start."""

    def __init__(self) -> None:
        self.argvs: list[list[str]] = []

    def request(self, message, *, timeout_s=1.0):
        self.argvs.append(message["argv"])
        raise LabError("it starts nothing")


class Silent(Actor):
    """An actor that is not there any more."""

    def __init__(self) -> None:
        """It has no channel."""

    def put_back(self, watchdog, *, timeout_s=1.0):
        raise gone()

    def close(self):
        raise AssertionError("it is not ours to close")


def vantage(way, management=None) -> Vantage:
    return Vantage(
        name="docker-1",
        region="",
        host=Host(name="docker-1", local=True, sudo=True),
        connect=lambda: way,
        prefixes=lambda _: frozenset(),
        manage=None if management is None else lambda: management,
    )


class Action:
    name = "an action"

    def plan(self, host, actor):
        raise AssertionError("nothing is planned where nothing can be put back")


@pytest.mark.parametrize("management", [None, Way()], ids=["alone", "managed"])
def test_a_host_that_could_not_be_put_back_is_refused(management):
    with (
        pytest.raises(Unobserved, match="no watchdog could put it back") as caught,
        hold(vantage(Way(), management), Action(), deadline_s=9),
    ):
        raise AssertionError("it is held")
    assert caught.value.reason == "no-way-back"
    assert management is None or (management.started, management.closed) == (1, True)


def test_what_changes_a_host_from_inside_its_lab_asks_no_sudo():
    own, management, keeper = Way(), Way(), Recorded()
    management.transport = NamespaceTransport(keeper, "docker-1")
    with (
        pytest.raises(Unobserved, match="it starts nothing"),
        hold(vantage(own, management), Action(), deadline_s=9),
    ):
        raise AssertionError("it is held")
    held(vantage(own), lambda _: "").restore()
    assert [argv[0] for argv in keeper.argvs] == ["python3"]
    assert [argv[:4] for argv in own.argvs] == [("sudo", "-n", "--", "python3")]


def held(host, do):
    return Hold(host=host, plan=Plan(do=do), watchdog="1-2", fires_at_s=0.0, actor=Silent())


def test_every_way_is_tried_and_then_it_is_left_to_the_watchdog():
    own, management = Way(), Way()
    holding = held(vantage(own, management), lambda _: "")
    holding.restore()
    assert (own.started, management.started, management.closed) == (1, 1, True)
    assert holding.did == ("left to the watchdog, which fires in 0 s",)


def fails(reason):
    def do(_timeout_s):
        raise gone(reason)

    return do


def test_contact_lost_over_an_action_is_noted():
    holding = held(vantage(Way()), fails("agent-died"))
    assert (holding.act(1.0), holding.lost) == ("", "the program is gone")


@pytest.mark.parametrize("reason", ["no-program", "not-permitted", "failed", "no-engine-given"])
def test_an_action_that_could_not_be_done_is_no_finding(reason):
    with pytest.raises(Unobserved, match=re.escape("the program is gone")):
        held(vantage(Way()), fails(reason)).act(1.0)


class Interrupted(Silent):
    """An actor whose user presses Ctrl-C while it arms."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def arm(self, *, deadline_s, files=(), afterwards=()):
        signal.raise_signal(signal.SIGINT)
        return "1-2"

    def put_back(self, watchdog, *, timeout_s=1.0):
        self.told.append(watchdog)
        return ()

    def close(self):
        """Nothing is open."""


class Idle(Action):
    def plan(self, host, actor):
        return Plan(do=lambda _: "")


def test_ctrl_c_between_arming_and_holding_puts_the_host_back(monkeypatch):
    actor = Interrupted()
    monkeypatch.setattr("pytest_v6probe.actions.hold.open_actor", lambda *_, **__: actor)
    with pytest.raises(KeyboardInterrupt), hold(vantage(Way()), Idle(), deadline_s=9):
        raise AssertionError("it is held")
    assert actor.told == ["1-2"]
