"""Is a question that could not be put an outcome of its own, whoever reports it?"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

SOURCE = """
import pytest
from pytest_v6probe import Unobserved

def unreachable():
    raise Unobserved("no route to it\\ntry a bastion", reason="unreachable", vantage="us-east-1/web-1")

@pytest.fixture
def lost():
    unreachable()

@pytest.fixture
def forgotten():
    yield
    unreachable()

def test_passes(): pass
def test_fails(): assert not "red"
def test_in_call(): unreachable()
def test_in_setup(lost): pass
@pytest.mark.xfail(reason="expected to fail, not to be unseen")
def test_expected_to_fail(): unreachable()
"""
COUNTS = {"passed": 1, "failed": 1, "unobserved": 3}


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "with-workers"])
def test_it_is_counted_apart_and_explained(run, options):
    result = run(SOURCE, *options)
    assert result.parseoutcomes() == COUNTS
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = result.outlines
    begin = next(at for at, line in enumerate(lines) if " UNOBSERVED " in line)
    assert lines[begin + 1 : begin + 3] == [
        "UNOBSERVED at us-east-1/web-1 (unreachable): no route to it",
        "try a bastion",
    ]
    assert sorted(lines[begin + 3 : begin + 6]) == [
        f"    test_it.py::{name}"
        for name in ("test_expected_to_fail", "test_in_call", "test_in_setup")
    ]


def test_alone_it_makes_the_run_not_green(run):
    result = run(
        "from pytest_v6probe import Unobserved\ndef test_it(): raise Unobserved('x', reason='y')"
    )
    assert (result.parseoutcomes(), result.ret) == ({"unobserved": 1}, pytest.ExitCode.TESTS_FAILED)


def test_its_letter_is_u_and_its_word_is_unobserved(run):
    run(SOURCE).stdout.fnmatch_lines(["test_it.py .FUUU *"])
    run(SOURCE, "-v").stdout.fnmatch_lines(["test_it.py::test_in_call UNOBSERVED *"])


def test_it_has_no_traceback(run):
    assert "raise Unobserved" not in run(SOURCE).stdout.str()


def test_in_teardown_it_does_not_take_the_pass_away(run):
    result = run(SOURCE + "\ndef test_in_teardown(forgotten): pass\n", "-k", "in_teardown")
    assert (result.parseoutcomes(), result.ret) == (
        {"passed": 1, "unobserved": 1, "deselected": 5},
        pytest.ExitCode.TESTS_FAILED,
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "with-workers"])
def test_junit_calls_it_an_error_with_a_property(run, pytester, options):
    run(SOURCE, "--junitxml", "junit.xml", *options)
    (suite,) = ET.parse(pytester.path / "junit.xml").getroot().iter("testsuite")
    assert {key: suite.get(key) for key in ("tests", "errors", "failures", "skipped")} == {
        "tests": "5",
        "errors": "3",
        "failures": "1",
        "skipped": "0",
    }
    said = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in suite.iter("testcase")
    }
    expected = {"v6_unobserved": "unreachable", "v6_vantage": "us-east-1/web-1"}
    assert said == {
        "test_passes": {},
        "test_fails": {},
        "test_in_call": expected,
        "test_in_setup": expected,
        "test_expected_to_fail": expected,
    }


def test_it_does_without_a_terminal(run):
    result = run(SOURCE, "-p", "no:terminal", "--junitxml", "junit.xml")
    assert (result.ret, result.errlines) == (pytest.ExitCode.TESTS_FAILED, [])


def test_it_does_without_xdist(run):
    assert run(SOURCE, "-p", "no:xdist").parseoutcomes() == COUNTS
