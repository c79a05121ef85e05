"""What does a service say? The agent's streams, over TCP and to local sockets: connect, TLS, send,
read until a frame is complete.
"""

import errno
import os
import socket
import struct
from time import monotonic

from pytest_v6probe.agent.payload import (
    IP,
    IPV6,
    MAX_REPLY_BYTES,
    READ,
    WRITE,
    Ended,
    attempt,
    ends,
    lookup,
    nameserver,
    octets_of,
    sockaddr,
    text_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Generator

    from pytest_v6probe.agent.payload import Seen, Work

    Frame = Generator[bool, bytes, Any]

MAX_HEAD_BYTES = 65536
MTU = {IP: 14, IPV6: 24}  # linux/in.h, linux/in6.h
CONTEXTS: "Dict[Any, Any]" = {}
SOCKET_ROOTS = ("/run/", "/var/run/")
DIGESTS = ("sha256", "sha512")
TURN_CHUNKS = 64


def line_of(rest: bytes) -> "Frame":
    """Wait for a whole line; return it stripped, and what came behind it."""
    while b"\n" not in rest:
        if len(rest) > MAX_HEAD_BYTES:
            raise Ended("too-large", "a line without an end")
        rest += yield False
    text, _, rest = rest.partition(b"\n")
    return text.strip(), rest


def ignore(octets: bytes) -> None:
    """Nobody asked for these octets by themselves."""


def behind(rest: bytes, count: int, take: "Callable[[bytes], Any]" = ignore) -> "Frame":
    """Wait for *count* octets, which *take* gets; return what came behind them."""
    while len(rest) < count:
        take(rest)
        count -= len(rest)
        rest = yield False
    take(rest[:count])
    return rest[count:]


def until_u16() -> "Frame":
    rest = b""
    while len(rest) < 2:
        rest += yield False
    yield from behind(rest[2:], struct.unpack("!H", rest[:2])[0])


def until_eof(rest: bytes = b"", take: "Callable[[bytes], Any]" = ignore) -> "Frame":
    while True:
        take(rest)
        rest = yield True


def until_http(take: "Callable[[bytes], Any]" = ignore) -> "Frame":
    """The end of a response (RFC 9112 §6.3), whose body *take* gets; what does not begin as one
    ends at once.
    """
    rest, status = b"", b"100"
    fields: "Dict[bytes, bytes]" = {}
    while status[:1] == b"1" and status != b"101":
        text, rest = yield from line_of(rest)
        if not text.startswith(b"HTTP/"):
            return
        status, fields = text[9:12], {}
        while text:
            text, rest = yield from line_of(rest)
            name, _, value = text.lower().partition(b":")
            fields[name] = value.strip()
    if status in (b"101", b"204", b"304"):
        return
    if fields.get(b"transfer-encoding", b"").endswith(b"chunked"):
        size = 1
        while size:
            text, rest = yield from line_of(rest)
            size = int(text.split(b";")[0], 16)
            if size:
                rest = yield from behind((yield from behind(rest, size, take)), 2)
        while text:
            text, rest = yield from line_of(rest)
    elif fields.get(b"content-length", b"").isdigit():
        yield from behind(rest, int(fields[b"content-length"]), take)
    else:
        yield from until_eof(rest, take)


class Digest:
    """Counts and hashes a body as it comes."""

    def __init__(self, name: str) -> None:
        import hashlib

        if name not in DIGESTS:
            raise ValueError(name)
        self.name, self.hash, self.size = name, hashlib.new(name), 0

    def take(self, octets: bytes) -> None:
        """These are the next octets of the body."""
        self.hash.update(octets)
        self.size += len(octets)

    def tell(self, seen: "Seen", outcome: str) -> None:
        """The number of octets, and of a body that came whole the digest."""
        seen["body_bytes"] = self.size
        if outcome == "answered":
            seen["body_" + self.name] = self.hash.hexdigest()


FRAMES = {"line": lambda: line_of(b""), "u16": until_u16, "http": until_http, "eof": until_eof}


def converse(op: "Seen", seen: "Seen", sock: "Any", until: float) -> "Work":
    """Send, and read until the frame that was asked for is complete."""
    left = memoryview(octets_of(op["send"]))
    while left:
        left = left[(yield from attempt(until, sock, WRITE, sock.send, left)) :]
    if op["until"] == "connect":
        return "answered"
    if not op.get("digest"):
        return (yield from collect(op, seen, sock, until, FRAMES[op["until"]]()))
    digest, outcome = Digest(op["digest"]), ""
    try:
        outcome = yield from collect(op, seen, sock, until, until_http(digest.take))
    finally:
        digest.tell(seen, outcome)
    return outcome


def collect(op: "Seen", seen: "Seen", sock: "Any", until: float, frame: "Frame") -> "Work":
    """Read until *frame* is complete."""
    kept, begun, chunks = bytearray(), monotonic(), 0
    seen["payload"] = kept
    most, keep_bytes, may_end = op["max_bytes"], min(op["keep_bytes"], MAX_REPLY_BYTES), next(frame)
    while True:
        chunks += 1
        if chunks % TURN_CHUNKS == 0:  # the others' turn: a fast sender never lets this one wait
            yield (), 0.0
            if monotonic() > until:
                raise Ended("timed-out", "")
        room = max(1, min(16384, most - seen["received_bytes"]))
        octets = yield from attempt(until, sock, READ, sock.recv, room)
        if not octets:
            return "answered" if may_end else "closed"
        seen.setdefault("first_byte_s", monotonic() - begun)
        seen["received_bytes"] += len(octets)
        if seen["received_bytes"] > most:
            return "too-large"
        kept += octets[: keep_bytes - len(kept)]
        try:
            may_end = frame.send(octets)
        except StopIteration:
            return "answered"


def handshake(op: "Seen", seen: "Seen", plain: socket.socket, until: float) -> "Work":
    import ssl

    tls, begun = op["tls"], monotonic()
    key = (tls.get("ca") or None, tuple(tls.get("alpn") or ()))
    if key not in CONTEXTS:
        if len(CONTEXTS) >= 8:
            CONTEXTS.clear()
        context = ssl.create_default_context(cadata=key[0])
        context.verify_flags &= ~0x20  # X509_STRICT, since 3.13: one verdict whatever the Python
        if key[1]:
            context.set_alpn_protocols(list(key[1]))
        CONTEXTS[key] = context
    sock = CONTEXTS[key].wrap_socket(
        plain, server_hostname=tls.get("server_name") or op["host"], do_handshake_on_connect=False
    )
    yield from attempt(until, sock, READ, sock.do_handshake)
    seen["tls_s"] = monotonic() - begun
    seen["tls"] = {
        "version": sock.version(),
        "cipher": sock.cipher()[0],
        "alpn": sock.selected_alpn_protocol(),
        "certificate": text_of(sock.getpeercert(True)),
    }
    return sock


def stream(op: "Seen", seen: "Seen", until: float) -> "Work":
    host = op["host"] or nameserver(op["family"])
    seen["addresses"], seen["received_bytes"] = (yield from lookup(host, op["family"], until)), 0
    family, level, address = sockaddr(seen["addresses"][0], op["port"])
    with socket.socket(family, socket.SOCK_STREAM) as plain:
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or TLS waits for delayed ACKs
        begun, sock = monotonic(), plain
        code = plain.connect_ex(address)
        ends(plain, address, seen)
        if code == errno.EINPROGRESS:
            if not (yield ((plain, WRITE),), until):
                raise Ended("timed-out", "")
            code = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, "")
        seen["connect_s"] = monotonic() - begun
        try:
            if op["tls"] is not None:
                sock = yield from handshake(op, seen, plain, until)
            return (yield from converse(op, seen, sock, until))
        finally:
            try:
                seen["path_mtu"] = sock.getsockopt(level, MTU[level])
            except OSError:
                pass
            sock.close()


def only_gets(request: bytes) -> None:
    """Refuse what is not exactly one GET without a body: no more may follow its head."""
    lines = [line.rstrip(b"\r") for line in request.split(b"\n")]
    if not request.startswith(b"GET ") or lines[-2:] != [b"", b""] or b"" in lines[:-2]:
        raise OSError(errno.EPERM, "")


def unix(op: "Seen", seen: "Seen", until: float) -> "Work":
    only_gets(octets_of(op["send"]))
    path = os.path.realpath(op["path"])
    if not path.startswith(SOCKET_ROOTS):
        raise OSError(errno.EPERM, "")
    seen["received_bytes"] = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        begun, code = monotonic(), sock.connect_ex(path)
        while code == errno.EAGAIN:  # more are waiting to be accepted than the server wanted
            yield (), min(until, monotonic() + 0.02)
            if monotonic() > until:
                raise Ended("timed-out", "")
            code = sock.connect_ex(path)
        if code == errno.EACCES:
            raise Ended("not-permitted", "EACCES")
        if code:
            raise OSError(code, "")
        seen["connect_s"] = monotonic() - begun
        return (yield from converse(op, seen, sock, until))
