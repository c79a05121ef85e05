"""A cluster's API that is played, one for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_v6probe.lab.certificates import Authority, Certificate, authority
from pytest_v6probe.transport.pod.api import ClusterApi, open_api
from tests.unit.transport.pod.played import FakeApi


@pytest.fixture(scope="session")
def lab() -> Authority:
    """Whom the clients of the played APIs trust."""
    return authority()


@pytest.fixture
def play(lab: Authority, tmp_path: Path) -> Iterator[Callable[..., FakeApi]]:
    """Makes an API that is played."""
    made: list[FakeApi] = []

    def make(certificate: Certificate | None = None, *, by: Authority = lab) -> FakeApi:
        place = tmp_path / f"api-{len(made)}"
        place.mkdir()
        made.append(FakeApi(place, by, certificate))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def fake(play: Callable[..., FakeApi]) -> FakeApi:
    """One that is played."""
    return play()


@pytest.fixture
def api(fake: FakeApi) -> Iterator[ClusterApi]:
    """*fake*, opened."""
    opened = open_api(fake.spec(), timeout_s=5.0)
    yield opened
    opened.close()
