"""What does an image reference say: which registry, repository, tag or digest? As `docker pull`
reads it.

The grammar is that of github.com/distribution/reference v0.6.0 (regexp.go, normalize.go), which
Docker Engine uses since 25.0. Its predecessor, in engines up to 24.0, knows no IPv6 literal: there
a reference with one is an "invalid reference format".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

HUB: Final = "docker.io"
HUB_REGISTRY: Final = "registry-1.docker.io"  # normalize.go: the host behind docker.io
HUB_ALIASES: Final = frozenset({HUB, "index.docker.io"})
DEFAULT_TAG: Final = "latest"
MAX_CHARACTERS: Final = 1024
MAX_NAME_CHARACTERS: Final = 255  # reference.go, NameTotalLengthMax

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]{{1,5}})?")
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REST = re.compile(
    rf"(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One image, as a registry is asked for it."""

    domain: str
    """The registry as it is written, perhaps with a port; ``docker.io`` where none is."""
    repository: str
    tag: str = ""
    """Empty where a digest says which."""
    digest: str = ""

    @property
    def authority(self) -> str:
        """The host, perhaps with a port, that is really asked."""
        return HUB_REGISTRY if self.domain == HUB else self.domain

    def __str__(self) -> str:
        end = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.domain}/{self.repository}{end}"


def parse(text: str) -> Reference:
    """Take *text* apart as Docker normalises it: ``alpine`` is
    ``docker.io/library/alpine:latest``.

    A digest makes its tag moot. Raises ValueError that says what is wrong; also for an IPv6 literal
    without brackets or with a zone, and for one that is IPv4 inside.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"an image reference of {len(text)} characters")
    if _IDENTIFIER.fullmatch(text):
        raise ValueError(f"{text!r} is an image's id: no registry is asked for it")
    domain, rest = _split(text)
    if not _DOMAIN.fullmatch(domain):
        raise ValueError(f"{domain!r} is not a registry's name{_hint(domain)}")
    if (found := _REST.fullmatch(rest)) is None:
        what = "must be in lower case" if _REST.fullmatch(rest.lower()) else "is invalid"
        raise ValueError(f"invalid reference format: {rest!r} {what}")
    _check_host(domain)
    if len(domain) + 1 + len(found["path"]) > MAX_NAME_CHARACTERS:
        raise ValueError(f"a repository's name has at most {MAX_NAME_CHARACTERS} characters")
    digest = found["digest"] or ""
    tag = "" if digest else found["tag"] or DEFAULT_TAG
    return Reference(domain=domain, repository=found["path"], tag=tag, digest=digest)


def _split(text: str) -> tuple[str, str]:
    """The registry and the rest (normalize.go, splitDockerDomain)."""
    first, slash, rest = text.partition("/")
    named = slash and (
        first == "localhost" or any(c in first for c in ".:") or first.lower() != first
    )
    domain, rest = (first, rest) if named else (HUB, text)
    if domain in HUB_ALIASES:
        return HUB, rest if "/" in rest else f"library/{rest}"
    return domain, rest


def _hint(domain: str) -> str:
    if domain.count(":") > 1 and not domain.startswith("["):
        return ": an IPv6 literal is written in brackets, and only Docker Engine 25.0 and newer takes one"
    return ": an IPv6 literal has no zone in a reference" if "%" in domain else ""


def _check_host(domain: str) -> None:
    """The grammar lets ``[:::]`` and port 99999 pass; nothing can be asked there."""
    host, _, port = domain.rpartition("]") if domain.startswith("[") else ("", "", domain)
    _, colon, digits = port.partition(":")
    if colon and not 1 <= int(digits) <= 0xFFFF:
        raise ValueError(f"{digits} is not a port")
    if host:
        try:
            address = IPv6Address(host[1:])
        except ValueError:
            raise ValueError(f"{host[1:]!r} is not an IPv6 address") from None
        if address.ipv4_mapped is not None:
            raise ValueError(f"{address} is {IPv4Address(address.ipv4_mapped)} inside")
