"""What does a URL say: scheme, host, port, target? RFC 3986, http and https only; IPv4 literals are
refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from pytest_v6probe.inventory import literals


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """The parts of one URL that a request needs."""

    host: IPv6Address | str
    port: int
    target: str
    authority: str
    """Host and port as the Host field wants them (RFC 9110 §7.2)."""
    secure: bool

    @property
    def name(self) -> str:
        """The DNS name in it; empty for a literal."""
        return self.host if isinstance(self.host, str) else ""


def parse(url: str) -> Url:
    """Take *url* apart. Raises ValueError for what is not http or https with a name or an IPv6
    literal.
    """
    host = literals.web_host(url)
    if isinstance(host, IPv4Address):
        why = f"an IPv4 literal cannot be asked over IPv6: {url!r}"
        raise ValueError(why)  # noqa: TRY004  bad text, not a bad type
    parts = urlsplit(url)
    return Url(
        host=host,
        port=literals.web_port(url),
        authority=parts.netloc,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        secure=parts.scheme == "https",
    )


def url_at(address: IPv4Address | IPv6Address, port: int) -> str:
    """The http URL of the root page at a literal address and port (RFC 3986 §3.2.2)."""
    literal = f"[{address}]" if address.version == 6 else str(address)
    return f"http://{literal}:{port}/"
