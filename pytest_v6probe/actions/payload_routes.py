"""Which default routes and sysctls does this machine have, and how are they put back?

rtnetlink by hand: the host may have no `ip`. Numbers are those of linux/rtnetlink.h.
"""

import errno
import os
import select
import socket
import struct
from time import monotonic

from pytest_v6probe.actions.payload import octets_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    Attributes = Dict[int, bytes]

CONF = "/proc/sys/net/ipv6/conf/"
SYSCTLS = ("accept_ra", "accept_ra_defrtr", "forwarding")
"""In the order in which they are put back: writing `forwarding` purges the routes of interfaces
whose `accept_ra` is not 2 (kernel, addrconf.c), so that comes last.
"""
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NLMSG_ERROR, NLMSG_DONE = 2, 3
REQUEST, ACK, CREATE, APPEND, DUMP = 1, 4, 0x400, 0x800, 0x300
MAIN, UNICAST, PROTO_RA = 254, 1, 9
RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_MULTIPATH = 4, 5, 6, 9
RTA_CACHEINFO, RTA_TABLE, RTA_EXPIRES, RTA_NH_ID = 12, 15, 23, 30
USER_HZ = 100
LEAST_LIFETIME_S = 60
ICMPV6, SOLICITATION, ADVERTISEMENT = 58, b"\x85" + bytes(7), 134  # RFC 4861 §4.1, §4.2
SOLICIT_EVERY_S, SOLICIT_S = 1.5, 4.5
"""A router may wait 3 s between two multicast advertisements, and 0.5 s (RFC 4861 §10)."""


def sysctls() -> "List[Tuple[str, str]]":
    """(path, value) of every watched sysctl, those of ``all`` first, as they must be written."""
    names = sorted(os.listdir(CONF), key=lambda name: (name != "all", name != "default", name))
    found = []
    for key in SYSCTLS:
        for name in names:
            try:
                with open(CONF + name + "/" + key) as file:
                    found.append((CONF + name + "/" + key, file.read().strip()))
            except OSError:
                continue  # the interface has gone meanwhile
    return found


def put_sysctls_back(was: "List[Tuple[str, str]]") -> "List[str]":
    """Write each that differs; a line for each."""
    did = []
    for path, value in was:
        name = path[len("/proc/sys/") :].replace("/", ".")
        try:
            with open(path) as file:
                now = file.read().strip()
            if now == value:
                continue
            with open(path, "w") as file:
                file.write(value)
            did.append("sysctl %s: %s to %s" % (name, now, value))
        except FileNotFoundError:
            continue
        except OSError as why:
            did.append("failed: sysctl %s to %s: %s" % (name, value, why.strerror))
    return did


def attributes(octets: bytes) -> "Attributes":
    found, at = {}, 0
    while at + 4 <= len(octets):
        length, kind = struct.unpack_from("=HH", octets, at)
        found[kind & 0x3FFF] = octets[at + 4 : at + length]
        at += max(4, (length + 3) & ~3)
    return found


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def asked(kind: int, flags: int, body: bytes) -> "List[Tuple[int, bytes]]":
    """Send one request and take all answers. Raises OSError as the kernel says."""
    found: "List[Tuple[int, bytes]]" = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(5)
        sock.bind((0, 0))
        sock.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body)
        while True:
            octets, at = sock.recv(1 << 17), 0
            while at + 16 <= len(octets):
                length, answer = struct.unpack_from("=IH", octets, at)
                inner = octets[at + 16 : at + length]
                code = struct.unpack_from("=i", inner)[0] if answer in (2, 3) and inner else 0
                if code:
                    raise OSError(-code, os.strerror(-code))
                if answer in (NLMSG_ERROR, NLMSG_DONE):
                    return found
                found.append((answer, inner))
                at += max(16, (length + 3) & ~3)


def default_routes() -> "List[Dict[str, Any]]":
    """The IPv6 default routes that forward packets, of the main table."""
    found = []
    for kind, body in asked(GETROUTE, DUMP, struct.pack("=BBBBBBBBI", 10, *[0] * 8)):
        _, length, source, _, table, protocol, _, of_type, _ = struct.unpack_from("=8BI", body)
        inner = attributes(body[12:])
        table = struct.unpack("=I", inner[RTA_TABLE])[0] if RTA_TABLE in inner else table
        if kind != NEWROUTE or length or source or table != MAIN or of_type != UNICAST:
            continue
        ticks = struct.unpack_from("=8xi", inner.get(RTA_CACHEINFO, bytes(12)))[0]
        found.append(
            {
                "body": text_of(body),
                "key": key_of(protocol, inner),
                "protocol": protocol,
                "oif": struct.unpack("=I", inner.get(RTA_OIF, bytes(4)))[0],
                "gateway": text_of(inner.get(RTA_GATEWAY, b"")),
                "expires_s": ticks / USER_HZ,
                "read_s": monotonic(),
            }
        )
    return found


def key_of(protocol: int, inner: "Attributes") -> str:
    """What makes two routes the same one: who put it there, metric and next hops."""
    same = (RTA_PRIORITY, RTA_OIF, RTA_GATEWAY, RTA_MULTIPATH)
    return "%d:%s" % (protocol, ":".join(text_of(inner.get(kind, b"")) for kind in same))


