"""Where does the machine count what a lab's containers use? In one cgroup, which goes with the lab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path("/sys/fs/cgroup")
PREFIX = "v6probe-"


def name(lab: str) -> str:
    """The cgroup that all containers of *lab* are below."""
    return f"{PREFIX}{lab}"


def sweep(up: Sequence[str]) -> None:
    """Remove what labs left that were killed: the cgroups of those that are not *up*. One that
    still has processes in it stays.
    """
    there = {found.name.removeprefix(PREFIX) for place in _places() for found in _ours(place)}
    for lab in there.difference(up):
        remove(lab)


def remove(lab: str) -> None:
    """Remove the cgroup of *lab* from every hierarchy; one that has processes in it stays."""
    for place in _places():
        for folder, _, _ in os.walk(place / name(lab), topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:  # busy, or gone meanwhile
                break


def _places() -> Iterator[Path]:
    """The roots of the hierarchies: one of version 2, or one for each controller of version 1."""
    if ROOT.is_dir():
        yield ROOT
        yield from (place for place in ROOT.iterdir() if place.is_dir() and not place.is_symlink())


def _ours(place: Path) -> Iterator[Path]:
    yield from place.glob(f"{PREFIX}*")
