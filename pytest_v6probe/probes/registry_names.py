"""Where does a host of a registry's chain lead, and may a redirect lead there? Names to addresses,
of both families.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from pytest_v6probe.agent import wire
from pytest_v6probe.clouds.registry import CLOUDS
from pytest_v6probe.probes import answers, replies, url
from pytest_v6probe.rfc import rfc1035, rfc6052

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from ipaddress import IPv6Network

    from pytest_v6probe.agent.client import Agent
    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.probes.answers import Answer
    from pytest_v6probe.probes.url import Url
    from pytest_v6probe.result import Address

OPERATIONS = 4
"""So many operations ask for one name."""
METADATA = frozenset(
    {
        *(cloud.metadata.address for cloud in CLOUDS.values() if cloud.metadata),
        *(cloud.pod_identity for cloud in CLOUDS.values() if cloud.pod_identity),
        IPv6Address("fd00:c1::a9fe:a9fe"),  # Oracle Cloud (cloud-init#6849)
        IPv6Address("fd00:42::42"),  # Scaleway
    }
)
"""Services of the host itself that give out credentials: no registry is there."""
AZURE_WIRE_SERVER = IPv4Address("168.63.129.16")
"""Azure's own, as public as its address looks."""
RESOLVER = "resolver-"
"""Begins the verdict where a resolver gave no usable answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one host leads. *verdict* is empty where there is an address to go to.

    Else ``no-aaaa`` (only A records), ``no-records``, ``nxdomain``, or ``resolver-`` and what
    became of the question.
    """

    addresses: tuple[IPv6Address, ...] = ()
    ipv4_addresses: tuple[IPv4Address, ...] = ()
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Both DNS questions about one name; their ids are drawn once, so that the answers fit."""

    name: str
    aaaa: bytes
    a: bytes


def question(name: str) -> Question:
    """What is asked about *name*. Raises ValueError for what is no DNS name."""
    return Question(name=name, aaaa=rfc1035.query(name, "AAAA"), a=rfc1035.query(name, "A"))


def ask(asked: Question, *, timeout_s: float) -> tuple[Operation, ...]:
    """The operations that ask the vantage's resolver (by DNS) and its system (files and all) for
    the addresses of both families.
    """
    return (
        answers.ask(None, asked.aaaa, timeout_s=timeout_s),
        answers.ask(None, asked.a, timeout_s=timeout_s),
        wire.resolve(asked.name, family=6, timeout_s=timeout_s),
        wire.resolve(asked.name, family=4, timeout_s=timeout_s),
    )


def judge(asked: Question, said: Sequence[Reply]) -> Place:
    """Read the replies to `ask`. Pure.

    The system's addresses come first, in its own order (RFC 6724), since they are what a client
    there would use.
    """
    aaaa, a = answers.read(said[0], asked.aaaa), answers.read(said[1], asked.a)
    found = list(dict.fromkeys((*_system(said[2]), *sorted(_dns(aaaa), key=int))))
    ipv4 = list(dict.fromkeys((*_system(said[3]), *sorted(_dns(a), key=int))))
    native = tuple(x for x in found if isinstance(x, IPv6Address) and x.ipv4_mapped is None)
    ipv4_addresses = tuple(x for x in ipv4 if isinstance(x, IPv4Address))
    verdict = "" if native else _without(aaaa.verdict, has_ipv4=bool(ipv4_addresses))
    return Place(addresses=native, ipv4_addresses=ipv4_addresses, verdict=verdict)


def look_up(agent: Agent, hosts: Sequence[Address | str], *, timeout_s: float = 5.0) -> list[Place]:
    """Where each of *hosts* leads, all names asked in one batch; an address leads to itself. Raises
    Unobserved, and ValueError for what is no DNS name.
    """
    asked = {host: question(host) for host in hosts if isinstance(host, str)}
    operations = [op for one in asked.values() for op in ask(one, timeout_s=timeout_s)]
    said = iter(agent.run(operations) if operations else [])
    named = {name: judge(one, list(islice(said, OPERATIONS))) for name, one in asked.items()}
    return [named[host] if isinstance(host, str) else _literal(host) for host in hosts]


def target(location: str, *, base: Url, base_text: str) -> tuple[Url | None, str, str]:
    """Where *location* leads from *base*: the URL, its text, and, where it is not to be followed,
    the verdict.

    Verdicts: ``garbage``, ``plain-http-redirect``, ``refused-redirect`` (an IPv4 literal, or one of
    an address that is not public; its own address may always lead to itself).
    """
    if not location:
        return None, "", "garbage"
    try:
        text = urljoin(base_text, location).partition("#")[0]
        parts = url.parse(text)
    except ValueError as why:
        return None, "", "refused-redirect" if "IPv4 literal" in str(why) else "garbage"
    if base.secure and not parts.secure:
        return None, text, "plain-http-redirect"
    if isinstance(parts.host, IPv6Address) and parts.host != base.host and not _public(parts.host):
        return None, text, "refused-redirect"
    return parts, text, ""


def refused(
    address: IPv6Address, *, source: IPv6Address | None, prefixes: Iterable[IPv6Network]
) -> bool:
    """Whether *address*, which a name that a server chose leads to, is not to be gone to: this
    host, its link, or its metadata service; also through NAT64.

    From a *source* on the loopback, the loopback may be gone to.
    """
    if address.is_loopback:
        return source is None or not source.is_loopback
    inside = _inside(address, prefixes)
    return (
        address in METADATA
        or _nowhere(address)
        or (inside is not None and (_nowhere(inside) or inside == AZURE_WIRE_SERVER))
    )


def layer_is_resolver(verdict: str) -> bool:
    """Whether *verdict* says that a resolver failed."""
    return verdict.startswith(RESOLVER)


def _literal(address: Address) -> Place:
    if isinstance(address, IPv4Address):
        return Place(ipv4_addresses=(address,), verdict="no-aaaa")
    return Place(addresses=(address,))


def _dns(answer: Answer) -> frozenset[Address]:
    return answer.message.addresses if answer.message else frozenset()


def _system(reply: Reply) -> list[Address]:
    found = reply.fields.get("addresses")
    literals = found if reply.outcome == "answered" and isinstance(found, list) else []
    addresses = []
    for literal in literals[:64]:
        try:
            addresses.append(ip_address(literal))
        except ValueError:
            continue
    return addresses


def _without(aaaa: str, *, has_ipv4: bool) -> str:
    if has_ipv4:
        return "no-aaaa"
    if aaaa in {"answered", "nodata"}:
        return "no-records"
    return aaaa if aaaa == "nxdomain" else RESOLVER + aaaa


def _public(address: IPv6Address) -> bool:
    inside = _inside(address, ())
    mapped = address.ipv4_mapped is not None
    return address.is_global and not mapped and (inside is None or inside.is_global)


def _inside(address: IPv6Address, prefixes: Iterable[IPv6Network]) -> IPv4Address | None:
    """The IPv4 address that a translator would go to."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    prefix = rfc6052.prefix_of(address, [*replies.TRANSLATED, *prefixes])
    try:
        return rfc6052.extract(address, prefix) if prefix is not None else None
    except ValueError:  # bits 64 to 71 are set
        return None


def _nowhere(address: Address) -> bool:
    return (
        address.is_link_local
        or address.is_loopback
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and address.version == 4)
    )
