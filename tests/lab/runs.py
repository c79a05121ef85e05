"""How is another run of pytest started, and ended with all that it started?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NEEDLESS = ("cacheprovider", "hypothesispytest", "anyio")
"""Plugins that no run of scenarios needs, and that make each start twice as long."""
PYTEST = (sys.executable, "-m", "pytest", "-q", *(f"-pno:{plugin}" for plugin in NEEDLESS))


@contextmanager
def run(
    source: str, folder: Path, *options: str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A run of the test file *source*, in *folder* and in a session of its own. What it writes is
    in ``folder/said``; all of it is killed at the end.
    """
    file = folder / "test_own.py"
    file.write_text(source, encoding="utf-8")
    with (
        (folder / "said").open("wb") as said,
        subprocess.Popen(
            (*PYTEST, "--rootdir", str(folder), *options, str(file)),
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
