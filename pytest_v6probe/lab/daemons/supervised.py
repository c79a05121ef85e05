"""How is a program run that its unit would start again? A shell script around it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.lab import anchor

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIENT = Path(__file__).with_name("cluster_client.py")
SCRIPT = """#!/bin/sh
# Runs {name}, and again whenever it has ended, as its unit would (Restart=always).
{before}while :; do
  {command}
  echo "{name} ended with status $?"
  sleep 0.2
done
"""


def script(command: Sequence[str], *, before: str = "") -> str:
    """A shell script that runs *command* for ever, after *before*, which is shell's."""
    name = Path(command[0]).name
    return SCRIPT.format(name=name, before=before, command=shlex.join(command))


def until_ready(server: str) -> str:
    """A line of shell that returns when the API server behind the URL *server* serves."""
    return shlex.join(client("wait", server, anchor.AUTHORITY)) + "\n"


def client(*words: str) -> tuple[str, ...]:
    """A command line of the small client of the lab's API server."""
    return (sys.executable, "-I", "-S", str(CLIENT), *words)
