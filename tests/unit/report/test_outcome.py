"""Are the outcomes of v6probe told apart?"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.report import outcome


def report(**changes) -> pytest.TestReport:
    values: dict[str, Any] = {
        "nodeid": "test_it.py::test_it",
        "location": ("test_it.py", 0, "test_it"),
        "keywords": {},
        "outcome": "failed",
        "longrepr": None,
        "when": "call",
    }
    return pytest.TestReport(**(values | changes))


LOST = Unobserved("no way in", reason="unreachable", vantage="us-east-1/web-1")
SAID = "UNOBSERVED at us-east-1/web-1 (unreachable): no way in"


@pytest.mark.parametrize(
    ("when", "then"), [("setup", "setup"), ("call", "setup"), ("teardown", "teardown")]
)
def test_unobserved_is_no_failure_of_the_target(when, then):
    judged = report(when=when)
    outcome.unobserved(judged, LOST)
    assert (judged.when, judged.outcome, judged.longrepr, vars(judged)["v6_unobserved"]) == (
        then,
        "failed",
        SAID,
        ("unreachable", SAID),
    )


def test_an_expected_failure_is_no_excuse_for_not_looking():
    judged = report(outcome="skipped", wasxfail="not yet")
    outcome.unobserved(judged, LOST)
    assert (judged.outcome, hasattr(judged, "wasxfail")) == ("failed", False)


def test_a_place_without_a_name_is_left_out():
    assert (
        outcome.message(Unobserved("gone", reason="agent-died")) == "UNOBSERVED (agent-died): gone"
    )


def test_what_else_went_wrong_is_told_as_well():
    why = Unobserved("gone", reason="agent-died")
    why.add_note("a namespace may be left")
    assert outcome.message(why) == "UNOBSERVED (agent-died): gone; a namespace may be left"


def test_each_cause_is_told_once():
    assert outcome.summary_lines([("a", "why"), ("b", "other"), ("c", "why")]) == [
        "why",
        "    a",
        "    c",
        "other",
        "    b",
    ]


@pytest.mark.parametrize(
    ("why", "expected", "excused"),
    [
        (AssertionError(), "skipped", True),
        (pytest.fail.Exception("no"), "skipped", True),
        (TypeError(), "failed", False),
    ],
)
def test_a_gap_excuses_only_what_was_asserted(why, expected, excused):
    judged = report()
    outcome.known_gap(judged, "it cannot", why=why)
    assert (judged.outcome, vars(judged).get("wasxfail")) == (
        expected,
        "known gap: it cannot" if excused else None,
    )


def test_a_gap_that_closes_is_a_failure():
    judged = report(outcome="passed")
    outcome.known_gap(judged, "it cannot (2023)", why=None)
    assert judged.outcome == "failed"
    assert str(judged.longrepr).startswith("the gap has closed: it cannot (2023)\n")


def test_properties_without_a_value_are_left_out():
    judged = report()
    added = outcome.add_properties(judged, {"v6_verdict": "refused", "v6_layer": ""})
    assert added == judged.user_properties == [("v6_verdict", "refused")]
