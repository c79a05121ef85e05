"""Whatever ends a run of pytest, at whatever moment: does nothing of it stay?"""

from __future__ import annotations

import os
import signal
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_v6probe.lab import names
from pytest_v6probe.wait import eventually
from tests.lab.runs import run
from tests.lab.traces import GONE_S, Traces

PATIENCE_S = 60.0
SOURCE = """
import pathlib, time
from pytest_v6probe import addresses

def test_long(ec2_host):
    assert addresses(ec2_host).verdict == "usable"
    pathlib.Path({folder!r}, ec2_host.name.replace("/", "-")).touch()
    time.sleep(600)
"""
MOMENTS = {
    "starting": lambda name, folder: True,
    "lab-coming-up": lambda name, folder: name in names.up(),
    "tests-running": lambda name, folder: any(folder.glob("us-*")),
}
ENDS = {
    "ctrl-c": lambda pid: os.killpg(pid, signal.SIGINT),
    "sigterm": lambda pid: os.kill(pid, signal.SIGTERM),
    "sigkill": lambda pid: os.kill(pid, signal.SIGKILL),
}


def of_session(leader: int) -> list[str]:
    """The living processes of the session that *leader* leads: pytest and its workers."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            if fields[3] == str(leader) and fields[0] != "Z":
                found.append(f"{stat.parent.name} {(stat.parent / 'cmdline').read_bytes()!r}")
    return found


@pytest.mark.parametrize("options", [(), ("-n", "4")], ids=["alone", "with-workers"])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("end", ENDS)
def test_nothing_stays(end: str, moment: str, options: tuple[str, ...], tmp_path: Path):
    run_id = uuid.uuid4().hex[:12]
    name = f"v6probe-{run_id}-aws"
    own = tmp_path / "tmp"
    own.mkdir()
    source = SOURCE.format(folder=str(tmp_path))
    with run(source, tmp_path, "--testrunuid", run_id, *options, TMPDIR=str(own)) as process:
        assert (
            eventually(
                lambda: MOMENTS[moment](name, tmp_path) or process.poll(),
                until=bool,
                within_s=PATIENCE_S,
                every_s=0.02,
            )
            is True
        )
        traces = Traces.of(name)
        ENDS[end](process.pid)
        process.wait(PATIENCE_S)
        assert traces.left() == ()
        assert (
            eventually(
                lambda: of_session(process.pid), until=lambda left: not left, within_s=GONE_S
            )
            == []
        )
        files = [file.name for file in own.iterdir()]
        assert [
            name for name in files if not name.startswith("pytest-of-")
        ] == []  # xdist's own, kept by pytest
