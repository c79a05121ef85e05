"""Is what no package has built from what was pinned, whole or not at all, once, by one at a time?"""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import commands, compiler, install
from pytest_v6probe.lab.builds import BUILDS, DOCKER, ISTIO, KUBERNETES, METALLB, Build

GO = """#!/bin/sh
echo "$*" >> {log}
case "$1" in
env) echo {version} ;;
mod) echo '{{"Sum": "{sum}", "Dir": "{home}"}}' ;;
list) echo {home} ;;
build)
  ls > {log}.in
  [ {fails} = 0 ] || {{ echo "dial tcp: no route to host" >&2; exit 1; }}
  while [ "$1" != -o ]; do shift; done
  into=$2; shift 2
  for package; do touch "$into/${{package##*/}}"; done ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache, whose `go` writes down what it is asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def with_go(
    place: Path, *, sum_: str = DOCKER.checksum, fails: int = 0, version: str = "go1.26.3"
) -> None:
    words = {"log": place / "log", "home": place, "sum": sum_, "fails": fails, "version": version}
    write(place / "go", GO.format(**words))


def with_files(place: Path, build: Build) -> None:
    """What the module of *build* would have, where the `go` of this machine says that it is."""
    for file in build.files:
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_text(f"{file}\n", encoding="utf-8")


def write(program: Path, text: str) -> None:
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)


def with_programs(place: Path, *, version: str) -> dict[str, Path]:
    for name in KUBERNETES.programs:
        write(place / name, f"#!/bin/sh\necho 'Kubernetes {version}'\n")
    return {name: place / name for name in KUBERNETES.programs}


def cache(place: Path) -> Path:
    return place / "cache" / "v6probe"


def asked(place: Path) -> list[str]:
    return [line.split()[0] for line in (place / "log").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", BUILDS)
def test_it_is_built_into_the_cache_once(machine: Path, name: str):
    with_go(machine)
    with_files(machine, BUILDS[name])
    target = cache(machine) / f"{name}-{BUILDS[name].version}" / "bin"
    assert [install.install(name), install.install(name)] == [target, target]
    assert {file.name for file in target.iterdir()} == set(BUILDS[name].programs)
    assert asked(machine).count("build") == 1
    assert {file.name for file in cache(machine).iterdir()} == {target.parent.name, "lock"}


def test_what_its_programs_read_is_kept_beside_them(machine: Path):
    with_go(machine)
    with_files(machine, ISTIO)
    install.install("istio")
    kept = install.share("istio") / "envoy_bootstrap.json"
    assert kept.read_text(encoding="utf-8") == f"{ISTIO.files[0]}\n"
    kept.unlink()
    assert not install.installed("istio")


def test_without_what_its_programs_read_nothing_of_it_is_kept(machine: Path):
    with_go(machine)
    with pytest.raises(LabError, match=r"cannot install Istio .*envoy_bootstrap\.json"):
        install.install("istio")
    assert [file.name for file in cache(machine).iterdir()] == ["lock"]


def test_it_is_built_in_a_copy_of_the_module_that_comes_with_the_package(machine: Path):
    with_go(machine)
    install.install("metallb")
    assert (machine / "log.in").read_text(encoding="utf-8").split() == ["go.mod", "go.sum"]
    flags = f"build -v -gcflags all=-dwarf=false -ldflags {METALLB.ldflags} -o "
    assert flags in (machine / "log").read_text(encoding="utf-8")


def test_another_checksum_is_refused(machine: Path):
    with_go(machine, sum_="h1:other=")
    with pytest.raises(LabError, match="is not what it was: its checksum is h1:other=, not h1:"):
        install.install("docker")
    assert not install.installed("docker")


@pytest.mark.parametrize("name", ["docker", "kubernetes"])
def test_a_build_that_fails_leaves_nothing_and_says_what_it_needs(machine: Path, name: str):
    with_go(machine, fails=1)
    with pytest.raises(LabError, match=r"needs the network(.|\n)*no route to host"):
        install.install(name)
    assert [file.name for file in cache(machine).iterdir()] == ["lock"]


def test_what_a_killed_build_left_is_removed(machine: Path):
    with_go(machine)
    (cache(machine) / "building-x" / "new" / "bin").mkdir(parents=True)
    install.install("coredns")
    assert not (cache(machine) / "building-x").exists()


def test_a_cache_that_cannot_be_written_is_one_message(machine: Path):
    (machine / "cache").write_text("", encoding="utf-8")
    with pytest.raises(LabError, match=r"cannot install CoreDNS .* in .*: .*Not a directory"):
        install.install("coredns")


def test_whoever_finds_another_building_says_so_and_takes_what_it_built(
    machine: Path, monkeypatch, capsys
):
    with_go(machine)
    cache(machine).mkdir(parents=True)
    with (cache(machine) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def waits(taken, **_):
            (target := install.directory("coredns")).mkdir(parents=True)
            (target / "coredns").touch()
            fcntl.flock(lock, fcntl.LOCK_UN)
            return taken()

        monkeypatch.setattr(install, "eventually", waits)
        assert install.install("coredns") == install.directory("coredns")
    assert capsys.readouterr().err.endswith("waiting for it\n")
    assert not (machine / "log").exists()


def test_nobody_waits_for_ever(machine: Path, monkeypatch):
    monkeypatch.setattr(install, "BUILD_S", 0.0)
    cache(machine).mkdir(parents=True)
    with (cache(machine) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LabError, match="another process has built into"):
            install.install("coredns")


def test_programs_on_path_are_used_if_all_are_there_and_new_enough(machine: Path):
    there = with_programs(machine, version="v1.33.1")
    assert install.programs("kubernetes") == there


@pytest.mark.parametrize("version", ["v1.30.2", "", "of mine"])
def test_programs_on_path_of_another_release_are_not_used(machine: Path, version: str):
    with_programs(machine, version=version)
    assert install.found("kubernetes") == {}


def test_some_of_the_programs_on_path_are_not_enough(machine: Path):
    with_programs(machine, version="v1.34.4")["kubelet"].unlink()
    with pytest.raises(LabError, match=r"Kubernetes .* is not .*: v6probe lab install kubernetes"):
        install.programs("kubernetes")


def test_a_program_on_path_that_fails_is_not_used(machine: Path):
    write(machine / "coredns", "#!/bin/sh\necho CoreDNS-1.14.7\nexit 1\n")
    assert install.found("coredns") == {}


def test_names_that_others_use_too_are_not_looked_for_on_path(machine: Path):
    for name in METALLB.programs:
        write(machine / name, "#!/bin/sh\necho 0.15.2\n")
    assert install.found("metallb") == {}


def test_what_was_built_goes_before_what_is_on_path(machine: Path):
    with_programs(machine, version="v1.33.1")
    with_go(machine)
    target = install.install("kubernetes")
    assert install.programs("kubernetes") == {name: target / name for name in KUBERNETES.programs}


def test_what_is_there_already_is_said(machine: Path, capsys: pytest.CaptureFixture[str]):
    with_go(machine)
    assert [commands.install("docker"), commands.install("docker")] == [commands.OK] * 2
    assert capsys.readouterr().out.splitlines()[-1].endswith("already")


def test_only_what_is_known_can_be_installed():
    with pytest.raises(LabError, match=r"there is nothing called 'podman' .*, coredns, metallb"):
        commands.install("podman")


def test_the_settings_of_a_build_are_those_of_every_call_of_go(machine: Path, monkeypatch):
    given: list[dict[str, str]] = []
    with_go(machine)
    real = compiler.run

    def run(argv, **options):
        given.append(dict(options.get("settings", compiler.SETTINGS)))
        return real(argv, **options)

    monkeypatch.setattr(compiler, "run", run)
    install.install("coredns")
    assert [settings.items() >= compiler.SETTINGS.items() for settings in given] == [True] * 2
