"""Who stands before and behind a registry? nginx: one name for two services, and a host of blobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import Daemon, Question
from pytest_v6probe.lab.daemons import docker_registry
from pytest_v6probe.lab.daemons.nginx import configuration, literal, trusted_by

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_v6probe.lab.certificates import Certificate
    from pytest_v6probe.result import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobHost(Daemon):
    """Serves the blobs of the registry that is called *registry*, over TLS and in plain HTTP."""

    program: ClassVar[str] = "nginx"

    addresses: tuple[Address, ...]
    certificate: Certificate
    registry: str
    spoils: bool = False
    """Every blob ends in another octet than its digest says."""

    def files(self, home: Path) -> dict[str, str]:
        found = docker_registry.spoiled if self.spoils else docker_registry.storage
        doors = "".join(
            f"listen {literal(address)}:80; listen {literal(address)}:443 ssl; "
            for address in self.addresses
        )
        server = (
            f"  server {{ {doors}{trusted_by(home)} default_type application/octet-stream;\n"
            f"    location /docker/registry/v2/blobs/ {{ root {found(self.registry)}; }}\n"
            "    location / { return 403; }\n  }\n"
        )
        return {"nginx.conf": configuration(home, server, log="/dev/stderr")}

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "-e", "stderr", "-p", str(home), "-c", str(home / "nginx.conf"))

    def ready(self) -> tuple[Question, ...]:
        return _questions(self.addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFront(Daemon):
    """Speaks TLS for a registry and its token service, which do so too on ports of the loopback."""

    program: ClassVar[str] = "nginx"

    addresses: tuple[Address, ...]
    certificate: Certificate
    registry_port: int
    token_port: int
    """It gets what is asked for below /token/."""

    def files(self, home: Path) -> dict[str, str]:
        doors = "".join(f"listen {literal(address)}:443 ssl; " for address in self.addresses)
        server = (
            f"  server {{ {doors}{trusted_by(home)} client_max_body_size 0;\n"
            "    proxy_http_version 1.1; proxy_request_buffering off;\n"
            "    proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto https;\n"
            f"    location /token/ {{ proxy_pass https://[::1]:{self.token_port}; }}\n"
            f"    location / {{ proxy_pass https://[::1]:{self.registry_port}; }}\n  }}\n"
        )
        return {"nginx.conf": configuration(home, server, log="/dev/stderr")}

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "-e", "stderr", "-p", str(home), "-c", str(home / "nginx.conf"))

    def ready(self) -> tuple[Question, ...]:
        return _questions(self.addresses)


def _questions(addresses: tuple[Address, ...]) -> tuple[Question, ...]:
    # ngx_http_ssl, 497: a plain HTTP request was sent to an HTTPS port
    return tuple(
        Question(
            address=address, port=443, send=b"HEAD / HTTP/1.0\r\n\r\n", pattern=rb"HTTP/1\.1 400 "
        )
        for address in addresses
    )
