"""What does this machine's kernel say? The agent's readings: files, rtnetlink, router
advertisements.
"""

import errno
import os
import socket
import stat
import struct
from time import monotonic

from pytest_v6probe.agent.payload import (
    ICMPV6,
    IPV6,
    MAX_REPLY_BYTES,
    READ,
    WRITE,
    Ended,
    attempt,
    failure,
    octets_of,
    pass_only,
    text_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from pytest_v6probe.agent.payload import Seen, Work

MAX_FILES = 512
MAX_EVENTS, MAX_EVENT_BYTES = 256, 4096
ROOTS = ("/proc/", "/sys/", "/etc/", "/run/")
# linux/netlink.h and linux/in6.h
NLMSG_ERROR, NLMSG_DONE, NLM_F_MULTI, NLM_F_ACK = 2, 3, 2, 4
MULTICAST_HOPS, RECVPKTINFO, PKTINFO, RECVHOPLIMIT, HOPLIMIT = 18, 49, 50, 51, 52
ROUTER_ADVERTISEMENT, SOLICITATION = 134, b"\x85" + bytes(7)  # RFC 4861 §4.1, §4.2
SOLICIT_EVERY_S, MAX_SOLICITATIONS = 4.0, 3  # RFC 4861 §10
LOOK_EVERY_S = 0.1


def matching(pattern: str) -> "List[str]":
    """The paths that *pattern* names, sorted; the pattern itself if it names none."""
    if not any(mark in pattern for mark in "*?["):
        return [pattern]
    import glob
    import itertools

    return sorted(itertools.islice(glob.iglob(pattern), MAX_FILES)) or [pattern]


def contents(path: str, most: int) -> bytes:
    """At most *most* octets of the regular file *path*, if it really lies below one of the roots."""
    if "\0" in path:
        raise OSError(errno.EINVAL, "")
    if not os.path.realpath(path).startswith(ROOTS):
        raise OSError(errno.EACCES, "")
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "")
        octets = b""
        while len(octets) < most:
            more = os.read(file, min(65536, most - len(octets)))
            octets += more
            if not more:
                break
        return octets
    finally:
        os.close(file)


def read(op: "Seen", seen: "Seen", until: float) -> "Work":
    files: "Dict[str, str]" = {}
    errors: "Dict[str, str]" = {}
    left = MAX_REPLY_BYTES
    seen["files"], seen["errors"] = files, errors
    for path in [path for pattern in op["patterns"] for path in matching(pattern)][:MAX_FILES]:
        if monotonic() > until:
            raise Ended("timed-out", "")
        try:
            octets = contents(path, min(op["max_bytes"], left + 1))
        except (OSError, ValueError) as why:
            errors[path] = failure(why)[1]
            continue
        left -= len(octets)
        if left < 0:
            raise Ended("too-large", path)
        files[path] = text_of(octets)
        yield (), 0.0
    return "answered"


def only_asks(request: bytes) -> None:
    """Refuse what is no RTM_GET… message: the agent changes nothing (rtnetlink.h: type modulo 4 is
    2).
    """
    at = 0
    while at < len(request):
        length, kind = struct.unpack_from("=IH", request, at)
        if length < 16 or kind < 16 or kind % 4 != 2:
            raise OSError(errno.EPERM, "")
        at += (length + 3) & ~3


def is_last(octets: bytes, acknowledged: int) -> bool:
    """Does one datagram of answers end the exchange?"""
    at, last = 0, False
    while at + 16 <= len(octets):
        length, kind, flags = struct.unpack_from("=IHH", octets, at)
        last = kind in (NLMSG_ERROR, NLMSG_DONE) or not (flags & NLM_F_MULTI or acknowledged)
        at += max(16, (length + 3) & ~3)
    return last


def netlink(op: "Seen", seen: "Seen", until: float) -> "Work":
    answers = seen["payload"] = bytearray()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.setblocking(False)
        sock.bind((0, 0))
        for request in map(octets_of, op["requests"]):
            only_asks(request)
            acknowledged = struct.unpack_from("=IHH", request)[2] & NLM_F_ACK
            yield from attempt(until, sock, WRITE, sock.send, request)
            octets = b""
            while not is_last(octets, acknowledged):
                octets = yield from attempt(until, sock, READ, sock.recv, 65536)
                if len(answers) + len(octets) > MAX_REPLY_BYTES:
                    raise Ended("too-large", "")
                answers += octets
    return "answered"


