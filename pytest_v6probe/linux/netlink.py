"""What does the kernel say of its links, addresses, routes and proxied neighbours? rtnetlink,
asked and read by hand.

A reader takes any number of answers behind each other and picks its own message types; interface
names come from the links among them, so send `dump_links` along.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pytest_v6probe.linux import neighbours, rtnetlink
from pytest_v6probe.linux.nlmsg import (
    NLM_F_DUMP,
    Message,
    Refused,
    attribute,
    messages,
    refusal,
    request,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.linux.addresses import InterfaceAddress
    from pytest_v6probe.linux.links import Link
    from pytest_v6probe.linux.neighbours import NeighbourProxy
    from pytest_v6probe.linux.routes import Route
    from pytest_v6probe.result import Address

RTM_NEWLINK, RTM_GETLINK = 16, 18  # linux/rtnetlink.h
RTM_NEWADDR, RTM_GETADDR = 20, 22
RTM_NEWROUTE, RTM_GETROUTE = 24, 26
RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30

GROUP_IPV6_ROUTE = 1 << 10
GROUP_ND_USEROPT = 1 << 19

ROUTE_TO_SEQUENCE = 0x7636
"""The sequence number of `route_to`: it tells the kernel's decision from the routes of a dump."""

_DUMP_SEQUENCE = 1
_IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS = 29, struct.pack("<I", 1 << 3)
_RTA_DST = 1


def dump_links() -> bytes:
    """Ask for every interface, without its statistics."""
    body = rtnetlink.IFINFOMSG.pack(0, 0, 0, 0, 0)
    return _dump(RTM_GETLINK, body + attribute(_IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS))


def dump_addresses(family: int = 6) -> bytes:
    """Ask for every address of IP version *family*. Raises ValueError for another number than 4 or
    6.
    """
    return _dump(RTM_GETADDR, rtnetlink.IFADDRMSG.pack(_number(family), 0, 0, 0, 0))


def dump_routes(family: int = 6) -> bytes:
    """Ask for every route of IP version *family*, all tables. Raises ValueError for another than 4
    or 6.
    """
    return _dump(RTM_GETROUTE, rtnetlink.RTMSG.pack(_number(family), 0, 0, 0, 0, 0, 0, 0, 0))


def dump_neighbour_proxies() -> bytes:
    """Ask for every IPv6 address that the host answers neighbour solicitations for as a proxy."""
    return _dump(RTM_GETNEIGH, neighbours.NDMSG.pack(_number(6), 0, 0, neighbours.NTF_PROXY, 0))


def route_to(address: Address) -> bytes:
    """Ask which route a packet to *address* takes: read the answer with `read_route_to`."""
    family, length = _number(address.version), address.max_prefixlen
    head = rtnetlink.RTMSG.pack(family, length, 0, 0, 0, 0, 0, 0, 0)
    body = head + attribute(_RTA_DST, address.packed)
    return request(RTM_GETROUTE, body, flags=0, sequence=ROUTE_TO_SEQUENCE)


def read_links(octets: bytes) -> tuple[Link, ...]:
    """The links among *octets*. Raises ValueError if malformed, `Refused` if the kernel refused the
    dump.
    """
    return tuple(
        rtnetlink.link(message.body) for message in _mine(octets, RTM_NEWLINK, RTM_GETLINK)
    )


def read_addresses(octets: bytes) -> tuple[InterfaceAddress, ...]:
    """The addresses among *octets*, of both families. Raises as `read_links` does."""
    names = _names(octets)
    return tuple(
        rtnetlink.address(message.body, names)
        for message in _mine(octets, RTM_NEWADDR, RTM_GETADDR)
        if _is_ip(message)
    )


def read_routes(octets: bytes) -> tuple[Route, ...]:
    """The routes among *octets*; of a multipath route, one for each next hop. Raises as
    `read_links` does.

    The answers to `route_to` are not among them.
    """
    names = _names(octets)
    return tuple(
        route
        for message in _mine(octets, RTM_NEWROUTE, RTM_GETROUTE)
        if _is_ip(message) and message.sequence != ROUTE_TO_SEQUENCE
        for route in rtnetlink.routes(message.body, names)
    )


def read_neighbour_proxies(octets: bytes) -> tuple[NeighbourProxy, ...]:
    """The proxied addresses among *octets*. Raises as `read_links` does."""
    names = _names(octets)
    entries = (
        neighbours.proxy(message.body, names)
        for message in _mine(octets, RTM_NEWNEIGH, RTM_GETNEIGH)
    )
    return tuple(entry for entry in entries if entry is not None)


def read_route_to(octets: bytes) -> tuple[Route | str, ...]:
    """The kernel's decisions, in the order of the `route_to` requests: a Route, or an errno's name.

    ``ENETUNREACH`` means that there is no route; ``EHOSTUNREACH``, ``EACCES`` and ``EINVAL`` are
    what unreachable, prohibit and blackhole routes say. Raises ValueError if malformed.
    """
    names = _names(octets)
    decisions: list[Route | str] = []
    for message in messages(octets):
        if message.sequence != ROUTE_TO_SEQUENCE:
            continue
        if message.type == RTM_NEWROUTE and _is_ip(message):
            decisions += list(rtnetlink.routes(message.body, names))[:1]
        elif (refused := refusal(message)) is not None:
            decisions.append(refused.code)
    return tuple(decisions)


def _mine(octets: bytes, kind: int, asked: int) -> Iterator[Message]:
    """The messages of type *kind*. Raises Refused if the dump that asked for them was refused."""
    for message in messages(octets):
        refused = refusal(message)
        if refused is not None and refused.dump and refused.request in {0, asked}:
            raise Refused(refused.code, request=asked)
        if message.type == kind:
            yield message


def _names(octets: bytes) -> dict[int, str]:
    links = (rtnetlink.link(m.body) for m in messages(octets) if m.type == RTM_NEWLINK)
    return {link.index: link.name for link in links if link.name}


def _is_ip(message: Message) -> bool:
    return message.body[:1] != b"" and message.body[0] in rtnetlink.VERSIONS


def _dump(kind: int, body: bytes) -> bytes:
    return request(kind, body, flags=NLM_F_DUMP, sequence=_DUMP_SEQUENCE)


def _number(version: int) -> int:
    if version not in rtnetlink.FAMILIES:
        raise ValueError(f"IP version {version}: 4 or 6 is meant")
    return rtnetlink.FAMILIES[version]
