"""How is another program run beside a test: pytest, ended with all that it started, or a command in a
node of a lab?
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.transport.netns import NamespaceTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.transport.netns import Keeper

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


def said(keeper: Keeper, node: str, *argv: str, within_s: float) -> str:
    """What *argv* writes, run by root in *node*; it takes at most *within_s* for each piece."""
    with closing(NamespaceTransport(keeper, node).start(argv, timeout_s=within_s)) as channel:
        octets = b""
        while more := channel.receive(timeout_s=within_s):
            octets += more
        assert octets or not channel.last_words(), channel.last_words()
    return octets.decode("utf-8")
