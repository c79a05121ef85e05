"""What is a daemon of the lab? Its files, its command line, the question that shows it is ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_v6probe.result import Address

CERTIFICATE_FILE = "certificate.pem"
"""Below the home of a daemon that asks for a certificate: that, and its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Asked in the daemon's own namespace until the answer matches: *send* to *address*, and
    *pattern* at the answer's start.

    With *udp* one datagram each way; else a TCP connection. *pattern* is a regular expression over
    octets.
    """

    address: Address
    port: int
    send: bytes
    pattern: bytes
    udp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A program that runs in the foreground inside its node, and dies with the lab."""

    program: ClassVar[str]
    deadline_s: ClassVar[float] = 10.0
    """How long it may take from its start until every question of `ready` is answered."""
    own_copy: ClassVar[bool] = False
    """Run from a copy: AppArmor profiles of Debian and Ubuntu tie the packaged path to /etc and
    /var of the machine.
    """

    name: str
    node: str

    def files(self, home: Path) -> dict[str, str]:
        """The files it reads, by their name below *home*, its own directory."""
        raise AssertionError(f"{type(self).__name__} writes no files below {home}")

    def argv(self, home: Path) -> tuple[str, ...]:
        """Its command line; the first word is found on PATH."""
        raise AssertionError(f"{type(self).__name__} has no command line for {home}")

    def ready(self) -> tuple[Question, ...]:
        """What it answers once it is ready; nothing where only its effect on others can be seen."""
        return ()
