"""Is an engine told of other settings, and believed only when it says that it goes by them?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import anchor, steps_registry
from pytest_v6probe.lab.clouds import registry
from pytest_v6probe.lab.daemons import dockerd
from pytest_v6probe.lab.steps_registry import SETTINGS, Reloaded

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = registry.DOCKER_1
SAID = {
    "newest": b'level=info msg="Reloaded configuration" config="{}"\n',
    "debian": b'level=info msg="Reloaded configuration: {}"\n',
    "deaf": b"",
}
STEP = Reloaded(node=HOST.node, daemon=HOST.daemon, text="{}")


@dataclass
class FakeLab:
    """A lab whose engine logs *said* when it gets a signal."""

    said: bytes
    shape: Any = field(default_factory=lambda: registry.shape("test"))
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, node: str, *argv: str):
        yield from ()
        self.ran.append((node, *argv))
        with (dockerd.home(HOST.daemon) / "log").open("ab") as log:
            log.write(self.said)

    def until(self, missing: Callable[[], str], *, until: float):
        yield from ()
        if why := missing():
            raise LabError(why)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(anchor, "HOME", str(tmp_path))
    settings = anchor.directory(HOST.node) / "etc" / SETTINGS
    for file in (settings, dockerd.home(HOST.daemon) / "log"):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"an older line\n")
    return settings


@pytest.mark.parametrize("engine", ["newest", "debian"])
def test_an_engine_that_rereads_its_settings_has_taken_them(engine: str, place: Path):
    lab: Any = FakeLab(SAID[engine])
    list(STEP.apply(lab))
    assert place.read_text() == "{}"
    list(STEP.revert(lab))
    assert place.read_text() == registry.daemon_json()
    assert [ran[0] for ran in lab.ran] == [HOST.node] * 2


def test_an_engine_that_does_not_say_so_has_not():
    lab: Any = FakeLab(SAID["deaf"])
    with pytest.raises(LabError, match=r"us-west-2/docker-1/dockerd has not reread"):
        list(STEP.apply(lab))


def test_what_an_engine_said_before_does_not_count(place: Path):
    (dockerd.home(HOST.daemon) / "log").write_bytes(SAID["newest"] * 3)
    assert steps_registry.DONE in SAID["newest"]
    lab: Any = FakeLab(SAID["deaf"])
    with pytest.raises(LabError, match="has not reread"):
        list(STEP.apply(lab))
