"""Does a lab with engines leave nothing when it is killed: no process, mount, namespace, cgroup?"""

from __future__ import annotations

import os
import signal
import uuid
from contextlib import suppress
from pathlib import Path

from pytest_v6probe.lab import cgroups, names
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.wait import eventually
from tests.lab.traces import GONE_S, Traces

UP_S = 60.0


def contained(name: str) -> list[int]:
    """The processes of this machine that are in a container of the lab *name*."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cgroup"):
        with suppress(OSError):
            if cgroups.name(name) in file.read_text(encoding="ascii"):
                found.append(int(file.parent.name))
    return found


def counted(name: str) -> list[Path]:
    """The cgroups of the lab *name*, without those below them."""
    return [*cgroups.ROOT.glob(cgroups.name(name)), *cgroups.ROOT.glob(f"*/{cgroups.name(name)}")]


def test_nothing_stays_of_a_lab_with_engines_that_was_killed_and_its_cgroups_go_with_the_next():
    killed, following = (f"life-{uuid.uuid4().hex[:10]}" for _ in range(2))
    keeper = bring_up("docker-one", name=killed, guardian_pid=os.getpid(), timeout_s=UP_S)
    traces, running, groups = Traces.of(killed), contained(killed), counted(killed)
    os.kill(names.keeper_pid(killed), signal.SIGKILL)
    left = traces.left()
    still = eventually(lambda: contained(killed), until=lambda pids: not pids, within_s=GONE_S)
    keeper.close()
    other = bring_up("docker-one", name=following, guardian_pid=os.getpid(), timeout_s=UP_S)
    swept = counted(killed)
    own, own_groups = contained(following), counted(following)
    other.request({"do": "down"})
    other.close()
    down = eventually(lambda: counted(following), until=lambda found: not found, within_s=GONE_S)
    assert len(running) >= 2  # web and plain
    assert len(own) >= 2
    assert (bool(groups), bool(own_groups)) == (True, True)
    assert (left, still, swept, down) == ((), [], [], [])
