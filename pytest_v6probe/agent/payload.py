"""What happens on this machine's sockets? The agent: standard library only, Python 3.6 on, shipped
to the vantage.

`wire` and `wire_records` are the specification of every operation and outcome; `bootstrap` joins this file and its
fellows ``payload_*`` into the one that travels. Each operation is a generator: it yields what it
waits for, ``((file, mask), …), until``, gets the list of ready files (empty: the time came), fills
*seen*, the reply, as facts become known, and returns its outcome. One thread runs them all. Nothing
here starts a program or changes the machine. Only a recording (`payload_records`,
`payload_recorder`) writes files, in a directory of its own, and leaves a process behind that ends
by itself. All that is asked for is bounded in size, number and time.
"""

import binascii
import collections
import errno
import os
import selectors
import socket
import struct
from time import monotonic, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Generator, List, Tuple

    Seen = Dict[str, Any]
    Wait = Tuple[Tuple[Tuple[Any, int], ...], float]
    Work = Generator[Wait, List[Any], Any]

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
MAX_REPLY_BYTES = 1 << 20
MAX_LOOKUPS = 64
LOCAL_STUBS = frozenset((b"127.0.0.53", b"127.0.0.54"))  # systemd-resolved.service(8)
# Numbers from linux/in.h, linux/in6.h and linux/errqueue.h, of which Python 3.6 names only some.
IP, IPV6, ICMPV6 = 0, 41, 58
RECVERR = {IP: 11, IPV6: 25}
MTU_DISCOVER, PMTUDISC_PROBE = {IP: 10, IPV6: 23}, 3
HOP_LIMIT = {IP: 2, IPV6: 16}
ICMP6_FILTER = 1
MSG_ERRQUEUE, ORIGIN_LOCAL = 0x2000, 1
OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ENETUNREACH: "no-route",
    errno.EHOSTUNREACH: "unreachable",
    errno.EACCES: "prohibited",
    errno.EADDRNOTAVAIL: "no-address",
    errno.EPERM: "not-permitted",
    errno.ETIMEDOUT: "timed-out",
}
WOULD_BLOCK = {"BlockingIOError": 0, "SSLWantReadError": READ, "SSLWantWriteError": WRITE}


class Ended(Exception):
    """An operation is over; the arguments are its outcome and its detail."""


def failure(why: BaseException) -> "Tuple[str, str]":
    """Map an exception to an outcome and its detail: the only place that does."""
    if isinstance(why, Ended):
        return why.args[0], why.args[1]
    if type(why).__module__ == "ssl":  # SSLError; on 3.6 CertificateError is a ValueError
        said = getattr(why, "verify_message", "") or ""
        reason = getattr(why, "reason", "") or str(why)
        return "tls-error", "%s: %s" % (reason, said) if said else reason
    if isinstance(why, socket.gaierror):
        names = [n for n in dir(socket) if n[:4] == "EAI_" and getattr(socket, n) == why.errno]
        return "name-error", "%s %s" % (names[0] if names else why.errno, why.strerror)
    if isinstance(why, UnicodeError):
        return "name-error", "not a name"
    if isinstance(why, OSError) and why.errno:
        name = errno.errorcode.get(why.errno, str(why.errno))
        return OUTCOMES.get(why.errno, "error"), name
    return "error", repr(why)[:200]


def octets_of(text: str) -> bytes:
    return binascii.a2b_base64(text)


