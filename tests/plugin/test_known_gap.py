"""Does a known gap fail on the day it closes, and only then?"""

from __future__ import annotations

import pytest

GAP = "aws-nlb-without-ipv6-only"
SOURCE = f"""
import pytest
from pytest_v6probe import Unobserved
pytestmark = pytest.mark.known_gap("{GAP}")

def test_still_open(v6_name): assert not "there"
def test_said_by_fail(v6_name): pytest.fail("not there")
def test_closed(v6_name): assert "there"
def test_unseen(v6_name): raise Unobserved("nobody home", reason="unreachable")
def test_mistaken(v6_name): raise TypeError("a mistake in the test")
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "with-workers"])
def test_open_is_expected_closed_is_a_failure(run, options):
    result = run(SOURCE, "--v6-region", "us-west-2", "-rx", *options)
    assert result.parseoutcomes() == {"xfailed": 2, "failed": 2, "unobserved": 1}
    result.stdout.fnmatch_lines(
        [
            "*_ test_closed?us-west-2/web-1? _*",
            "the gap has closed: * (since 2023, checked 2026-11-22: botocore *)",
            "*TypeError: a mistake in the test",
        ]
    )
    result.stdout.fnmatch_lines(
        ["XFAIL test_it.py::test_still_open* - known gap: A network load balancer is *"]
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "with-workers"])
def test_an_unknown_gap_ends_the_collection(run, options):
    result = run(
        "import pytest\n@pytest.mark.known_gap('aws-nlb-ipv6-only')\ndef test_it(v6_name): pass",
        *options,
    )
    assert "errors" in result.parseoutcomes() or "error" in result.parseoutcomes()
    result.stdout.fnmatch_lines(
        [f"test_it.py::test_it: no known gap is called 'aws-nlb-ipv6-only', did you mean '{GAP}'?"]
    )
