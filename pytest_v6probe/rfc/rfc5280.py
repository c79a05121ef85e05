"""Whose is a certificate, who issued it, and until when is it good? X.509 in DER (RFC 5280 §4.1).

It only reads out three fields: whether a certificate is to be trusted, TLS says at the vantage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

MAX_BYTES: Final = 65536

_SEQUENCE, _SET, _EXPLICIT_0 = 0x30, 0x31, 0xA0  # X.690 §8.9, §8.11, §8.14
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_COMMON_NAME = bytes((0x06, 0x03, 0x55, 0x04, 0x03))  # id-at-commonName, 2.5.4.3
_ORGANISATION = bytes((0x06, 0x03, 0x55, 0x04, 0x0A))  # id-at-organizationName, 2.5.4.10
_MAX_CHARACTERS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What one certificate says of itself. A name is the common name, else the organisation's."""

    subject: str
    issuer: str
    expires: datetime


def parse(der: bytes) -> Certificate:
    """Read a certificate. Raises ValueError."""
    if len(der) > MAX_BYTES:
        raise ValueError(f"a certificate of {len(der)} octets")
    parts = _inside(der, _SEQUENCE)
    fields = _inside(parts[0][1], _SEQUENCE) if parts else []
    if fields and fields[0][0] == _EXPLICIT_0:  # §4.1.2.1: the version is there unless it is 1
        fields = fields[1:]
    if len(fields) < 5:
        raise ValueError("a certificate with too few fields")
    _serial, _algorithm, issuer, validity, subject = fields[:5]
    times = _inside(validity[1], _SEQUENCE)
    if len(times) != 2:
        raise ValueError("a validity is two times (§4.1.2.5)")
    return Certificate(
        subject=_name(subject[1]), issuer=_name(issuer[1]), expires=_time(*_value(times[1][1]))
    )


def _name(der: bytes) -> str:
    found: dict[bytes, str] = {}
    for _, group in _inside(der, _SEQUENCE):
        for _, pair in _inside(group, _SET):
            parts = _inside(pair, _SEQUENCE)
            if len(parts) == 2:
                _, text = _value(parts[1][1])
                found.setdefault(parts[0][1], text.decode("utf-8", "replace"))
    name = found.get(_COMMON_NAME) or found.get(_ORGANISATION) or ""
    return "".join(c for c in name[:_MAX_CHARACTERS] if c.isprintable())


def _time(kind: int, value: bytes) -> datetime:
    """§4.1.2.5.1: two digits of a year below 50 are of this century."""
    text = value.decode("ascii", "replace")
    if kind == _UTC_TIME and len(text) == 13:
        text = ("20" if text[:2] < "50" else "19") + text
    if kind not in {_UTC_TIME, _GENERALIZED_TIME} or len(text) != 15 or not text.endswith("Z"):
        raise ValueError(f"{text[:20]!r} is not a time of a certificate")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _inside(der: bytes, kind: int) -> list[tuple[int, bytes]]:
    """The elements in the constructed one that *der* begins with, each whole with its tag."""
    tag, value = _value(der)
    if tag != kind:
        raise ValueError(f"tag {tag:#x} where {kind:#x} is wanted")
    found, at = [], 0
    while at < len(value):
        end = _ends(value, at)[1]
        found.append((value[at], value[at:end]))
        at = end
    return found


def _value(der: bytes) -> tuple[int, bytes]:
    begins, ends = _ends(der, 0)
    return der[0], der[begins:ends]


def _ends(der: bytes, at: int) -> tuple[int, int]:
    """Where the value of the element at *at* begins and ends (X.690 §8.1.3, definite lengths)."""
    if len(der) < at + 2:
        raise ValueError("DER ends inside an element")
    length, begins = der[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("a length that DER does not have")
        length, begins = int.from_bytes(der[begins : begins + count], "big"), begins + count
    if begins + length > len(der):
        raise ValueError("DER ends inside an element")
    return begins, begins + length
