"""Does a run that cannot mean what it says end at once, with one message and exit status 4?"""

from __future__ import annotations

import os

import pytest

SOURCE = "def test_host(ec2_host): pass\n"
USAGE = pytest.ExitCode.USAGE_ERROR
WORKERS = pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "with-workers"])


def said(result) -> str:
    text = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    return str(result.stderr)


@WORKERS
def test_a_bad_inventory_shows_the_line(run, inventory, options):
    inventory.write_text(
        '[environment]\nname = "here"\ncloud = "aws"\n[[host]]\nname = "a"\nlocall = true\n'
    )
    result = run(SOURCE, *options)
    assert result.ret == USAGE
    message = said(result)
    assert message.startswith("ERROR: ")
    assert "here.toml" in message
    assert "locall = true" in message
    assert "local" in message


@WORKERS
def test_an_inventory_that_is_not_there_is_named(run, inventory, options):
    inventory.unlink()
    result = run(SOURCE, *options)
    assert result.ret == USAGE
    assert "here.toml" in said(result)


@WORKERS
def test_a_region_that_is_not_there_is_answered_with_the_nearest(run, options):
    result = run(SOURCE, "--v6-region", "us-esat-1", *options)
    assert result.ret == USAGE
    assert "no region 'us-esat-1', did you mean 'us-east-1'? (it has us-east-1, us-west-2)" in said(
        result
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--v6-timeout", "soon"),
        ("--v6-timeout", "0"),
        ("--v6-concurrency", "0"),
        ("--v6-timeout", "nan"),
    ],
)
def test_a_number_must_be_one(run, option, value):
    result = run(SOURCE, option, value)
    assert result.ret == USAGE
    assert f"{option}: '{value}' is not a number of" in said(result)


def test_a_fault_needs_a_lab_of_its_own(run):
    result = run(SOURCE, "--v6-fault", "translator-down")
    assert result.ret == USAGE
    assert "v6probe lab break" in said(result)


def test_an_unknown_fault_is_a_usage_error(pytester):
    pytester.makepyfile(SOURCE)
    result = pytester.runpytest_subprocess("--v6-fault", "translator-dwon")
    assert result.ret == USAGE
    assert "translator-d" in said(result)


@WORKERS
def test_without_an_inventory_and_a_possible_lab_it_says_what_installs_one(
    pytester, monkeypatch, options
):
    """A machine without daemons: nothing but the interpreter's own directory is on any path."""
    pytester.makepyfile(SOURCE)
    pytester.makeconftest(
        "from pytest_v6probe.lab import doctor, needs\n"
        "doctor.PROGRAMS = (needs.Program(name='no-such-radvd', package='radvd', purpose='RA'),)\n"
    )
    result = pytester.runpytest_subprocess(*options)
    assert result.ret == USAGE
    message = said(result)
    assert "no inventory is given (--v6-env FILE)" in message
    assert "no-such-radvd" in message
    assert "apt-get install" in message
    assert "radvd" in message


@WORKERS
def test_without_a_possible_lab_other_tests_run(pytester, options):
    pytester.makepyfile(
        "import pytest\n@pytest.mark.parametrize('path', ['a/b', 'client'])\ndef test_other(path): pass"
    )
    pytester.makeconftest(
        "from pytest_v6probe.lab import doctor, needs\n"
        "doctor.PROGRAMS = (needs.Program(name='no-such-radvd', package='radvd', purpose='RA'),)\n"
    )
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=2)


def test_without_a_possible_lab_collection_alone_still_works(pytester):
    pytester.makepyfile(SOURCE)
    pytester.makeconftest(
        "from pytest_v6probe.lab import doctor, needs\n"
        "doctor.PROGRAMS = (needs.Program(name='no-such-radvd', package='radvd', purpose='RA'),)\n"
    )
    result = pytester.runpytest_subprocess("--collect-only", "-q")
    assert result.ret == pytest.ExitCode.OK


def test_the_lab_of_an_inventory_must_be_up(run, inventory):
    inventory.write_text(
        '[environment]\nname = "x"\ncloud = "aws"\nlab = "not-there"\n'
        f'[[host]]\nname = "web-{os.getpid()}"\nnamespace = "netns:client"\n'
    )
    result = run(SOURCE)
    assert result.ret == USAGE
    assert "no lab named not-there is up" in said(result)
