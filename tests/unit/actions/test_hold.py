"""Is a host only changed when it can be put back, and is every way tried to put it back?"""

from __future__ import annotations

import re

import pytest

from pytest_v6probe.actions.actor import Actor
from pytest_v6probe.actions.docker import Plan
from pytest_v6probe.actions.hold import Hold, hold
from pytest_v6probe.errors import AgentUnusable, Unobserved
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.vantage import Vantage


def gone(reason="agent-died"):
    return AgentUnusable("the program is gone", reason=reason)


class Way:
    """An agent by whose transport nothing starts."""

    name = "way"

    def __init__(self) -> None:
        self.transport, self.closed, self.started = self, False, 0

    def start(self, argv, *, timeout_s):
        self.started += 1
        raise gone("no-python3")

    def close(self):
        self.closed = True


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
