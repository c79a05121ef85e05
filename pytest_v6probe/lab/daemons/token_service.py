"""Who gives out a registry's tokens? Our token service; the program is token_server.py."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.certificates import Certificate
    from pytest_v6probe.result import Address

SERVER = Path(__file__).with_name("token_server.py")
EARLY_DATA = b"\x17\x03\x03\x00\x01\x00"
"""A TLS record before any handshake: the answer is an alert (RFC 8446 §5.1, §6)."""
ALERT = rb"\x15\x03"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenService(Daemon):
    """Answers over TLS, and signs its tokens with the key of the same *certificate*."""

    program: ClassVar[str] = sys.executable

    addresses: tuple[Address, ...]
    service: str
    """What the registry calls itself in its challenge."""
    certificate: Certificate
    port: int = 443
    users: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Passwords by user: they may pull and push everything."""
    public: tuple[str, ...] = ()
    """How the names of those repositories begin that anybody may pull."""
    refuses: bool = False
    """Give nobody a token."""

    def files(self, home: Path) -> dict[str, str]:
        options = {
            "listen": [str(address) for address in self.addresses],
            "port": self.port,
            "certificate": str(home / CERTIFICATE_FILE),
            "service": self.service,
            "issuer": self.certificate.name,
            "users": dict(self.users),
            "public": self.public,
            "refuses": self.refuses,
        }
        return {"tokens.json": json.dumps(options)}

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "-I", str(SERVER), str(home / "tokens.json"))

    def ready(self) -> tuple[Question, ...]:
        return tuple(
            Question(address=address, port=self.port, send=EARLY_DATA, pattern=ALERT)
            for address in self.addresses
        )
