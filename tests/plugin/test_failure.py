"""What does a failing test show besides its assertion?"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

SOURCE = """
from ipaddress import IPv6Address
from pytest_v6probe import tcp

def test_tcp(ec2_host):
    assert tcp(ec2_host, IPv6Address("::1"), 1, timeout_s=1).verdict == "open"

def test_no_finding(ec2_host):
    assert not ec2_host.name
"""


def properties(file) -> list[dict[str, str]]:
    return [
        {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}
        for case in ET.parse(file).iter("testcase")
    ]


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "with-workers"])
def test_it_shows_what_was_asked_from_where_and_what_came_back(run, options):
    result = run(SOURCE, "--v6-region", "us-east-1", "-k", "tcp", *options)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- v6probe -*",
            "asked      *1*",
            "from       us-east-1/web-1 by local",
            "used       *::1*",
            "verdict    refused after * ms",
            "broken     *",
            "cause      *",
        ]
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "with-workers"])
def test_junit_has_verdict_layer_and_vantage(run, pytester, options):
    run(SOURCE, "--v6-region", "us-east-1", "--junitxml", "junit.xml", *options)
    tcp, nothing = properties(pytester.path / "junit.xml")
    assert (tcp["v6_verdict"], tcp["v6_vantage"], sorted(tcp)) == (
        "refused",
        "us-east-1/web-1",
        ["v6_layer", "v6_vantage", "v6_verdict"],
    )
    assert nothing == {"v6_vantage": "us-east-1/web-1"}


def test_an_error_of_the_diagnosis_does_not_hide_the_failure(run, pytester):
    pytester.makeconftest(
        "import pytest_v6probe.diagnose as it\n"
        "def diagnose(*args, **options): raise RuntimeError('the ladder fell')\n"
        "it.diagnose = diagnose\n"
    )
    result = run(SOURCE, "--v6-region", "us-east-1", "-k", "tcp")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*assert 'refused' == 'open'", "diagnosis  none: RuntimeError: the ladder fell"]
    )


def test_a_test_answers_for_its_own_findings_only(run, pytester):
    run(
        "from pytest_v6probe import addresses\n"
        "def test_first(ec2_host): assert addresses(ec2_host).verdict\n"
        "def test_second(ec2_host): assert False\n",
        "--v6-region",
        "us-east-1",
        "--junitxml",
        "junit.xml",
    )
    assert properties(pytester.path / "junit.xml") == [{}, {"v6_vantage": "us-east-1/web-1"}]


def test_failures_of_other_tests_are_left_alone(run):
    result = run("def test_other(): assert False")
    assert "v6probe -" not in result.stdout.str()
