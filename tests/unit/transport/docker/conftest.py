"""A Docker Engine that is played, one for each test."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_v6probe.inventory.model import Docker
from pytest_v6probe.transport.docker.engine import Engine, open_engine
from tests.unit.transport.docker.played import FakeEngine, Script


@pytest.fixture
def play() -> Iterator[Callable[..., FakeEngine]]:
    """Makes an engine that answers as a script says."""
    made: list[FakeEngine] = []
    with tempfile.TemporaryDirectory(prefix="v6probe-engine-") as place:

        def make(script: dict[str, Script] | None = None) -> FakeEngine:
            made.append(FakeEngine(Path(place) / f"{len(made)}.sock", script))
            return made[-1]

        yield make
        for engine in made:
            engine.close()


@pytest.fixture
def opened() -> Callable[..., Engine]:
    """Opens an engine that is played."""

    def open_it(fake: FakeEngine, *, timeout_s: float = 5.0) -> Engine:
        docker = Docker(host="web-1", socket=str(fake.path))
        return open_engine(docker, host_id="web-1", through=None, timeout_s=timeout_s)

    return open_it
