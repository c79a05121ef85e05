"""Does each command do its part, and is every mistake one message and an exit status?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_v6probe import cli
from pytest_v6probe.agent import bootstrap
from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import commands
from pytest_v6probe.lab.builds import BUILDS

INVENTORY = '[environment]\nname = "prod"\ncloud = "aws"\n[[host]]\nname = "here"\nlocal = true\n'


@pytest.mark.parametrize(
    ("argv", "name", "expected"),
    [
        (["doctor"], "doctor", {"fix": False}),
        (["doctor", "--fix"], "doctor", {"fix": True}),
        (["lab", "up", "aws", "--env", "x.toml"], "up", {"name": None, "env": "x.toml"}),
        (["lab", "up", "aws", "--name", "mine"], "up", {"name": "mine", "env": None}),
        (["lab", "down"], "down", {"name": None}),
        (["lab", "status", "--json"], "status", {"name": None, "as_json": True}),
        (["lab", "break", "no-ra", "--name", "mine"], "break_", {"name": "mine"}),
        (["lab", "mend", "no-ra"], "mend", {"name": None}),
        (["lab", "shell", "web-1"], "shell", {"name": None}),
        (["lab", "faults", "--json"], "faults", {"as_json": True}),
    ],
)
def test_a_command_of_the_lab_is_handed_over(monkeypatch, argv, name, expected):
    calls = []

    def called(*args, **options):
        calls.append(options)
        return 7

    monkeypatch.setattr(commands, name, called)
    assert cli.main(argv) == 7
    (options,) = calls
    assert {
        key: str(value) if key == "env" and value else value for key, value in options.items()
    } == expected


def test_the_help_names_everything_that_can_be_installed(capsys):
    with pytest.raises(SystemExit):
        cli.main(["lab", "install", "--help"])
    said = capsys.readouterr().out
    assert [name for name in BUILDS if name not in said] == []


def test_check_says_what_is_in_an_inventory(tmp_path, capsys):
    file = tmp_path / "prod.toml"
    file.write_text(INVENTORY, encoding="utf-8")
    assert cli.main(["check", str(file)]) == cli.OK
    assert "here" in capsys.readouterr().out


def test_check_shows_what_is_wrong_with_one(tmp_path, capsys):
    file = tmp_path / "prod.toml"
    file.write_text(INVENTORY.replace("local", "locla"), encoding="utf-8")
    assert cli.main(["check", str(file)]) == cli.USAGE
    said = capsys.readouterr()
    assert (said.out, said.err.startswith("v6probe: ")) == ("", True)
    assert "locla = true" in said.err


def test_payload_is_what_travels(capsys):
    assert cli.main(["payload"]) == cli.OK
    assert capsys.readouterr().out == bootstrap.payload().decode() + "\n"


@pytest.mark.parametrize(
    "argv", [[], ["lab"], ["lab", "up"], ["nonsense"], ["check"], ["lab", "break"]]
)
def test_a_usage_error_ends_with_4(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == cli.USAGE
    assert "usage: v6probe" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (LabError("no radvd here"), cli.FAILED, "v6probe: no radvd here\n"),
        (KeyboardInterrupt(), cli.INTERRUPTED, ""),
    ],
)
def test_an_error_is_one_message(monkeypatch, capsys, raised, status, said):
    def fails(**options):
        raise raised

    monkeypatch.setattr(commands, "down", fails)
    assert cli.main(["lab", "down"]) == status
    assert capsys.readouterr().err == said


def test_a_reader_who_has_seen_enough_is_no_error():
    command = f"'{sys.executable}' -c 'import sys; from pytest_v6probe.cli import main; sys.exit(main([\"payload\"]))'"
    ran = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -c 1"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr, len(ran.stdout)) == (0, b"", 1)


def test_help_loads_nothing_of_the_lab():
    script = (
        "import sys; from pytest_v6probe.cli import _parser; _parser().format_help(); "
        "print([m for m in sys.modules if m.startswith('pytest_v6probe.')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == "['pytest_v6probe.cli']\n"
