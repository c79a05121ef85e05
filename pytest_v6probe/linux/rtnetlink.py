"""What does one rtnetlink message say? The bodies of link, address and route messages, turned into
values.

Numbers are those of linux/rtnetlink.h, linux/if_addr.h and linux/if_link.h. All functions raise
ValueError for a body that the kernel does not send.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

from pytest_v6probe.linux.addresses import InterfaceAddress, flag_names
from pytest_v6probe.linux.links import Link
from pytest_v6probe.linux.nlmsg import attributes, unpack
from pytest_v6probe.linux.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_v6probe.result import Address

FAMILIES = {4: 2, 6: 10}  # IP version to AF_INET, AF_INET6
VERSIONS = {family: version for version, family in FAMILIES.items()}

IFINFOMSG = struct.Struct("<BxHiII")
IFADDRMSG = struct.Struct("<BBBBI")
RTMSG = struct.Struct("<BBBBBBBBI")
_RTNEXTHOP = struct.Struct("<HBBi")
_CACHEINFO_ROUTE = struct.Struct("<8xi")
_CACHEINFO_ADDRESS = struct.Struct("<II")
_U32 = struct.Struct("<I")

_FOREVER = 0xFFFFFFFF
_USER_HZ = 100  # clock ticks in the kernel's interface, on every architecture we meet
_IFF_UP, _IFF_LOOPBACK, _IFF_LOWER_UP = 0x1, 0x8, 0x10000
_RTNH_F_DEAD = 0x1
_IPV6 = 6

SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_PROTOCOLS = {
    0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt",
    11: "zebra", 12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 17: "mrouted",
    18: "keepalived", 42: "babel", 99: "openr", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip",
    192: "eigrp",
}  # fmt: skip
_ROUTE_TYPES = {
    0: "unspec", 1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast",
    6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw", 10: "nat", 11: "xresolve",
}  # fmt: skip
_PREFERENCES = {0: "medium", 1: "high", 3: "low"}  # RFC 4191 §2.1
_STATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU = 1, 3, 4
_IFLA_OPERSTATE, _IFLA_LINKINFO, _IFLA_INFO_KIND = 16, 18, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_CACHEINFO, _IFA_FLAGS = 1, 2, 6, 8
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_METRICS = 1, 4, 5, 6, 7, 8
_RTA_MULTIPATH, _RTA_CACHEINFO, _RTA_TABLE, _RTA_VIA, _RTA_PREF, _RTAX_MTU = 9, 12, 15, 18, 20, 2


def link(body: bytes) -> Link:
    """The link of an RTM_NEWLINK body."""
    _, _, index, flags, _ = unpack(IFINFOMSG, body)
    found = dict(attributes(body[IFINFOMSG.size :]))
    state = found.get(_IFLA_OPERSTATE, b"\0")[:1] or b"\0"
    info = dict(attributes(found.get(_IFLA_LINKINFO, b"")))
    return Link(
        index=index,
        name=_text(found.get(_IFLA_IFNAME, b"")),
        mtu_bytes=_number(found.get(_IFLA_MTU)) or 0,
        up=bool(flags & _IFF_UP),
        running=bool(flags & _IFF_LOWER_UP),
        loopback=bool(flags & _IFF_LOOPBACK),
        state=_STATES[state[0]] if state[0] < len(_STATES) else str(state[0]),
        kind=_text(info.get(_IFLA_INFO_KIND, b"")),
        hardware_address=found.get(_IFLA_ADDRESS, b"").hex(":"),
    )


def address(body: bytes, names: Mapping[int, str]) -> InterfaceAddress:
    """The address of an RTM_NEWADDR body."""
    family, prefix_length, low_flags, scope, index = unpack(IFADDRMSG, body)
    found = dict(attributes(body[IFADDRMSG.size :]))
    # With a peer, IFA_ADDRESS is the peer's and IFA_LOCAL our own.
    octets = found.get(_IFA_LOCAL, found.get(_IFA_ADDRESS))
    if octets is None:
        raise ValueError("an address message without an address")
    value = _address(family, octets)
    if prefix_length > value.max_prefixlen:
        raise ValueError(f"prefix length {prefix_length} for {value}")
    flags = _number(found.get(_IFA_FLAGS))  # all 32 bits; the header has the first 8
    preferred, valid = _lifetimes(found.get(_IFA_CACHEINFO))
    return InterfaceAddress(
        address=value,
        prefix_length=prefix_length,
        interface=names.get(index, str(index)),
        index=index,
        scope=SCOPES.get(scope, str(scope)),
        flags=flag_names(low_flags if flags is None else flags, version=value.version),
        valid_s=valid,
        preferred_s=preferred,
    )


def routes(body: bytes, names: Mapping[int, str]) -> Iterator[Route]:
    """The route of an RTM_NEWROUTE body: one for each next hop."""
    family, length, _, _, table, protocol, _, kind, flags = unpack(RTMSG, body)
    found = dict(attributes(body[RTMSG.size :]))
    metrics = dict(attributes(found.get(_RTA_METRICS, b"")))
    wide_table = _number(found.get(_RTA_TABLE))
    destination = _network(family, found.get(_RTA_DST), length)
    source = found.get(_RTA_PREFSRC)
    for index, gateway, hop_flags in _hops(family, found, flags):
        yield Route(
            destination=destination,
            gateway=gateway,
            interface=names.get(index, str(index)) if index else "",
            index=index,
            protocol=_PROTOCOLS.get(protocol, str(protocol)),
            table=table if wide_table is None else wide_table,
            metric=_number(found.get(_RTA_PRIORITY)) or 0,
            expires_s=_expires_s(found.get(_RTA_CACHEINFO)),
            preference=_preference(found.get(_RTA_PREF)),
            type=_ROUTE_TYPES.get(kind, str(kind)),
            source=None if source is None else _address(family, source),
            mtu_bytes=_number(metrics.get(_RTAX_MTU)),
            dead=bool(hop_flags & _RTNH_F_DEAD),
        )


def _hops(
    family: int, found: Mapping[int, bytes], flags: int
) -> Iterator[tuple[int, Address | None, int]]:
    """The next hops as (interface index, gateway, flags): those of RTA_MULTIPATH, else the only
    one.
    """
    octets = found.get(_RTA_MULTIPATH)
    if octets is None:
        yield _number(found.get(_RTA_OIF)) or 0, _gateway(family, found), flags
        return
    while octets:
        length, hop_flags, _, index = unpack(_RTNEXTHOP, octets)
        if not _RTNEXTHOP.size <= length <= len(octets):
            raise ValueError(f"a next hop of {length} octets among {len(octets)}")
        inner = dict(attributes(octets[_RTNEXTHOP.size : length]))
        yield index, _gateway(family, inner), hop_flags
        octets = octets[(length + 3) & ~3 :]


def _gateway(family: int, found: Mapping[int, bytes]) -> Address | None:
    if (octets := found.get(_RTA_GATEWAY)) is not None:
        return _address(family, octets)
    if (via := found.get(_RTA_VIA)) is not None:  # a gateway of the other family: RFC 5549
        return _address(int.from_bytes(via[:2], "little"), via[2:])
    return None


def _expires_s(cacheinfo: bytes | None) -> float | None:
    if cacheinfo is None:
        return None
    (ticks,) = unpack(_CACHEINFO_ROUTE, cacheinfo)
    return ticks / _USER_HZ if ticks else None  # 0: the route does not expire


def _lifetimes(cacheinfo: bytes | None) -> tuple[int | None, int | None]:
    if cacheinfo is None:
        return None, None
    preferred, valid = unpack(_CACHEINFO_ADDRESS, cacheinfo)
    return (None if preferred == _FOREVER else preferred), (None if valid == _FOREVER else valid)


def _preference(octets: bytes | None) -> str | None:
    return _PREFERENCES.get(octets[0]) if octets else None


def _network(family: int, octets: bytes | None, length: int) -> IPv6Network | IPv4Network:
    if VERSIONS[family] == _IPV6:
        return IPv6Network((octets if octets is not None else bytes(16), length), strict=False)
    return IPv4Network((octets if octets is not None else bytes(4), length), strict=False)


def _address(family: int, octets: bytes) -> Address:
    version = VERSIONS.get(family)
    if version is None:
        raise ValueError(f"address family {family}")
    return IPv6Address(octets) if version == _IPV6 else IPv4Address(octets)


def _number(octets: bytes | None) -> int | None:
    return None if octets is None else int(unpack(_U32, octets)[0])


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode("utf-8", "replace")
