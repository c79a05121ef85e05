"""What does a service say? The agent's streams, over TCP and to local sockets: connect, TLS, send,
read until a frame is complete.
"""

import errno
import os
import socket
from time import monotonic

from pytest_v6probe.agent.payload import (
    IP,
    IPV6,
    MAX_REPLY_BYTES,
    READ,
    RECVERR,
    WRITE,
    Ended,
    attempt,
    ends,
    lookup,
    nameserver,
    note_icmp,
    octets_of,
    sockaddr,
    text_of,
)
from pytest_v6probe.agent.payload_frames import FRAMES, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from pytest_v6probe.agent.payload import Seen, Work
    from pytest_v6probe.agent.payload_frames import Frame

MTU = {IP: 14, IPV6: 24}  # linux/in.h, linux/in6.h
CONTEXTS: "Dict[Any, Any]" = {}
SOCKET_ROOTS = ("/run/", "/var/run/")
TURN_CHUNKS = 64


def converse(op: "Seen", seen: "Seen", sock: "Any", until: float) -> "Work":
    """Send, and read until the frame that was asked for is complete."""
    yield from deliver(sock, octets_of(op["send"]), until)
    if op["until"] == "connect":
        return "answered"
    frame = Response().frame() if op["until"] == "http" else FRAMES[op["until"]]()
    return (yield from collect(op, seen, sock, until, frame))


def deliver(sock: "Any", octets: bytes, until: float) -> "Work":
    """Send all of *octets*."""
    left = memoryview(octets)
    while left:
        left = left[(yield from attempt(until, sock, WRITE, sock.send, left)) :]


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
    try:
        yield from attempt(until, sock, READ, sock.do_handshake)
    except (OSError, ValueError, Ended):
        sock.close()
        raise
    seen["tls_s"] = monotonic() - begun
    seen["tls"] = {
        "version": sock.version(),
        "cipher": sock.cipher()[0],
        "alpn": sock.selected_alpn_protocol(),
        "certificate": text_of(sock.getpeercert(True)),
    }
    return sock


def connection(op: "Seen", seen: "Seen", until: float) -> "Work":
    """A socket that is connected to the operation's server, over TLS if it says so."""
    host = op["host"] or nameserver(op["family"])
    seen["addresses"] = yield from lookup(host, op["family"], until)
    family, level, address = sockaddr(seen["addresses"][0], op["port"])
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(level, RECVERR[level], 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or TLS waits for delayed ACKs
        begun, code = monotonic(), sock.connect_ex(address)
        ends(sock, address, seen)
        if code == errno.EINPROGRESS:
            code = yield from settle(sock, seen, until)
        if code:
            note_icmp(sock, seen)
            raise OSError(code, "")
        seen["connect_s"] = monotonic() - begun
        sock.setsockopt(level, RECVERR[level], 0)  # with it, one ICMP error ends a connection
        if op["tls"] is None:
            return sock
        return (yield from handshake(op, seen, sock, until))
    except (OSError, ValueError, Ended):
        hang_up(sock, seen)
        raise


def settle(sock: socket.socket, seen: "Seen", until: float) -> "Work":
    """Wait until *sock* is connected, or an error says that it will not be; return its number, 0 for
    none. An ICMP error that comes while connect(2) still runs is in the error queue alone: without
    IPV6_RECVERR only that to the next SYN would end the attempt (RFC 5461 §2.2 calls them soft).
    """
    while True:
        if not (yield ((sock, WRITE),), until):
            raise Ended("timed-out", "")
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            return code
        try:
            sock.getpeername()
        except OSError:  # woken by the queue, ahead of the error's number
            note_icmp(sock, seen)
        else:
            return 0


def hang_up(sock: "Any", seen: "Seen") -> None:
    """Close *sock*, and note what the kernel knows of its path."""
    level = IPV6 if sock.family == socket.AF_INET6 else IP
    try:
        seen["path_mtu"] = sock.getsockopt(level, MTU[level])
    except OSError:
        pass
    sock.close()


def stream(op: "Seen", seen: "Seen", until: float) -> "Work":
    seen["received_bytes"] = 0
    sock = yield from connection(op, seen, until)
    try:
        return (yield from converse(op, seen, sock, until))
    finally:
        hang_up(sock, seen)


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
