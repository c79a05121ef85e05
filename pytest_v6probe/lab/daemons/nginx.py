"""Who serves the web pages? nginx: one site, over the families it is given addresses of."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_v6probe.lab.certificates import Certificate
    from pytest_v6probe.result import Address

LARGE_BYTES = 256 * 1024
LONGEST_HEADER = "16k"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx(Daemon):
    """Serves *page* at / and a large page at /large.bin, the same on every address except where
    *other_pages* says so: on port 80, or with a *certificate* over TLS on port 443.
    """

    program: ClassVar[str] = "nginx"

    addresses: tuple[Address, ...]
    page: str
    other_pages: Mapping[Address, str] = field(default_factory=lambda: MappingProxyType({}))
    certificate: Certificate | None = None

    def files(self, home: Path) -> dict[str, str]:
        pages = {
            f"{_root(address)}/index.html": self.other_pages.get(address, self.page)
            for address in self.addresses
        }
        line = "".join(f"{number:07x}\n" for number in range(LARGE_BYTES // 8))
        large = {f"{_root(address)}/large.bin": line for address in self.addresses}
        return {"nginx.conf": self._config(home), **pages, **large}

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, "-e", "stderr", "-p", str(home), "-c", str(home / "nginx.conf"))

    def ready(self) -> tuple[Question, ...]:
        # over TLS the same octets are a "plain HTTP request sent to HTTPS port": ngx_http_ssl, 497
        return tuple(
            Question(
                address=address,
                port=443 if self.certificate else 80,
                send=b"HEAD / HTTP/1.0\r\n\r\n",
                pattern=rb"HTTP/1\.1 400 " if self.certificate else rb"HTTP/1\.1 200 ",
            )
            for address in self.addresses
        )

    def _config(self, home: Path) -> str:
        servers = "".join(self._server(home, address) for address in self.addresses)
        return configuration(home, servers)

    def _server(self, home: Path, address: Address) -> str:
        if self.certificate is None:
            doors = f"listen {literal(address)}:80;"
        else:
            doors = f"listen {literal(address)}:443 ssl; {trusted_by(home)}"
        return f"  server {{ {doors} root {home / _root(address)}; }}\n"


def configuration(home: Path, servers: str, *, log: str = "off") -> str:
    """All of nginx.conf around *servers*: in the foreground, nothing written outside *home*."""
    scratch = "".join(
        f"  {kind}_temp_path {home}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        "daemon off;\nmaster_process off;\nuser root;\n"
        f"pid {home}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\n  access_log {log};\n"
        "  types { text/html html; application/octet-stream bin; }\n"
        f"  large_client_header_buffers 4 {LONGEST_HEADER};\n{scratch}{servers}}}\n"
    )


def trusted_by(home: Path) -> str:
    """The directives that name a server's certificate and key, which one file holds
    (ngx_http_ssl_module).
    """
    file = home / CERTIFICATE_FILE
    return f"ssl_certificate {file}; ssl_certificate_key {file};"


def literal(address: Address) -> str:
    """An address as a URL has it (RFC 3986 §3.2.2)."""
    return f"[{address}]" if address.version == 6 else str(address)


def _root(address: Address) -> str:
    return f"site-{str(address).replace(':', '-')}"
