"""Which values may stand behind a key of an inventory? Readers: each returns the model's value, or
raises ValueError that says what is wrong.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TYPE_CHECKING

from pytest_v6probe.inventory import literals
from pytest_v6probe.result import Endpoint
from pytest_v6probe.rfc.rfc6052 import PREFIX_LENGTHS_BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_v6probe.inventory.model import Login, Namespace

FAMILIES = ("ipv4", "ipv6")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SELECTOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/=!,() -]{0,511}")
_PAGE = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,511}")
_PROGRAM = re.compile(r"[A-Za-z0-9._/+-]{1,255}")


def plain_name(text: str) -> str:
    """A name that may stand in a test id. Raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text[:80]!r} is not a name (letters, digits, '.', '_', '-'; at most 64)"
        )
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of *words*."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text[:80]!r} is none of {', '.join(words)}")
        return text

    return read


def families(words: list[str]) -> tuple[str, ...]:
    """A list of families, none twice. Raises ValueError."""
    read = one_of(*FAMILIES)
    found = tuple(read(word) for word in words)
    if not found or len(set(found)) != len(found):
        raise ValueError("one or both of ipv4, ipv6 are wanted, each once")
    return found


def nat64_prefix(text: str) -> IPv6Network:
    """An IPv6 network of a length that RFC 6052 §2.2 lists. Raises ValueError."""
    network = IPv6Network(text)
    if network.prefixlen not in PREFIX_LENGTHS_BITS:
        lengths = ", ".join(f"/{bits}" for bits in PREFIX_LENGTHS_BITS)
        raise ValueError(f"/{network.prefixlen} is no NAT64 prefix length (RFC 6052: {lengths})")
    return network


def networks(words: list[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """A list of prefixes of either family. Raises ValueError."""
    return tuple(map(ip_network, words))


def label_selector(text: str) -> str:
    """A label selector as kubectl takes it. Raises ValueError."""
    if not _SELECTOR.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not a label selector, such as app=web,tier!=cache")
    return text


def dns_label(text: str) -> str:
    """The name of an object of Kubernetes (RFC 1123 §2.1, lower case). Raises ValueError."""
    if not _LABEL.fullmatch(text):
        raise ValueError(
            f"{text[:80]!r} is not a name of Kubernetes (a-z, 0-9, '-', '.'; at most 253)"
        )
    return text


def namespaced_name(text: str) -> str:
    """``namespace/name``. Raises ValueError."""
    namespace, _, name = text.partition("/")
    dns_label(namespace)
    dns_label(name)
    return text


def page(text: str) -> str:
    """The path of a page on a web server (RFC 3986 §3.3). Raises ValueError."""
    if not _PAGE.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not the path of a page, such as /whoami")
    return text


def endpoint(text: str) -> Endpoint:
    """An address and a port: ``127.0.0.1:15000``, ``[::1]:15000``. Raises ValueError."""
    host, number = literals.destination(text)
    if isinstance(host, str) or not number:
        raise ValueError(f"{text[:80]!r} is not an address with a port, such as [::1]:15000")
    return Endpoint(host, number)


def seconds(number: float) -> float:
    """A time to wait. Raises ValueError for one that is not above 0 and at most 1800 (RFC 4861
    §6.2.1).
    """
    if not 0 < number <= 1800:
        raise ValueError(f"{number} is not above 0 and at most 1800 seconds")
    return float(number)


def host_address(text: str) -> IPv6Address:
    """An address that a host can have on the internet or in a private network. Raises ValueError."""
    address = IPv6Address(text)
    if address.scope_id or address.is_link_local or address.is_multicast or int(address) <= 1:
        raise ValueError(
            f"{text!r} is not the address of a host: it is link-local, a group's, or nobody's"
        )
    return address


def via(text: str) -> str | Namespace:
    """Another host (``name`` or ``region/name``) or a namespace of the lab. Raises ValueError."""
    return literals.namespace(text) if literals.is_namespace(text) else host_reference(text)


def host_reference(text: str) -> str:
    """A host as another one names it: ``name`` (of the same region) or ``region/name``. Raises
    ValueError.
    """
    region, _, name = text.rpartition("/")
    if region:
        plain_name(region)
    plain_name(name)
    return text


def management(text: str) -> Login | Namespace:
    """An SSH destination or a namespace of the lab. Raises ValueError."""
    return literals.namespace(text) if literals.is_namespace(text) else literals.login(text)


def web_url(text: str) -> str:
    """An http or https URL. Raises ValueError."""
    literals.web_host(text)
    return text


def program(text: str) -> str:
    """A program's name or path. Raises ValueError for what a shell could take for more."""
    if not _PROGRAM.fullmatch(text) or text.startswith("-"):
        raise ValueError(f"{text[:80]!r} is not the name or path of a program")
    return text


def port(number: int) -> int:
    """A TCP port. Raises ValueError."""
    if not 0 < number < 65536:
        raise ValueError(f"{number} is not a port (1 to 65535)")
    return number


def path(text: str) -> str:
    """An absolute path. Raises ValueError."""
    if not text.startswith("/") or "\0" in text or ".." in text.split("/"):
        raise ValueError(f"{text[:80]!r} is not an absolute path")
    return text


def image_reference(text: str) -> str:
    """What may stand behind ``docker pull``: printable, no blanks, at most 512 characters (a name of
    255 and a digest). Raises ValueError.
    """
    if not text or len(text) > 512 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{text[:80]!r} is not the reference of an image")
    return text


def plain_authority(text: str) -> str:
    """A host and perhaps a port, as a URL has them. Raises ValueError."""
    literals.web_host(f"https://{text}")
    return text


def engine_url(text: str) -> str:
    """Where an engine listens for TLS. Raises ValueError."""
    scheme, found, rest = text.partition("://")
    if scheme != "tcp" or not found or not rest:
        raise ValueError(f"{text[:80]!r} is not tcp://HOST:PORT")
    literals.web_host(f"https://{rest}")
    return text


def command(words: list[str]) -> tuple[str, ...]:
    """A command line: a program and its arguments. Raises ValueError."""
    if not words:
        raise ValueError("a command has at least one word")
    program(words[0])
    return tuple(words)
