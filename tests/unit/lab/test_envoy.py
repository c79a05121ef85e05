"""Is Envoy found where it is, and nothing taken for it that a pod could not run?"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from pytest_v6probe.lab import envoy


def program(place: Path, content: bytes) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    place.chmod(0o755)
    return place


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Envoy: its PATH is its directory bin, and no distribution is installed."""

    def files(name: str) -> list[metadata.PackagePath]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(metadata, "files", files)
    return tmp_path


def test_a_machine_without_it_says_so_and_where_it_would_be(machine: Path):
    assert (envoy.found(), envoy.place()) == (None, Path("/usr/local/bin/envoy"))
    assert not (machine / "bin").exists()


def test_it_is_found_on_path(machine: Path):
    there = program(machine / "bin" / "envoy", b"\x7fELF\x02")
    assert (envoy.found(), envoy.place()) == (there, there)


def test_a_script_that_starts_it_is_not_it(machine: Path):
    program(machine / "bin" / "envoy", b"#!/usr/bin/python3\n")
    assert envoy.found() is None


def test_the_distribution_goes_before_path(machine: Path, monkeypatch: pytest.MonkeyPatch):
    program(machine / "bin" / "envoy", b"\x7fELF\x02")
    there = program(machine / "envoy" / "_bin" / "envoy", b"\x7fELF\x02")
    distribution = metadata.PathDistribution(machine / "x.dist-info")
    files = [metadata.PackagePath(name) for name in ("bin/envoy", "envoy/_bin/envoy")]
    for file in files:
        file.dist = distribution
    monkeypatch.setattr(metadata, "files", lambda _: files)
    assert envoy.found() == there
