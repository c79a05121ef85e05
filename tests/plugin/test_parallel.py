"""With xdist, do the tests of a vantage stay together, and are ids the same everywhere?"""

from __future__ import annotations

import re

import pytest

SOURCE = """
import os, pytest, time

@pytest.mark.parametrize("number", range(6))
def test_at(ec2_host, number, record_property):
    print("ran", ec2_host.name, "in", os.environ.get("PYTEST_XDIST_WORKER"))
    time.sleep(0.02)

@pytest.mark.parametrize("number", range(20))
def test_other(number):
    time.sleep(0.01)
    print("ran other in", os.environ.get("PYTEST_XDIST_WORKER"))
"""


def workers(result) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, worker in re.findall(r"^ran (\S+) in (\S+)$", result.stdout.str(), re.MULTILINE):
        found.setdefault(name, set()).add(worker)
    return found


@pytest.mark.parametrize("options", [(), ("--dist", "loadgroup")], ids=["unsaid", "loadgroup"])
def test_the_tests_of_a_vantage_stay_together(run, options):
    result = run(SOURCE, "-n", "3", "-rP", *options)
    result.assert_outcomes(passed=32)
    found = workers(result)
    assert sorted(found) == ["other", "us-east-1/web-1", "us-west-2/web-1"]
    assert len(found["us-east-1/web-1"]) == len(found["us-west-2/web-1"]) == 1
    assert found["us-east-1/web-1"] != found["us-west-2/web-1"]


def test_ids_are_those_of_a_run_without_workers(run):
    alone, spread = run(SOURCE, "-v"), run(SOURCE, "-n", "2", "-v")
    alone_ids = set(re.findall(r"^(test_it\S+) PASSED", alone.stdout.str(), re.MULTILINE))
    assert alone_ids == set(re.findall(r"PASSED (test_it\S+)", spread.stdout.str()))
    assert len(alone_ids) == 32


def test_a_distribution_that_was_asked_for_is_kept(run):
    result = run(SOURCE, "-n", "2", "-v", "--dist", "loadfile")
    result.stdout.fnmatch_lines(["scheduling tests via LoadFileScheduling"])
    result.assert_outcomes(passed=32)


def test_a_run_without_vantages_is_distributed_as_ever(run):
    result = run("def test_one(): pass\ndef test_two(): pass\n", "-n", "2", "-v")
    result.stdout.fnmatch_lines(["scheduling tests via LoadScheduling"])
