"""Is the newest engine built from what was pinned, whole or not at all, and only once?"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import commands, install

GO = """#!/bin/sh
echo "$*" >> {log}
case "$1" in
env) echo {version} ;;
mod) echo '{{"Sum": "{sum}", "Dir": "{home}"}}' ;;
build)
  [ {fails} = 0 ] || {{ echo "dial tcp: no route to host" >&2; exit 1; }}
  while [ "$1" != -o ]; do shift; done
  touch "$2/dockerd" "$2/docker-proxy" ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache, whose `go` writes down what it is asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def with_go(
    place: Path, *, sum_: str = install.SUM, fails: int = 0, version: str = "go1.26.3"
) -> None:
    words = {"log": place / "log", "home": place, "sum": sum_, "fails": fails, "version": version}
    (place / "go").write_text(GO.format(**words), encoding="utf-8")
    (place / "go").chmod(0o755)


def asked(place: Path) -> list[str]:
    return [line.split()[0] for line in (place / "log").read_text(encoding="utf-8").splitlines()]


def test_it_is_built_into_the_cache_once(machine: Path):
    with_go(machine)
    target = machine / "cache" / "v6probe" / f"docker-{install.VERSION}" / "bin"
    assert [install.docker(), install.docker()] == [target, target]
    assert {file.name for file in target.iterdir()} == {"dockerd", "docker-proxy"}
    assert asked(machine) == ["env", "mod", "build"]


def test_another_checksum_is_refused(machine: Path):
    with_go(machine, sum_="h1:other=")
    with pytest.raises(LabError, match="is not what it was: its checksum is h1:other=, not h1:"):
        install.docker()
    assert not install.installed()


def test_a_build_that_fails_leaves_nothing_and_says_what_it_needs(machine: Path):
    with_go(machine, fails=1)
    with pytest.raises(LabError, match=r"needs the network(.|\n)*no route to host"):
        install.docker()
    assert list((machine / "cache" / "v6probe").iterdir()) == []


@pytest.mark.parametrize(
    ("version", "enough"), [("go1.26.3", True), ("go1.27", True), ("go1.26", False)]
)
def test_an_old_compiler_is_not_used(machine: Path, version: str, *, enough: bool):
    with_go(machine, version=version)
    assert install._is_new_enough(str(machine / "go")) == enough


def test_what_is_there_already_is_said(machine: Path, capsys: pytest.CaptureFixture[str]):
    with_go(machine)
    assert [commands.install("docker"), commands.install("docker")] == [commands.OK] * 2
    assert capsys.readouterr().out.splitlines()[-1].endswith("already")


def test_only_docker_can_be_installed():
    with pytest.raises(LabError, match="there is nothing called 'podman' to install"):
        commands.install("podman")
