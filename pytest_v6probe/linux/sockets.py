"""Which IPv6 sockets does a machine have open? /proc/net/tcp6 and /proc/net/udp6."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address

from pytest_v6probe.result import Endpoint

TCP6_PATH, UDP6_PATH = "/proc/net/tcp6", "/proc/net/udp6"

_STATES = {  # include/net/tcp_states.h
    1: "established", 2: "syn-sent", 3: "syn-recv", 4: "fin-wait-1", 5: "fin-wait-2", 6: "time-wait",
    7: "closed", 8: "close-wait", 9: "last-ack", 10: "listen", 11: "closing", 12: "syn-recv",
}  # fmt: skip
_UDP_STATES = {1: "connected", 7: "unconnected"}
_FIELDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """One socket. *state* is as `ss` names it, lower case; a UDP socket is ``connected`` or
    ``unconnected``.
    """

    local: Endpoint
    remote: Endpoint
    state: str
    uid: int
    inode: int


def read_tcp6(text: str) -> tuple[Socket, ...]:
    """The sockets of /proc/net/tcp6. Raises ValueError for another format."""
    return _read(text, _STATES)


def read_udp6(text: str) -> tuple[Socket, ...]:
    """The sockets of /proc/net/udp6. Raises ValueError for another format."""
    return _read(text, _UDP_STATES)


def _read(text: str, states: dict[int, str]) -> tuple[Socket, ...]:
    return tuple(_socket(line.split(), states) for line in text.splitlines()[1:] if line.strip())


def _socket(fields: list[str], states: dict[int, str]) -> Socket:
    if len(fields) < _FIELDS:
        raise ValueError(f"not a line of /proc/net/tcp6 or udp6: {' '.join(fields)[:80]!r}")
    state = int(fields[3], 16)
    return Socket(
        local=_endpoint(fields[1]),
        remote=_endpoint(fields[2]),
        state=states.get(state, str(state)),
        uid=int(fields[7]),
        inode=int(fields[9]),
    )


def _endpoint(field: str) -> Endpoint:
    """``00000000000000000000000001000000:0016`` is [::1]:22: four words in the machine's
    (little-endian) order.
    """
    words, colon, port = field.partition(":")
    if len(words) != 32 or not colon:  # the hexadecimal digits of an address
        raise ValueError(f"not an address and port: {field[:60]!r}")
    octets = struct.pack(">4I", *struct.unpack("<4I", bytes.fromhex(words)))
    return Endpoint(IPv6Address(octets), int(port, 16))
