"""At which vantages and sites does a test run, and what is said where there are none?"""

from __future__ import annotations

import pytest

from tests.plugin.conftest import INVENTORY

SOURCE = """
import pytest

def test_host(ec2_host): pass
def test_pair(ec2_host, dual_stack_site): pass
def test_any_site(ec2_host, ipv4_only_site): pass
def test_nested_and_its_host(nested_host, ec2_host): pass
def test_key(ec2_host, resource_name): assert resource_name == "i-1.ec2.internal"
def test_name(v6_name): assert "/" in v6_name
@pytest.mark.v6_vantage("us-west-*")
def test_limited(v6_name): pass
@pytest.mark.parametrize("ec2_host", ["us-west-2/web-1"], indirect=True)
def test_own_choice(ec2_host): assert ec2_host.region == "us-west-2"
"""


def ids(result) -> list[str]:
    return [
        line.removeprefix("test_it.py::")
        for line in result.outlines
        if line.startswith("test_it.py::")
    ]


def test_a_test_runs_once_for_each_fitting_entry_of_the_inventory(run):
    assert ids(run(SOURCE, "--collect-only", "-q")) == [
        "test_host[us-east-1/web-1]",
        "test_host[us-west-2/web-1]",
        "test_pair[us-west-2/web-1-both.example]",
        "test_any_site[us-east-1/web-1-v4.example]",
        "test_any_site[us-west-2/web-1-v4.example]",
        "test_nested_and_its_host[us-east-1/task-1-us-east-1/web-1]",
        "test_key[us-east-1/web-1]",
        "test_name[us-east-1/web-1]",
        "test_name[us-west-2/web-1]",
        "test_name[us-east-1/task-1]",
        "test_limited[us-west-2/web-1]",
        "test_own_choice[us-west-2/web-1]",
    ]


def test_all_of_them_pass(run):
    run(SOURCE).assert_outcomes(passed=12)


def test_a_region_limits_the_hosts(run):
    assert ids(
        run("def test_host(ec2_host): pass", "--collect-only", "-q", "--v6-region", "us-west-2")
    ) == ["test_host[us-west-2/web-1]"]


def test_regions_may_be_repeated_and_listed(run):
    once = run("def test_host(ec2_host): pass", "--v6-region", "us-west-2,us-east-1")
    twice = run(
        "def test_host(ec2_host): pass", "--v6-region", "us-west-2", "--v6-region", "us-east-1"
    )
    assert once.parseoutcomes() == twice.parseoutcomes() == {"passed": 2}


def test_options_may_stand_in_the_ini_file(pytester, inventory):
    pytester.makeini(f"[pytest]\nv6_env = {inventory.name}\nv6_region = us-west-2\n")
    pytester.makepyfile("def test_host(ec2_host): assert ec2_host.region == 'us-west-2'")
    below = pytester.mkdir("below")
    result = pytester.runpytest_subprocess(
        "--rootdir", pytester.path, "-c", pytester.path / "tox.ini", below.parent
    )
    result.assert_outcomes(passed=1)


def test_an_absent_kind_is_skipped_and_says_what_is_missing(run):
    result = run(
        "def test_egress(egress_only_host): pass\n"
        "def test_key(ec2_host, imds_tokens): pass\n"
        "def test_behind(nested_host, dual_stack_site): pass\n",
        "-rs",
    )
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(
        [
            '*here.toml has no ??host?? with role = "egress-only"',
            '*here.toml has no ??host?? with role = "instance" or "egress-only" and the key imds_tokens',
            "*here.toml has no nested_host and dual_stack_site that belong together*",
        ],
        consecutive=False,
    )


def test_a_site_that_is_not_there_is_named(pytester, inventory):
    inventory.write_text(INVENTORY.split("[[site]]")[0], encoding="utf-8")
    pytester.makepyfile("def test_site(ec2_host, ipv4_only_site): pass")
    result = pytester.runpytest_subprocess("--v6-env", inventory, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(['*here.toml has no ??site?? with families = ?"ipv4"?'])


def test_a_file_of_any_name_runs_when_it_is_named(pytester, inventory):
    file = pytester.mkdir("mine") / "my_cloud.py"
    file.write_text("def test_host(ec2_host): pass\n", encoding="utf-8")
    pytester.runpytest_subprocess("--v6-env", inventory, file).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "done"),
    [("disruptive", "changes its target"), ("creates", "creates something at its target")],
)
def test_disruptive_tests_are_refused_unless_asked_for(run, marker, done):
    source = f"import pytest\n@pytest.mark.{marker}\ndef test_restart(ec2_host): pass\n"
    refused = run(source, "-rs")
    refused.assert_outcomes(skipped=2)
    refused.stdout.fnmatch_lines([f"*{done}: refused without --v6-disruptive"])
    run(source, "--v6-disruptive").assert_outcomes(passed=2)


@pytest.mark.parametrize("marker", ["disruptive", "creates"])
def test_a_disruptive_marker_of_somebody_elses_is_left_alone(run, marker):
    source = f"import pytest\n@pytest.mark.{marker}\ndef test_other(): pass\n"
    run(source).assert_outcomes(passed=1)


def test_the_header_names_environment_regions_and_vantages(run):
    run("def test_nothing(): pass").stdout.fnmatch_lines(
        [
            "v6probe: environment here (aws), *here.toml",
            "v6probe: regions us-east-1, us-west-2",
            "v6probe: vantages us-east-1/web-1, us-west-2/web-1, us-east-1/task-1",
        ]
    )


def test_options_and_markers_are_documented_by_pytest_itself(pytester):
    options = pytester.runpytest("--help").stdout.str()
    assert {
        "--v6-env=FILE",
        "--v6-region=REGION",
        "--v6-disruptive",
        "--v6-timeout=SECONDS",
        "--v6-concurrency=N",
        "--v6-fault=NAME",
        "v6_env (string):",
        "v6_disruptive (bool):",
    } <= {
        word
        for line in options.splitlines()
        for word in (line.strip().split("  ")[0], " ".join(line.split()[:2]))
    }
    markers = pytester.runpytest("--markers").stdout.str()
    assert all(
        f"@pytest.mark.{name}" in markers
        for name in ("v6_vantage(", "disruptive:", "creates:", "known_gap(")
    )
