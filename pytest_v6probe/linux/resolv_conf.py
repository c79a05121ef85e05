"""Which resolvers does a machine use? resolv.conf(5), read as glibc's res_init does."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_v6probe.result import Address

PATH = "/etc/resolv.conf"
UPSTREAM_PATH = "/run/systemd/resolve/resolv.conf"
"""Where systemd-resolved writes the servers behind its own listener at 127.0.0.53."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvConf:
    """What resolv.conf says. No nameserver at all means that glibc asks 127.0.0.1."""

    nameservers: tuple[Address, ...] = ()
    """All that are written, in order; glibc uses the first three. A scope id stays in the address.
    """
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    """Lines that say nothing to glibc: unknown keywords, and nameservers that are not addresses."""

    @property
    def is_local_stub(self) -> bool:
        """Whether only a resolver on the machine itself is named, such as systemd-resolved's
        127.0.0.53.
        """
        return bool(self.nameservers) and all(address.is_loopback for address in self.nameservers)


def parse(text: str) -> ResolvConf:
    """Read *text*. Never raises: glibc passes over what it does not understand, so it is in
    ``ignored``.
    """
    nameservers: list[Address] = []
    search: tuple[str, ...] = ()
    options: list[str] = []
    ignored: list[str] = []
    for line in text.splitlines():
        keyword, *words = line.split() or [""]
        if not keyword or line[0] in "#;":
            continue
        if line[0].isspace():  # res_init wants the keyword in the first column
            ignored.append(line.strip())
        elif keyword == "nameserver" and (address := _address(words)) is not None:
            nameservers.append(address)
        elif keyword in {"search", "domain"} and words:  # the last one wins
            search = tuple(words) if keyword == "search" else tuple(words[:1])
        elif keyword == "options":
            options += words
        elif keyword != "sortlist":
            ignored.append(line.strip())
    return ResolvConf(
        nameservers=tuple(nameservers),
        search=search,
        options=tuple(options),
        ignored=tuple(ignored),
    )


def _address(words: list[str]) -> Address | None:
    literal = words[0].partition("#")[0].partition(";")[0] if words else ""
    try:
        return ip_address(literal)
    except ValueError:
        return None
