"""Who tells an instance who it is? Our metadata service; the program is imds_server.py."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import Daemon, Question

if TYPE_CHECKING:
    from pytest_v6probe.lab.topology import Network
    from pytest_v6probe.result import Address

SERVER = Path(__file__).with_name("imds_server.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance: where its requests come from, and its metadata by path below /latest/."""

    sources: tuple[Network, ...]
    paths: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imds(Daemon):
    """The options are those of ``aws ec2 modify-instance-metadata-options``."""

    program: ClassVar[str] = sys.executable

    addresses: tuple[Address, ...]
    instances: tuple[Instance, ...]
    tokens: str = "optional"  # HttpTokens: optional or required
    endpoint: str = "enabled"  # HttpEndpoint: disabled answers 403 to everything
    hop_limit: int = 2  # HttpPutResponseHopLimit; 2 as Amazon Linux 2023's images set it
    garbage: bool = False
    """Answer every request with octets that are no HTTP."""

    def files(self, home: Path) -> dict[str, str]:
        del home
        options = {
            "listen": [str(address) for address in self.addresses],
            "tokens": self.tokens,
            "endpoint": self.endpoint,
            "hop_limit": self.hop_limit,
            "garbage": self.garbage,
            "instances": [
                {
                    "sources": [str(source) for source in instance.sources],
                    "paths": dict(instance.paths),
                }
                for instance in self.instances
            ],
        }
        return {"imds.json": json.dumps(options)}

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "-I", "-S", str(SERVER), str(home / "imds.json"))

    def ready(self) -> tuple[Question, ...]:
        pattern = rb"." if self.garbage else rb"HTTP/1\.1 "
        return tuple(
            Question(
                address=address,
                port=80,
                send=b"GET /latest/ HTTP/1.1\r\nHost: x\r\n\r\n",
                pattern=pattern,
            )
            for address in self.addresses
        )
