"""Where are the packets of a failing test? Each capture in a file that only its user can read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes import packets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pytest_v6probe.result import Traffic


def written(captures: Iterable[Traffic], new_folder: Callable[[], Path]) -> list[str]:
    """Write each of *captures* into one *new_folder*; a line for each: its file and what is in it,
    or why there is none. Raises nothing: the failure must be seen.
    """
    try:
        folder = new_folder()
    except (LookupError, OSError, ValueError) as why:
        return [f"none: {type(why).__name__}: {why}"]
    return [_written(capture, folder, number) for number, capture in enumerate(captures, 1)]


def _written(capture: Traffic, folder: Path, number: int) -> str:
    at = "".join(c if c.isalnum() or c in "-." else "_" for c in capture.vantage)
    file = folder / f"{number}-{at}.pcap"
    try:
        octets = capture.pcap
        to = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(to, "wb") as opened:
            opened.write(octets)
    except (Unobserved, OSError) as why:
        return f"none of {capture.vantage}: {why}"
    number = packets.count(octets)
    return f"{file} ({number} packet{'s'[: number != 1]}, {len(octets) / 1000:.1f} kB)"
