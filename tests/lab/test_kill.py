"""Whatever ends a run of pytest, at whatever moment: does nothing of it stay?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.lab import names
from pytest_v6probe.wait import eventually
from tests.lab.traces import GONE_S, Traces

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
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


@contextmanager
def run(run_id: str, folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run of pytest on the lab in a session of its own, whose temporary files go to
    ``folder/tmp``.
    """
    Path(folder, "test_long.py").write_text(SOURCE.format(folder=str(folder)), encoding="utf-8")
    Path(folder, "tmp").mkdir()
    argv = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--testrunuid",
        run_id,
        "--rootdir",
        str(folder),
        *options,
        str(folder / "test_long.py"),
    )
    with subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


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
    with run(run_id, tmp_path, *options) as process:
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
        files = [file.name for file in (tmp_path / "tmp").iterdir()]
        assert [
            name for name in files if not name.startswith("pytest-of-")
        ] == []  # xdist's own, kept by pytest
