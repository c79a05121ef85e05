"""What is a transport? Something that starts a program at a vantage and gives the two ends of its
standard streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

SUDO = ("sudo", "-n", "--")
"""What comes before a program that is to run as root: never ask for a password."""

LAST_WORDS = 2000
"""So many octets of standard error are kept, the last ones."""


class Channel(Protocol):
    """The standard input and output of one running program. Closing it ends the program (its stdin
    closes).
    """

    def send(self, octets: bytes, *, timeout_s: float) -> None:
        """Write all of *octets*. Raises DeadlinePassed, or AgentUnusable if the program is gone."""

    def receive(self, *, timeout_s: float) -> bytes:
        """The next octets of standard output, at least one; ``b""`` at its end. Raises
        DeadlinePassed.
        """

    def last_words(self) -> str:
        """What the program wrote to standard error (its last 2,000 characters) and its exit status,
        for a message.
        """

    def close(self) -> None:
        """End the program and free everything. May be called twice."""


class Transport(Protocol):
    """How a program is started at a vantage."""

    @property
    def name(self) -> str:
        """How people call this way, with its address: ``ssh ec2-user@[2001:db8::1]:22``."""

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        """Start *argv* at the vantage. Raises VantageUnreachable (with a reason) or DeadlinePassed."""

    def close(self) -> None:
        """Close the connection that the channels share, if there is one."""


def printable(octets: bytes) -> str:
    """What a vantage wrote, fit for a message: one line, nothing that a terminal would obey."""
    text = " ".join(octets.decode("utf-8", "replace").split())
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
