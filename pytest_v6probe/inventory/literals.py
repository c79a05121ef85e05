"""How are addresses, logins and URLs written? The one parser of bracketed, scoped and ported
literals.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_v6probe.inventory.model import Login, Namespace

if TYPE_CHECKING:
    from pytest_v6probe.result import Address

NAMESPACE_PREFIX = "netns:"
HTTP_PORTS = {"http": 80, "https": 443}

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+$-]{0,63}")
_NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_MAX_NAME = 253  # RFC 1035 §2.3.4, in text
_MAX_PORT = 65535


def login(text: str) -> Login:
    """An SSH destination: ``name``, ``user@name:22``, ``user@[2001:db8::1]:22``,
    ``user@2001:db8::1``.

    Raises ValueError that says what is wrong.
    """
    user, at, rest = text.rpartition("@")
    if at and not _USER.fullmatch(user):
        raise ValueError(f"{user!r} is not a user name")
    host, port = destination(rest)
    return Login(host=host, user=user, port=port)


def spell_login(value: Login) -> str:
    """The text that `login` reads as *value*."""
    host = f"[{value.host}]" if isinstance(value.host, IPv6Address) else str(value.host)
    return f"{value.user}{'@' if value.user else ''}{host}{f':{value.port}' if value.port else ''}"


def destination(text: str) -> tuple[Address | str, int]:
    """A host and a port (0 if none is written). Text that as a whole is an address is one, and has
    no port.

    So ``2001:db8::1:22`` is an address; a port needs ``[2001:db8::1]:22``. Raises ValueError.
    """
    if text.startswith("["):
        literal, closed, rest = text[1:].partition("]")
        if not closed:
            raise ValueError(f"{text!r} has no closing bracket")
        if rest and not rest.startswith(":"):
            raise ValueError(f"{rest!r} follows the bracket, where ':port' is wanted")
        return _ipv6(literal), _port(rest[1:]) if rest else 0
    if (address := _address(text)) is not None:
        return address, 0
    if text.count(":") > 1:
        raise ValueError(
            f"{text!r} is not an IPv6 address; one with a port is written [address]:port"
        )
    host, colon, port = text.partition(":")
    return _address(host) or name(host), _port(port) if colon else 0


def name(text: str) -> str:
    """A host name, DNS or out of ~/.ssh/config. Raises ValueError, also for what looks like a
    broken address.
    """
    if not text:
        raise ValueError("the host is missing")
    labels = text.removesuffix(".").split(".")
    if labels[-1].isdigit():  # RFC 3696 §2: no name ends so
        raise ValueError(f"{text!r} is not an IPv4 address")
    if len(text) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text[:80]!r} is neither a host name nor an address")
    return text


def namespace(text: str) -> Namespace:
    """A namespace of the lab: ``netns:client``, ``netns:us-east-1/web-1``. Raises ValueError."""
    value = text.removeprefix(NAMESPACE_PREFIX)
    if value == text or not _NAMESPACE.fullmatch(value):
        raise ValueError(f"{text!r} is not {NAMESPACE_PREFIX}NAME or {NAMESPACE_PREFIX}REGION/NAME")
    return Namespace(name=value)


def is_namespace(text: str) -> bool:
    """Whether *text* is meant to be a namespace, well written or not."""
    return text.startswith(NAMESPACE_PREFIX)


def web_host(url: str) -> Address | str:
    """The host of an http or https URL: an address, or a name in lower case without its last dot.

    Raises ValueError for another scheme, a user, a fragment, a scoped literal, blanks, a bad port.
    """
    if any(not "!" <= letter <= "~" for letter in url):
        raise ValueError("a URL has printable ASCII only, and no blanks")
    parts = urlsplit(url)
    if parts.scheme not in HTTP_PORTS:
        raise ValueError(f"the scheme is {parts.scheme or 'missing'!r}, http or https is wanted")
    if "@" in parts.netloc:
        raise ValueError("a user or password does not belong into an inventory")
    if "#" in url:
        raise ValueError("a fragment (#) is never sent")
    host, _ = destination(parts.netloc)
    if isinstance(host, IPv6Address) and (host.scope_id or not parts.netloc.startswith("[")):
        raise ValueError("an IPv6 literal in a URL is bracketed and has no scope")
    return host if not isinstance(host, str) else host.lower().removesuffix(".")


def web_port(url: str) -> int:
    """The port of an URL that `web_host` accepts: the one written, or that of its scheme."""
    parts = urlsplit(url)
    return destination(parts.netloc)[1] or HTTP_PORTS[parts.scheme]


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _ipv6(literal: str) -> IPv6Address:
    address = _address(literal)
    if isinstance(address, IPv4Address):
        raise ValueError(f"{literal!r} is IPv4: only IPv6 literals are bracketed")  # noqa: TRY004 bad text
    if address is None:
        raise ValueError(f"{literal!r} is not an IPv6 address")
    return address


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 1 <= int(text) <= _MAX_PORT:
        raise ValueError(f"{text[:20]!r} is not a port (1 to {_MAX_PORT})")
    return int(text)