def text_of(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode("ascii")


def nameserver(family: int) -> str:
    """The first nameserver of *family* that this machine asks; behind systemd-resolved, that one's
    own.
    """
    try:
        named = nameservers("/etc/resolv.conf")
        if named and LOCAL_STUBS.issuperset(named):
            named = nameservers("/run/systemd/resolve/resolv.conf")
    except OSError as why:
        raise Ended("no-nameserver", failure(why)[1]) from None
    for name in named:
        if (b":" in name) == (family == 6):
            return name.decode("ascii", "replace")
    raise Ended("no-nameserver", "")


def nameservers(path: str) -> "List[bytes]":
    """What the resolv.conf(5) at *path* names, in its order."""
    with open(path, "rb") as file:
        lines = [line.split() for line in file.read(65536).split(b"\n")]
    return [words[1] for words in lines if words[:1] == [b"nameserver"] and len(words) > 1]


def sockaddr(host: str, port: int, scope: str = "") -> "Tuple[int, int, Any]":
    """The family, the option level and the socket address of a literal; an IPv4-mapped one is no
    IPv6.
    """
    literal = host + "%" + scope if scope and "%" not in host else host
    family, _, _, _, address = socket.getaddrinfo(
        literal.encode("ascii"), port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST
    )[0]
    if str(address[0]).startswith("::ffff:"):
        raise Ended("no-route", "an IPv4-mapped address")
    return family, IPV6 if family == socket.AF_INET6 else IP, address


def ends(sock: "Any", address: "Any", seen: "Seen", *, portless: bool = False) -> None:
    """Note both ends of *sock*, which was connected to *address*."""
    for key, pair in (("remote", address), ("local", sock.getsockname())):
        host = pair[0].split("%")[0]
        if host not in ("::", "0.0.0.0"):
            scope = "%" + socket.if_indextoname(pair[3]) if len(pair) > 3 and pair[3] else ""
            seen[key] = [host + scope, 0 if portless else pair[1]]


def attempt(
    until: float, sock: "Any", mask: int, act: "Callable[..., Any]", *args: "Any"
) -> "Work":
    """Call *act* again whenever *sock* is ready, until it no longer would block; return what it
    does.
    """
    while True:
        try:
            return act(*args)
        except OSError as why:
            if type(why).__name__ not in WOULD_BLOCK:
                raise
            want = WOULD_BLOCK[type(why).__name__] or mask
        if not (yield ((sock, want),), until):
            raise Ended("timed-out", "")


def note_icmp(sock: socket.socket, seen: "Seen") -> None:
    """Read the error queue once: which ICMP error came, from whom (linux/errqueue.h)."""
    try:
        ancillary = sock.recvmsg(1, 512, MSG_ERRQUEUE)[1]
    except OSError:
        return
    for level, kind, octets in ancillary:
        if RECVERR.get(level) == kind and len(octets) >= 24:
            _, origin, icmp_type, code, _, info, _ = struct.unpack_from("=IBBBBII", octets)
            if origin == ORIGIN_LOCAL:
                seen["local_mtu"] = info
                continue
            big = (icmp_type, code) == ((2, 0) if level == IPV6 else (3, 4))
            source = (
                socket.inet_ntop(socket.AF_INET6, octets[24:40])
                if level == IPV6
                else socket.inet_ntop(socket.AF_INET, octets[20:24])
            )
            seen["icmp"] = {
                "type": icmp_type,
                "code": code,
                "mtu": info if big else 0,
                "from": source,
            }


def datagram_socket(op: "Seen", seen: "Seen") -> socket.socket:
    """A connected UDP socket to the operation's server that tells of ICMP errors."""
    family, level, address = sockaddr(
        op["server"] or nameserver(6), op["port"], op.get("scope", "")
    )
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(level, RECVERR[level], 1)
        code = sock.connect_ex(address)
        ends(sock, address, seen)
        if code:
            raise OSError(code, "")
    except OSError:
        sock.close()
        raise
    return sock


def udp(op: "Seen", seen: "Seen", until: float) -> "Work":
    question = octets_of(op["payload"])
    seen["strays"] = 0
    with datagram_socket(op, seen) as sock:
        try:
            yield from attempt(until, sock, WRITE, sock.send, question)
            while True:
                answer = yield from attempt(until, sock, READ, sock.recv, 65535)
                if answer.startswith(question[: op["match"]]):
                    seen["clock_s"], seen["payload"] = time(), answer
                    return "answered"
                seen["strays"] += 1
        except OSError:
            note_icmp(sock, seen)
            raise


class Burst:
    """Many datagrams to one server, so many in flight; answers are told apart by their first
    octets.
    """

    def __init__(self, op: "Seen") -> None:
        packed, at = octets_of(op["payload"]), 0
        self.questions: "List[bytes]" = []
        while at < len(packed):
            (size,) = struct.unpack_from("!H", packed, at)
            self.questions.append(packed[at + 2 : at + 2 + size])
            at += 2 + size
        self.answers = [b""] * len(self.questions)
        self.times_us = [0] * len(self.questions)
        self.match, self.window, self.patience_s = op["match"], op["window"], op["timeout_s"]
        self.flight: "Dict[bytes, Tuple[int, float]]" = collections.OrderedDict()
        self.sent = self.strays = self.size = 0

    def fill(self, sock: socket.socket) -> None:
        """Send as many more as the window allows."""
        while self.sent < len(self.questions) and len(self.flight) < self.window:
            question = self.questions[self.sent]
            if question[: self.match] in self.flight:
                return
            sock.send(question)
            self.flight[question[: self.match]] = (self.sent, monotonic())
            self.sent += 1

    def drain(self, sock: socket.socket) -> None:
        """Take the answers that are there, and send another question for each."""
        for _ in range(2 * self.window):
            answer = sock.recv(65535)
            number, sent = self.flight.pop(answer[: self.match], (-1, 0.0))
            if number < 0:
                self.strays += 1
                continue
            self.size += len(answer) + 2
            if self.size > MAX_REPLY_BYTES:
                raise Ended("too-large", "")
            self.answers[number] = answer
            self.times_us[number] = int((monotonic() - sent) * 1e6)
            self.fill(sock)

    def due(self) -> float:
        """Give up the datagrams whose time is over; when is the next one's?"""
        now = monotonic()
        while self.flight:
            key, (_, sent) = next(iter(self.flight.items()))
            due_s: float = sent + self.patience_s
            if due_s > now:
                return due_s
            del self.flight[key]
        return now


def udp_burst(op: "Seen", seen: "Seen", until: float) -> "Work":
    burst = Burst(op)
    try:
        with datagram_socket(op, seen) as sock:
            while burst.sent < len(burst.questions) or burst.flight:
                try:
                    burst.fill(sock)
                    burst.drain(sock)
                except BlockingIOError:
                    pass
                yield ((sock, READ),), burst.due()
    finally:
        seen["payload"] = b"".join(struct.pack("!H", len(a)) + a for a in burst.answers)
        seen["times_us"] = text_of(struct.pack("!%dI" % len(burst.times_us), *burst.times_us))
        seen["strays"] = burst.strays
    return "answered" if burst.size else "timed-out"


def lookup(host: str, family: int, until: float) -> "Work":
    """The literals that the system resolver has for *host*, of one family; a literal is itself."""
    try:
        sockaddr(host, 0)
        return [host]
    except socket.gaierror:
        pass
    import _thread

    if _thread._count() >= MAX_LOOKUPS:
        raise Ended("error", "EAGAIN")
    found: "List[Any]" = []
    reading, writing = os.pipe()
    inet = socket.AF_INET6 if family == 6 else socket.AF_INET

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host.encode("ascii"), None, inet, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as why:
            found.append(why)
        finally:
            os.close(writing)

    _thread.start_new_thread(ask, ())
    try:
        if not (yield ((reading, READ),), until):
            raise Ended("timed-out", "")
    finally:
        os.close(reading)
    if isinstance(found[0], Exception):
        raise found[0]
    literals = [entry[4][0] for entry in found[0] if not entry[4][0].startswith("::ffff:")]
    if not literals:
        raise Ended("name-error", "only IPv4-mapped addresses")
    return list(collections.OrderedDict.fromkeys(literals))[:64]


def resolve(op: "Seen", seen: "Seen", until: float) -> "Work":
    seen["addresses"] = yield from lookup(op["host"], op["family"], until)
    return "answered"


def pass_only(sock: socket.socket, icmp_type: int) -> None:
    """Let the kernel drop every ICMPv6 message of another type (RFC 3542 §3.2)."""
    words = [0xFFFFFFFF] * 8
    words[icmp_type // 32] ^= 1 << icmp_type % 32
    sock.setsockopt(ICMPV6, ICMP6_FILTER, struct.pack("=8I", *words))


def checksum(octets: bytes) -> int:
    """RFC 1071."""
    total: int = sum(
        struct.unpack("!%dH" % ((len(octets) + 1) // 2), octets + bytes(len(octets) % 2))
    )
    return ~(total % 0xFFFF) & 0xFFFF


def echo(op: "Seen", seen: "Seen", until: float) -> "Work":
    host, size = (yield from lookup(op["host"], 6, until))[0], op["size_bytes"]
    family, level, address = sockaddr(host, 0, op["scope"])
    protocol, asks, answers = (ICMPV6, 128, b"\x81") if level == IPV6 else (1, 8, b"\x00")
    try:
        sock, raw = socket.socket(family, socket.SOCK_DGRAM, protocol), False
    except OSError:  # not in ping_group_range
        sock, raw = socket.socket(family, socket.SOCK_RAW, protocol), True
    with sock:
        sock.setblocking(False)
        sock.setsockopt(level, RECVERR[level], 1)
        sock.setsockopt(level, HOP_LIMIT[level], op["hop_limit"])
        if op["whole"]:
            sock.setsockopt(level, MTU_DISCOVER[level], PMTUDISC_PROBE)
        if raw and level == IPV6:
            pass_only(sock, answers[0])
        code = sock.connect_ex(address)
        ends(sock, address, seen, portless=True)
        if code:
            raise OSError(code, "")
        own, cookie = os.urandom(4), os.urandom(8)
        tail = own + (cookie + bytes(size))[:size]
        check = checksum(struct.pack("!BBH", asks, 0, 0) + tail) if level == IP else 0
        begun = monotonic()
        try:
            yield from attempt(
                until, sock, WRITE, sock.send, struct.pack("!BBH", asks, 0, check) + tail
            )
            while True:
                reply = yield from attempt(until, sock, READ, sock.recv, 65535)
                came = monotonic()
                reply = reply[(reply[0] & 15) * 4 :] if raw and level == IP else reply
                skip = 4 if raw else 6  # a ping socket's identifier is the kernel's
                if reply[:1] == answers and reply[skip:16] == (b"...." + tail)[skip:16]:
                    seen["payload"], seen["elapsed_s"] = reply[8:], came - begun
                    return "answered"
        except OSError:
            note_icmp(sock, seen)
            raise
