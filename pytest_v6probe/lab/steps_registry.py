"""How does an engine get other settings while it runs? It rereads its daemon.json on SIGHUP."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.daemons import dockerd
from pytest_v6probe.lab.steps import EFFECT_S

if TYPE_CHECKING:
    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab

SETTINGS = "docker/daemon.json"
DONE = b"Reloaded configuration"
"""What an engine logs then (moby, daemon/command/daemon.go, reloadConfig)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """The engine *daemon* of *node* goes by a daemon.json that says *text*. Only for what it can
    change while it runs: registry-mirrors, insecure-registries
    (https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior).
    """

    node: str
    daemon: str
    text: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._reload(lab, self.text)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._reload(lab, lab.shape.topology.node(self.node).etc[SETTINGS])

    def _reload(self, lab: Lab, text: str) -> Task[None]:
        (anchor.directory(self.node) / "etc" / SETTINGS).write_text(text, encoding="utf-8")
        log = dockerd.home(self.daemon) / "log"
        before = _reloads(log)
        yield from lab.run(self.node, "sh", "-c", 'kill -HUP "$(cat /run/docker.pid)"')
        yield from lab.until(
            lambda: "" if _reloads(log) > before else f"{self.daemon} has not reread {SETTINGS}",
            until=time.monotonic() + EFFECT_S,
        )


def _reloads(log: Path) -> int:
    return log.read_bytes().count(DONE)
