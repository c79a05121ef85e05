"""How is a program started on this very machine?"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from pytest_v6probe.errors import AgentUnusable
from pytest_v6probe.transport.channel import Channel
from pytest_v6probe.transport.descriptors import DescriptorChannel


class LocalTransport:
    """Starts programs here, as the user who runs the tests, in a session of their own."""

    @property
    def name(self) -> str:
        """``local``."""
        return "local"

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:  # noqa: ARG002 part of Transport; a fork is immediate
        """Start *argv*. Raises AgentUnusable if there is no such program."""
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as why:
            raise AgentUnusable(
                f"local: {argv[0]}: {why.strerror}; install Python 3.6 or newer, or "
                "set the host's `python`",
                reason="no-python3",
            ) from why
        return over_process(process, name="local")

    def close(self) -> None:
        """Nothing is shared by the channels."""


def over_process(process: subprocess.Popen[bytes], *, name: str) -> DescriptorChannel:
    """A channel over the pipes of *process*; closing it ends the process."""

    def ended(within_s: float) -> str:
        try:
            status = process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"

    pipes = []
    for pipe in (process.stdout, process.stdin, process.stderr):
        if pipe is None:
            raise ValueError("the process has no pipes")
        pipes.append(os.dup(pipe.fileno()))
        pipe.close()
    source, sink, errors = pipes
    return DescriptorChannel(name=name, source=source, sink=sink, errors=errors, ended=ended)
