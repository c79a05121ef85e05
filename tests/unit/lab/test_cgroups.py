"""Do the cgroups of a lab go with it, and only those?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.lab import cgroups

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two hierarchies of version 1, each with the cgroups of two labs and one that is no lab's."""
    for controller in ("memory", "pids"):
        for name in ("v6probe-a/c1", "v6probe-b/c1", "docker/c1"):
            (tmp_path / controller / name).mkdir(parents=True)
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    return tmp_path


def left(root: Path) -> set[str]:
    return {str(place.relative_to(root)) for place in root.glob("*/*")}


def test_those_of_a_lab_go_with_what_is_in_them(root: Path):
    cgroups.remove("a")
    assert left(root) == {"memory/v6probe-b", "memory/docker", "pids/v6probe-b", "pids/docker"}


def test_those_of_labs_that_were_killed_are_swept(root: Path):
    cgroups.sweep(["b"])
    assert left(root) == {"memory/v6probe-b", "memory/docker", "pids/v6probe-b", "pids/docker"}


def test_one_that_is_in_use_stays(root: Path):
    (root / "pids" / "v6probe-a" / "c1" / "tasks").touch()
    cgroups.remove("a")
    assert left(root) == {
        "memory/v6probe-b",
        "memory/docker",
        "pids/v6probe-a",
        "pids/v6probe-b",
        "pids/docker",
    }


def test_a_machine_of_version_2_has_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "v6probe-a" / "c1").mkdir(parents=True)
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    cgroups.remove("a")
    assert list(tmp_path.iterdir()) == []
