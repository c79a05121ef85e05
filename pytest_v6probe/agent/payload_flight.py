"""When did which route, address, sysctl or router advertisement come or go? The agent's flight
recorder.
"""

import collections
import errno
import json
import os
import socket
import struct
from time import clock_gettime, monotonic, time

from pytest_v6probe.agent.payload import text_of
from pytest_v6probe.agent.payload_kernel import advertisements, hear, is_last, raw_listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Tuple

    from pytest_v6probe.agent.payload import Seen
    from pytest_v6probe.agent.payload_recorder import Record

# linux/rtnetlink.h: RTNLGRP_LINK, IPV6_IFADDR, IPV6_ROUTE and IPV6_NETCONF, and message types
GROUPS = 1 << 0 | 1 << 8 | 1 << 10 | 1 << 24
NEWLINK, DELLINK, GETLINK, GETADDR, NEWROUTE, GETROUTE, NEWNETCONF = 16, 17, 18, 22, 24, 26, 80
DUMP_FLAGS = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
SKIP_STATISTICS = struct.pack("=HHI", 8, 29, 8)  # IFLA_EXT_MASK: RTEXT_FILTER_SKIP_STATS
OF_IPV6 = struct.pack("=B11x", socket.AF_INET6)
BOOT_CLOCK = 7  # CLOCK_BOOTTIME of linux/time.h
NETLINK_QUEUE_BYTES, DUMP_WITHIN_S = 1 << 20, 2.0
SYSCTLS = "/proc/sys/net/ipv6/conf/"
KNOBS = ("forwarding", "accept_ra", "accept_ra_defrtr", "keep_addr_on_down")
MAX_WATCHED, MAX_READ_AT_ONCE, MAX_ROUTERS = 512, 64, 64
COUNT_EVERY_S, COUNT_SHARE, COMPARE_EVERY_S = 1.0, 0.004, 0.1


def each_message(octets: bytes) -> "Iterator[bytes]":
    """The netlink messages of one datagram, each with its header."""
    at = 0
    while at + 16 <= len(octets):
        end = at + max(16, (struct.unpack_from("=I", octets, at)[0] + 3) & ~3)
        yield octets[at:end]
        at = end


def is_default(message: bytes) -> bool:
    """Is it a route to everywhere?"""
    return len(message) > 17 and message[4:6] == struct.pack("=H", NEWROUTE) and message[17] == 0


def dumped(kind: int, body: bytes, most: int) -> str:
    """What the kernel lists of one kind, in at most *most* octets: first of all the default routes.

    What fails or takes too long ends the list, not the recording.
    """
    first, rest, last = bytearray(), bytearray(), b""
    until = monotonic() + DUMP_WITHIN_S
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
            sock.settimeout(DUMP_WITHIN_S)
            sock.bind((0, 0))
            sock.send(struct.pack("=IHHII", 16 + len(body), kind, DUMP_FLAGS, 1, 0) + body)
            while not is_last(last, 0) and monotonic() < until:
                last = sock.recv(65536)
                for message in each_message(last):
                    part = first if is_default(message) else rest
                    if len(part) + len(message) <= most // 2:
                        part += message
    except OSError:
        pass
    return text_of(bytes(first + rest))