def advertisements(interface: str) -> "Dict[str, int]":
    """How many router advertisements the kernel itself has counted, for each interface."""
    counted: "Dict[str, int]" = {}
    for name in [interface] if interface else os.listdir("/proc/net/dev_snmp6")[:MAX_FILES]:
        try:
            lines = contents("/proc/net/dev_snmp6/" + name, 65536).split(b"\n")
        except OSError:
            continue
        counted.update(
            (name, int(line.split()[1]))
            for line in lines
            if line.startswith(b"Icmp6InRouterAdvertisements")
        )
    return counted


def raw_listener() -> "Any":
    """A socket that hears every router advertisement; None where that is not allowed."""
    try:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6)
    except PermissionError:
        return None
    sock.setblocking(False)
    pass_only(sock, ROUTER_ADVERTISEMENT)
    for option, value in ((RECVPKTINFO, 1), (RECVHOPLIMIT, 1), (MULTICAST_HOPS, 255)):
        sock.setsockopt(IPV6, option, value)
    return sock


def solicit(sock: socket.socket, interface: str) -> None:
    """Ask the routers of every link, or of *interface*, to speak up (RFC 4861 §6.3.7)."""
    for index, name in socket.if_nameindex():
        if name == interface or (not interface and name != "lo"):
            try:
                sock.sendto(SOLICITATION, ("ff02::2", 0, 0, index))
            except OSError:
                continue  # a link that is down, or has no address yet


def hear(sock: socket.socket, interface: str, begun: float) -> "Any":
    """One router advertisement as an event; None if it came over another link."""
    octets, ancillary, _, source = sock.recvmsg(MAX_EVENT_BYTES, 256)
    said: "Dict[str, Any]" = {"hop_limit": 0, "interface": ""}
    for level, kind, value in ancillary:
        if (level, kind) == (IPV6, HOPLIMIT):
            said["hop_limit"] = struct.unpack("=i", value[:4])[0]
        elif (level, kind) == (IPV6, PKTINFO):
            said["interface"] = socket.if_indextoname(struct.unpack_from("=I", value, 16)[0])
    if interface and said["interface"] != interface:
        return None
    said.update(
        {
            "kind": "ra",
            "t_s": monotonic() - begun,
            "payload": text_of(octets),
            "from": source[0].split("%")[0],
        }
    )
    return said


def overhear(op: "Seen", seen: "Seen", sock: "Any", begun: float) -> bool:
    """Note what has come on *sock*; was it an advertisement?"""
    if sock.family == socket.AF_NETLINK:
        event = {
            "kind": "netlink",
            "t_s": monotonic() - begun,
            "from": "",
            "interface": "",
            "hop_limit": 0,
            "payload": text_of(sock.recv(MAX_EVENT_BYTES)),
        }
    else:
        event = hear(sock, op["interface"], begun)
    if event and len(seen["events"]) < MAX_EVENTS:
        seen["events"].append(event)
    return bool(event) and event["kind"] == "ra"


def watch(op: "Seen", seen: "Seen", until: float) -> "Work":
    begun, heard, solicited = monotonic(), 0, 0
    before = now = advertisements(op["interface"])
    seen["events"], seen["counters"] = [], {name: [n, n] for name, n in before.items()}
    raw = raw_listener()
    seen["raw"] = raw is not None
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.setblocking(False)
        link.bind((0, op["groups"]))
        waits = ((link, READ), (raw, READ)) if raw else ((link, READ),)
        while monotonic() < until:
            if (
                raw
                and op["solicit"]
                and solicited < MAX_SOLICITATIONS
                and (monotonic() - begun >= solicited * SOLICIT_EVERY_S)
            ):
                solicit(raw, op["interface"])
                solicited += 1
            for sock in (yield waits, min(until, monotonic() + LOOK_EVERY_S)):
                heard += overhear(op, seen, sock, begun)
            now = advertisements(op["interface"])
            seen["counters"] = {name: [before.get(name, 0), n] for name, n in now.items()}
            rise = sum(max(0, n - before.get(name, 0)) for name, n in now.items())
            if max(heard, rise) >= op["enough_ras"]:
                return "answered"
    return "timed-out"
