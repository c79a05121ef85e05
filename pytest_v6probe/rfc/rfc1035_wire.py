"""How do names and record data lie in a DNS message? RFC 1035 §3.1, §4.1 and §5.1, both ways.

Everything here reads hostile octets: each function ends after a bounded number of steps and
raises nothing but ValueError (`Cut` where the octets end too early).
"""

from __future__ import annotations

import struct
from typing import Final

TYPES: Final = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "NAPTR": 35,
    "DNAME": 39,
    "OPT": 41,
    "DS": 43,
    "SSHFP": 44,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "NSEC3": 50,
    "TLSA": 52,
    "CDS": 59,
    "CDNSKEY": 60,
    "SVCB": 64,
    "HTTPS": 65,
    "ANY": 255,
    "CAA": 257,
}
"""Record types by name, as IANA lists them; every other one is written ``TYPE`` and its number."""

MAX_NAME_OCTETS: Final = 255  # RFC 1035 §2.3.4, the length octets and the root's included
MAX_LABEL_OCTETS: Final = 63  # RFC 1035 §2.3.4
MAX_POINTERS: Final = 127  # no name has more labels, and a pointer must lead to one
POINTER: Final = 0xC0  # RFC 1035 §4.1.4: the two high bits of a pointer's first octet
HEADER: Final = struct.Struct(">6H")  # RFC 1035 §4.1.1
RECORD: Final = struct.Struct(">HHIH")  # RFC 1035 §4.1.3: type, class, TTL, RDLENGTH

_NAMES = {number: name for name, number in TYPES.items()}
_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789-_.*/:+="
_QUOTED = frozenset(b'"().;\\@$')  # RFC 1035 §5.1 gives these a meaning in a master file
_DECIMAL_DIGITS = 3  # RFC 1035 §5.1: \DDD


class Cut(ValueError):
    """The octets end in the middle of what they announce."""


def type_number(name: str) -> int:
    """The number of a record type: ``AAAA`` is 28, ``TYPE28`` too. Raises ValueError."""
    number = TYPES.get(name)
    if number is None:
        digits = name.removeprefix("TYPE")
        if digits == name or not (digits.isascii() and digits.isdigit()) or int(digits) > 0xFFFF:
            raise ValueError(f"no such record type: {name!r} (RFC 3597 §5 writes TYPE123)")
        number = int(digits)
    return number


def type_name(number: int) -> str:
    """The name of a record type: 28 is ``AAAA``; one without a name here is ``TYPE123``."""
    return _NAMES.get(number) or f"TYPE{number}"


def encode_name(name: str) -> bytes:
    r"""The octets of *name*, which may end in a dot and have ``\.`` and ``\DDD`` (RFC 1035 §5.1).

    Raises ValueError for an empty or overlong name or label, and for a character that no name has.
    """
    if not name.isascii() or not name.isprintable() or " " in name:
        raise ValueError(f"not a DNS name (an IDN is written xn--…): {name!r}")
    if name == ".":
        return b"\0"
    if "\\" in name:
        labels = _unescaped(name)
    else:
        labels = name.encode("ascii").removesuffix(b".").split(b".")
    wire = bytearray()
    for label in labels:
        if not 0 < len(label) <= MAX_LABEL_OCTETS:
            raise ValueError(f"a label of {len(label)} octets in the name {name!r}: 1 to 63 can be")
        wire.append(len(label))
        wire += label
    if len(wire) >= MAX_NAME_OCTETS:
        raise ValueError(f"the name has {len(wire) + 1} octets, more than 255: {name[:64]!r}…")
    wire.append(0)
    return bytes(wire)


def read_name(octets: bytes, at: int, known: dict[int, str]) -> tuple[str, int]:
    """The name at *at*, in lower case without the last dot (the root is ``.``), and its end.

    *known* holds what pointers of this message were seen to mean: one dict a message, empty at
    first. Raises ValueError.
    """
    try:
        first = octets[at]
        if first < POINTER:
            return _walk(octets, at)
        target = (first & 0x3F) << 8 | octets[at + 1]
    except IndexError:
        raise Cut(f"the octets end at {len(octets)}, inside a name") from None
    if target >= at:  # RFC 1035 §4.1.4: a pointer leads to a prior occurrence
        raise ValueError(f"a compression pointer at octet {at} leads forward, to {target}")
    name = known.get(target)
    if name is None:
        try:
            name = known[target] = _walk(octets, target)[0]
        except IndexError:
            raise Cut(f"the octets end at {len(octets)}, inside a name") from None
    return name, at + 2


def skip_name(octets: bytes, at: int) -> int:
    """Where the name at *at* ends, its pointer not followed. Raises ValueError."""
    try:
        while length := octets[at]:
            if length > MAX_LABEL_OCTETS:
                if length < POINTER:
                    raise ValueError(f"octet {at} is neither a label's length nor a pointer")
                return at + 2
            at += length + 1
    except IndexError:
        raise Cut(f"the octets end at {len(octets)}, inside a name") from None
    return at + 1


def label_text(label: bytes) -> str:
    r"""One label as text, in lower case, with ``\.`` and ``\DDD`` where RFC 1035 §5.1 wants it."""
    return "".join(
        f"\\{chr(octet)}"
        if octet in _QUOTED
        else chr(octet)
        if 0x20 < octet < 0x7F  # what ASCII prints
        else f"\\{octet:03d}"
        for octet in label.lower()
    )


def name_text(labels: list[bytes]) -> str:
    """The text of a name, in lower case, without the last dot; the root is ``.``."""
    text = b".".join(labels).lower()
    if text.translate(None, _PLAIN) or text.count(b".") >= len(labels):
        return ".".join(map(label_text, labels)) or "."
    return text.decode("ascii")


def _walk(octets: bytes, at: int) -> tuple[str, int]:
    """Follow labels and pointers from *at*. Raises IndexError where the octets end."""
    labels: list[bytes] = []
    room, pointers, end, limit = MAX_NAME_OCTETS - 1, 0, 0, at
    while length := octets[at]:
        if length <= MAX_LABEL_OCTETS:
            room -= length + 1
            if room < 0:
                raise ValueError("a name has more than 255 octets")
            at += length + 1
            labels.append(octets[at - length : at])
        elif length >= POINTER:
            target = (length & 0x3F) << 8 | octets[at + 1]
            pointers += 1
            if target >= limit or pointers > MAX_POINTERS:
                raise ValueError(f"the compression pointer at octet {at} makes a loop")
            end = end or at + 2
            at = limit = target
        else:  # RFC 6891 §5: 01 was the extended label, and is no more; 10 never was anything
            raise ValueError(f"octet {at} is neither a label's length nor a pointer")
    return name_text(labels), end or at + 1


def _unescaped(name: str) -> list[bytes]:
    labels, label, at = [], bytearray(), 0
    while at < len(name):
        character = name[at]
        at += 1
        if character == ".":
            labels.append(bytes(label))
            label.clear()
        elif character == "\\":
            digits = name[at : at + _DECIMAL_DIGITS]
            if digits[:1].isdigit():
                if len(digits) < _DECIMAL_DIGITS or not digits.isdigit() or int(digits) > 0xFF:
                    raise ValueError(f"\\{digits} is no octet, in the name {name!r}")
                label.append(int(digits))
                at += _DECIMAL_DIGITS
            elif digits:
                label += digits[0].encode("ascii")
                at += 1
            else:
                raise ValueError(f"the name ends in the middle of an escape: {name!r}")
        else:
            label += character.encode("ascii")
    return [*labels, bytes(label)] if label else labels
