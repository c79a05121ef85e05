"""Does `eventually` end as soon as it may, and never before?"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pytest_v6probe import wait


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    known = Clock()
    monkeypatch.setattr(wait, "time", known)
    return known


def looked(values: Iterable[str], *, within_s: float = 10.0, held_s: float = 0.0) -> str:
    looks = iter(values)
    return wait.eventually(
        lambda: next(looks),
        until=lambda seen: seen.startswith("good"),
        within_s=within_s,
        every_s=1.0,
        held_s=held_s,
    )


def test_the_first_value_that_holds_is_returned(clock: Clock):
    assert looked(["bad", "bad", "good"]) == "good"
    assert clock.now == 102.0


def test_after_the_time_the_last_value_is_returned(clock: Clock):
    assert looked(["bad 1", "bad 2", "bad 3"], within_s=1.5) == "bad 3"
    assert clock.now == 101.5


def test_what_must_hold_for_a_while_is_looked_at_until_then(clock: Clock):
    assert looked(["bad", "good 1", "good 2", "good 3"], held_s=2.0) == "good 3"
    assert clock.now == 103.0


def test_what_does_not_go_on_holding_begins_anew(clock: Clock):
    assert looked(["good 1", "bad", "good 2", "good 3"], held_s=1.0) == "good 3"
    assert clock.now == 103.0


def test_what_began_in_time_may_end_after_it(clock: Clock):
    assert looked(["bad", "good 1", "good 2", "good 3"], within_s=1.0, held_s=2.0) == "good 3"
    assert clock.now == 103.0


def test_what_is_lost_after_the_time_is_not_waited_for(clock: Clock):
    assert looked(["bad", "good", "bad"], within_s=1.0, held_s=2.0) == "bad"
    assert clock.now == 102.0
