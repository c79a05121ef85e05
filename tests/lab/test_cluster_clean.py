"""Whatever ends a run that made something in a cluster: is it gone, or found by `v6probe clean`?"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.lab import environment_file
from pytest_v6probe.wait import eventually
from tests.lab import runs
from tests.lab.clusters import cluster_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.clusters import ClusterLab

PATIENCE_S = 60.0
SOURCE = """
import time
import pytest
from pytest_v6probe import create_service, kube_namespace

@pytest.mark.creates
def test_a_service(cluster):
    with kube_namespace(cluster) as namespace:
        create_service(namespace)
        time.sleep(60)
"""
CLEAN = (str(Path(sys.executable).with_name("v6probe")), "clean")


@pytest.fixture(scope="module")
def lab() -> Iterator[ClusterLab]:
    with cluster_lab("kind") as up:
        yield up


@pytest.fixture
def environment(lab: ClusterLab, tmp_path: Path) -> Path:
    file = tmp_path / "lab.toml"
    environment_file.write(lab.keeper, file, timeout_s=PATIENCE_S)
    return file


def left(lab: ClusterLab) -> list[str]:
    """The namespaces of runs that are there, and are not being deleted."""
    found = [known["metadata"] for known in lab.get("namespaces")]
    return [
        known["name"]
        for known in found
        if known["name"].startswith("v6probe-") and "deletionTimestamp" not in known
    ]


@pytest.mark.parametrize(
    ("number", "stays"), [(signal.SIGKILL, 1), (signal.SIGTERM, 0), (signal.SIGINT, 0)]
)
def test_what_an_ended_run_leaves_is_gone_or_is_found_and_removed(
    lab: ClusterLab, environment: Path, tmp_path: Path, number: int, stays: int
):
    options = ("--v6-env", str(environment), "--v6-disruptive")
    with runs.run(SOURCE, tmp_path, *options) as process:
        made = eventually(lambda: left(lab), until=bool, within_s=PATIENCE_S)
        process.send_signal(number)
        process.wait(PATIENCE_S)
    assert len(made) == 1
    stayed = eventually(lambda: left(lab), until=lambda now: len(now) == stays, within_s=PATIENCE_S)
    assert len(stayed) == stays
    spared = subprocess.run(
        (*CLEAN, "--env", str(environment)), capture_output=True, text=True, check=True
    )
    assert ("spared" in spared.stdout) == bool(stays)
    subprocess.run((*CLEAN, "--env", str(environment), "--all"), check=True)
    assert eventually(lambda: left(lab), until=lambda now: not now, within_s=PATIENCE_S) == []
