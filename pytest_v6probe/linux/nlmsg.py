"""How is a netlink message framed? Headers, attributes and the kernel's refusals; nothing about
routing.

Integers are little-endian: netlink uses the byte order of the vantage, and v6probe runs on no
other.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE = 1, 2, 3  # linux/netlink.h
NLM_F_REQUEST, NLM_F_DUMP = 0x001, 0x300
ATTRIBUTE_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_HEADER = struct.Struct("<IHHII")
_ATTRIBUTE = struct.Struct("<HH")
_INT = struct.Struct("<i")


class Refused(ValueError):
    """The kernel answered a dump with an error. *code* is the errno's name."""

    def __init__(self, code: str, *, request: int) -> None:
        super().__init__(f"the kernel refused rtnetlink request {request}: {code}")
        self.code = code
        self.request = request


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One netlink message: its type, flags, sequence number, and what follows the header."""

    type: int
    flags: int
    sequence: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error the kernel sent: to which request, and the errno's name. *request* is 0 where it did
    not say.
    """

    request: int
    sequence: int
    dump: bool
    code: str


def request(kind: int, body: bytes, *, flags: int, sequence: int) -> bytes:
    """One request, complete with its header."""
    return _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST | flags, sequence, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four octets."""
    head = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind)
    return head + value + bytes(-len(value) % 4)


def messages(octets: bytes) -> Iterator[Message]:
    """Every message in *octets*, in order. Raises ValueError where one does not fit."""
    at = 0
    while at < len(octets):
        if len(octets) - at < _HEADER.size:
            raise ValueError(f"netlink header cut off at octet {at} of {len(octets)}")
        length, kind, flags, sequence, _ = _HEADER.unpack_from(octets, at)
        if length < _HEADER.size or at + length > len(octets):
            raise ValueError(
                f"netlink message at octet {at} says it has {length} octets of {len(octets) - at}"
            )
        body = octets[at + _HEADER.size : at + length]
        yield Message(type=kind, flags=flags, sequence=sequence, body=body)
        at += _aligned(length)


def attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Every attribute in *octets* as (type, value). Raises ValueError where one does not fit."""
    at = 0
    while at < len(octets):
        length, kind = unpack(_ATTRIBUTE, octets, at)
        if length < _ATTRIBUTE.size or at + length > len(octets):
            raise ValueError(
                f"netlink attribute at octet {at} says it has {length} octets of {len(octets) - at}"
            )
        yield kind & ATTRIBUTE_TYPE_MASK, octets[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)


def refusal(message: Message) -> Refusal | None:
    """What *message* refuses: an NLMSG_ERROR, or a dump that ended with an error. An
    acknowledgement is none.
    """
    if message.type == NLMSG_ERROR:
        (code,) = unpack(_INT, message.body)
        _, request_type, flags, sequence, _ = unpack(_HEADER, message.body, _INT.size)
        dump = flags & NLM_F_DUMP == NLM_F_DUMP
    elif message.type == NLMSG_DONE and message.body:
        (code,) = unpack(_INT, message.body)
        request_type, sequence, dump = 0, message.sequence, True
    else:
        return None
    if code >= 0:
        return None
    name = errno.errorcode.get(-code, str(-code))
    return Refusal(request=request_type, sequence=sequence, dump=dump, code=name)


def unpack(form: struct.Struct, octets: bytes, at: int = 0) -> tuple[Any, ...]:
    """`struct.unpack_from` that raises ValueError when *octets* are too few."""
    if len(octets) - at < form.size:
        raise ValueError(f"{form.size} octets wanted at octet {at} of {len(octets)}")
    return form.unpack_from(octets, at)


def _aligned(length: int) -> int:
    """*length* rounded up to netlink's four octets."""
    return (length + 3) & ~3