class Flight:
    """Listens to the kernel, compares what the kernel is silent about, and writes lines of JSON."""

    def __init__(self, record: "Record", _op: "Seen") -> None:
        self.record = record
        self.most = record.most // 6
        self.sysctls: "Dict[str, Tuple[int, bytes]]" = collections.OrderedDict()
        self.heard: "Dict[Tuple[str, str], str]" = collections.OrderedDict()
        self.at, self.links_changed, self.due = 0, False, monotonic() + COMPARE_EVERY_S
        self.link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.link.setblocking(False)
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NETLINK_QUEUE_BYTES)
        self.link.bind((0, GROUPS))
        self.raw = raw_listener()
        self.counted = advertisements("")
        self.count_due = 0.0
        self.sources = (self.link, self.raw) if self.raw else (self.link,)
        self.survey(begun=False)
        self.start()

    def start(self) -> None:
        """Write how everything is now, and set aside the room to do so again."""
        self.record.begin()
        line: "Seen" = {"kind": "start", "t_s": 0, "up_s": clock_gettime(BOOT_CLOCK)}
        line.update({"clock_s": time(), "raw": self.raw is not None})
        state = self.state()
        line["links"] = dumped(GETLINK, bytes(16) + SKIP_STATISTICS, self.most)
        line["addresses"] = dumped(GETADDR, OF_IPV6[:8], self.most)
        line.update(state)
        self.write(line)
        self.record.reserve = min(self.record.most // 3, 2 * len(json.dumps(state)) + 1024)

    def state(self) -> "Seen":
        """The routes and the sysctls."""
        values = {path: value.decode("ascii") for path, (_, value) in self.sysctls.items()}
        return {"routes": dumped(GETROUTE, OF_IPV6, self.most), "sysctls": values}

    def write(self, line: "Seen") -> None:
        self.record.add(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")

    def note(self, kind: str, **what: "Any") -> None:
        """Write one event that was noticed now."""
        t_s = round(monotonic() - self.record.begun, 6)
        self.write({"kind": kind, "t_s": t_s, **what})

    def take(self, source: "Any") -> None:
        """Write down what has come on *source*."""
        compared = False
        for _ in range(256):
            try:
                if source is self.raw:
                    self.advertisement()
                    continue
                octets = source.recv(65536)
            except BlockingIOError:
                return
            except OSError as why:
                if source is self.link and why.errno == errno.ENOBUFS:
                    self.record.lost += 1
                    self.note("lost")
                continue
            kind, port = struct.unpack_from("=4xH6xI", octets)
            self.note("netlink", payload=text_of(octets), port=port)
            self.links_changed = self.links_changed or kind in (NEWLINK, DELLINK)
            if kind == NEWNETCONF and not compared:
                self.compare(len(self.sysctls))
                compared, self.due = True, 0.0

    def advertisement(self) -> None:
        """Note a router advertisement; what its router said last is not repeated."""
        event = hear(self.raw, "", self.record.begun)
        router, payload = (event["from"], event["interface"]), event["payload"]
        del event["kind"], event["t_s"]
        if self.heard.pop(router, "") == payload:
            del event["payload"]
        self.heard[router] = payload
        while len(self.heard) > MAX_ROUTERS:
            self.heard.pop(next(iter(self.heard)))
        self.note("ra", **event)

    def survey(self, *, begun: bool = True) -> None:
        """Watch the sysctls of interfaces that are new."""
        self.links_changed = False
        try:
            names = [name for _, name in sorted(socket.if_nameindex())]
        except OSError:  # one came or went meanwhile: it is told of by another message
            return
        for name in ("all", "default", *names):
            for knob in KNOBS:
                path = SYSCTLS + name + "/" + knob
                if path in self.sysctls or len(self.sysctls) >= MAX_WATCHED:
                    continue
                try:
                    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                except OSError:  # it is gone again, or the kernel does not know it
                    continue
                self.sysctls[path] = (file, b"")
                self.reread(path, silent=not begun)

    def reread(self, path: str, *, silent: bool = False) -> None:
        """Note the value of *path* if it is another than before; the file of a link that is gone
        fails.
        """
        file, before = self.sysctls[path]
        try:
            value = os.pread(file, 32, 0).strip()
        except OSError:
            os.close(file)
            del self.sysctls[path]
            self.links_changed = True
            return
        if value != before:
            self.sysctls[path] = (file, value)
            if not silent:
                self.note("sysctl", name=path, value=value.decode("ascii"))

    def compare(self, most: int) -> None:
        """Read the next *most* sysctls again."""
        paths = list(self.sysctls)
        count = min(most, len(paths))
        for number in range(self.at, self.at + count):
            self.reread(paths[number % len(paths)])
        self.at = (self.at + count) % max(1, len(paths))

    def look(self) -> None:
        """Do what is due: new interfaces at once, sysctls and counters from time to time."""
        if self.links_changed:
            self.survey()
        now = monotonic()
        if now >= self.due:
            self.compare(MAX_READ_AT_ONCE)
            self.due = now + COMPARE_EVERY_S
        if self.raw is None and now >= self.count_due:
            before, self.counted = self.counted, advertisements("")
            for name, count in self.counted.items():
                if count > before.get(name, 0):
                    self.note("ra-counted", interface=name, count=count - before.get(name, 0))
            took_s = monotonic() - now
            self.count_due = now + max(COUNT_EVERY_S, took_s / COUNT_SHARE)

    def end(self) -> None:
        """Write how everything is at the end, or at least that it is the end."""
        self.take(self.link)
        self.compare(len(self.sysctls))
        if self.raw is None:
            self.count_due = 0.0
            self.look()
        self.record.reserve = 0
        why, lost = self.record.why, self.record.lost
        line: "Seen" = {"why": why, "lost": lost, **self.state()}
        if len(json.dumps(line)) + 64 > self.record.room():
            line = {"why": why, "lost": lost, "routes": "", "sysctls": {}}
        self.note("end", **line)