def add(route: "Dict[str, Any]") -> None:
    """Put a route there again, with what is left of its lifetime, at least a minute."""
    body = octets_of(route["body"])
    unwanted = (RTA_CACHEINFO, RTA_EXPIRES, RTA_NH_ID)
    inner = [attribute(k, v) for k, v in attributes(body[12:]).items() if k not in unwanted]
    if route["expires_s"]:
        left_s = route["expires_s"] - (monotonic() - route["read_s"])
        inner.append(attribute(RTA_EXPIRES, struct.pack("=I", max(LEAST_LIFETIME_S, int(left_s)))))
    asked(NEWROUTE, ACK | CREATE | APPEND, body[:8] + bytes(4) + b"".join(inner))


def delete(route: "Dict[str, Any]") -> None:
    body = octets_of(route["body"])
    wanted = (RTA_PRIORITY, RTA_OIF, RTA_GATEWAY, RTA_MULTIPATH, RTA_TABLE)
    inner = [attribute(k, v) for k, v in attributes(body[12:]).items() if k in wanted]
    asked(DELROUTE, ACK, body[:8] + bytes(4) + b"".join(inner))


def shown(route: "Dict[str, Any]") -> str:
    octets = octets_of(route["gateway"])
    gateway = "several" if len(octets) != 16 else socket.inet_ntop(socket.AF_INET6, octets)
    return "default via %s dev %s" % (gateway, interface_of(route))


def interface_of(route: "Dict[str, Any]") -> str:
    try:
        return socket.if_indextoname(route["oif"])
    except OSError:
        return "index %d" % route["oif"]


def missing(was: "List[Dict[str, Any]]") -> "List[Dict[str, Any]]":
    """Those of *was* that are not there now."""
    now = {route["key"] for route in default_routes()}
    return [route for route in was if route["key"] not in now]


def kernel_takes(route: "Dict[str, Any]") -> bool:
    """Whether the kernel itself handles router advertisements there (ip-sysctl.rst)."""
    values = []
    for key in SYSCTLS:
        try:
            with open(CONF + interface_of(route) + "/" + key) as file:
                values.append(int(file.read()))
        except (OSError, ValueError):
            return False
    accept, default_router, forwarding = values
    return bool(default_router and (accept == 2 if forwarding else accept))


def raw() -> socket.socket:
    """A socket that hears router advertisements only, and may solicit them."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6)
    words = [0xFFFFFFFF] * 8
    words[ADVERTISEMENT // 32] ^= 1 << ADVERTISEMENT % 32
    sock.setsockopt(ICMPV6, 1, struct.pack("=8I", *words))  # ICMP6_FILTER, RFC 3542 §3.2
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    return sock


def solicited(routes: "List[Dict[str, Any]]") -> None:
    """Ask routers to advertise until the kernel has every one of *routes* again, or 4.5 s.

    A default route of the kernel's own is more than one that is put there for it: beside a route
    from outside the kernel refuses the advertisement, prefixes and all (ndisc_router_discovery).
    """
    until, next_s = monotonic() + SOLICIT_S, 0.0
    with raw() as sock:
        while missing(routes) and monotonic() < until:
            if monotonic() >= next_s:
                ask(sock, routes)
                next_s = monotonic() + SOLICIT_EVERY_S
            select.select([], [], [], 0.05)


def ask(sock: socket.socket, routes: "List[Dict[str, Any]]") -> None:
    for index in {route["oif"] for route in routes}:
        try:
            sock.sendto(SOLICITATION, ("ff02::2", 0, 0, index))
        except OSError:
            continue  # a link that is down, or has no address yet


def put_routes_back(was: "List[Dict[str, Any]]") -> "Tuple[List[str], List[Dict[str, Any]]]":
    """Delete what was not there, put what is missing; lines, and what the kernel should take over."""
    did, ours = deleted_but(was), []
    learned = [route for route in missing(was) if route["protocol"] == PROTO_RA]
    if learned:
        solicited(learned)
        did += [
            "route %s: by solicitation" % shown(r) for r in learned if r not in missing(learned)
        ]
    for route in missing(was):
        try:
            add(route)
            did.append("route %s: by hand" % shown(route))
            if route["protocol"] == PROTO_RA and kernel_takes(route):
                ours.append(route)
        except OSError as why:
            if why.errno != errno.EEXIST:
                did.append("failed: route %s: %s" % (shown(route), why.strerror))
    return did, ours


def deleted_but(was: "List[Dict[str, Any]]") -> "List[str]":
    """Delete the default routes that are not among *was*; a line for each."""
    did, before = [], {route["key"] for route in was}
    for route in [route for route in default_routes() if route["key"] not in before]:
        try:
            delete(route)
            did.append("deleted: route %s" % shown(route))
        except OSError as why:
            did.append("failed: deleting route %s: %s" % (shown(route), why.strerror))
    return did


def hand_over(ours: "List[Dict[str, Any]]", within_s: float) -> "List[str]":
    """When a router is heard again, take our route away so that the kernel learns its own."""
    did, until = [], monotonic() + within_s
    with raw() as sock:
        while ours and select.select([sock], [], [], max(0.0, until - monotonic()))[0]:
            source = sock.recvfrom(2048)[1]
            heard = text_of(socket.inet_pton(socket.AF_INET6, source[0].split("%")[0]))
            for route in [r for r in ours if (r["gateway"], r["oif"]) == (heard, source[3])]:
                ours.remove(route)
                try:
                    delete(route)
                    solicited([route])
                    for lost in missing([route]):
                        add(lost)
                        ours.append(lost)
                    did.append("route %s: handed over to the kernel" % shown(route))
                except OSError as why:
                    did.append("failed: handing over %s: %s" % (shown(route), why.strerror))
    return did
