"""Who knows what time it is? chronyd, following its own clock and never setting it (RFC 5905)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import Daemon, Question
from pytest_v6probe.rfc import rfc5905

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_v6probe.result import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Chronyd(Daemon):
    """Serves time on *address*. Without *stratum* it says that it is not synchronised."""

    program: ClassVar[str] = "chronyd"
    own_copy: ClassVar[bool] = True

    address: Address
    stratum: int | None = 3

    def files(self, home: Path) -> dict[str, str]:
        local = f"local stratum {self.stratum}\n" if self.stratum is not None else ""
        return {
            "chrony.conf": f"{local}bindaddress {self.address}\nallow all\n"
            "cmdport 0\nbindcmdaddress /\n"
            f"pidfile {home}/chronyd.pid\n"
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "-d", "-x", "-u", "root", "-f", str(home / "chrony.conf"))

    def ready(self) -> tuple[Question, ...]:
        leap = 0 if self.stratum is not None else 3  # RFC 5905 §7.3
        first = bytes([leap << 6 | 4 << 3 | 4])  # version 4, mode server
        return (
            Question(
                address=self.address,
                port=123,
                send=rfc5905.request(transmit=1 << 40),
                pattern=re.escape(first),
                udp=True,
            ),
        )
