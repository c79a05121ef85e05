"""What does a DNS message say? Queries made and answers read (RFC 1035, 3596, 6891); pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

from pytest_v6probe.rfc.rfc1035_wire import (
    HEADER,
    RECORD,
    TYPES,
    Cut,
    encode_name,
    read_name,
    skip_name,
    type_name,
    type_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.result import Address

RCODES: Final = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    6: "YXDOMAIN",
    7: "YXRRSET",
    8: "NXRRSET",
    9: "NOTAUTH",
    10: "NOTZONE",
    11: "DSOTYPENI",
    16: "BADVERS",
    17: "BADKEY",
    18: "BADTIME",
    19: "BADMODE",
    20: "BADNAME",
    21: "BADALG",
    22: "BADTRUNC",
    23: "BADCOOKIE",
}
"""Response codes as IANA lists them, the extended ones of RFC 6891 §6.1.3 included."""

_A, _CNAME, _AAAA, _OPT = TYPES["A"], TYPES["CNAME"], TYPES["AAAA"], TYPES["OPT"]
_IN = 1
_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _DESIRED = 0x8000, 0x0400, 0x0200, 0x0100
_AUTHENTIC, _OPCODE, _RCODE = 0x0020, 0x7800, 0x000F
_QUESTION_MAY_LACK = frozenset({1, 2, 4, 5})  # a server that could not read it cannot repeat it
_NAMED: Final = {
    TYPES[name]: leading
    for name, leading in (  # octets before the name in the data
        ("NS", 0),
        ("CNAME", 0),
        ("PTR", 0),
        ("DNAME", 0),
        ("MX", 2),
        ("SRV", 6),
    )
}
_SOA_NUMBERS = 20
_BY_DNSPYTHON = frozenset(
    TYPES[name]
    for name in (
        "TXT",
        "NAPTR",
        "DS",
        "SSHFP",
        "RRSIG",
        "NSEC",
        "DNSKEY",
        "NSEC3",
        "TLSA",
        "CDS",
        "CDNSKEY",
        "SVCB",
        "HTTPS",
        "CAA",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of an answer. *name* is in lower case, without the last dot.

    *address* is that of an A or AAAA record. *target* is, of every other one, its data as a master
    file writes it, names in lower case without the last dot (RFC 3597 §5's form if unknown here).
    """

    name: str
    type: str
    ttl_s: int
    address: Address | None = None
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One response. *rcode* is ``NOERROR``, ``NXDOMAIN``, … or ``RCODE`` and a number.

    *edns_bytes* is the UDP payload size that the server announces; None: it sent no OPT record.
    """

    id: int
    rcode: str
    truncated: bool
    authoritative: bool
    authentic: bool
    question_name: str
    question_type: str
    answers: tuple[Record, ...]
    size_bytes: int
    edns_bytes: int | None = None

    @property
    def aliases(self) -> tuple[str, ...]:
        """The names that the CNAME chain leads to from the question, in order; a loop ends it."""
        targets: dict[str, str] = {}
        for record in self.answers:
            if record.type == "CNAME":
                targets.setdefault(record.name, record.target)
        names, name = [], self.question_name
        while (target := targets.pop(name, None)) is not None:
            names.append(target)
            name = target
        return tuple(names)

    @property
    def addresses(self) -> frozenset[Address]:
        """The addresses of the queried type that the question's name, or its alias, has."""
        names = {self.question_name, *self.aliases}
        return frozenset(
            record.address
            for record in self.answers
            if record.address is not None
            and record.type == self.question_type
            and record.name in names
        )


def query(
    name: str,
    rtype: str,
    *,
    id: int | None = None,  # noqa: A002  the field's own name
    edns_bytes: int | None = 1232,
) -> bytes:
    """A recursive query for *name*. Neither CD nor DO is set: RFC 6147 §5.5 synthesises then.

    *id* defaults to a random one. *edns_bytes* is the UDP payload size to announce (RFC 6891
    §6.2.3); None sends no OPT record. Raises ValueError for a name or type that cannot be asked.
    """
    if id is None:
        id = secrets.randbelow(0x10000)  # noqa: A001  the field's own name
    question = encode_name(name) + type_number(rtype).to_bytes(2, "big") + b"\0\1"
    if edns_bytes is None:
        return HEADER.pack(id, _DESIRED, 1, 0, 0, 0) + question
    option = b"\0" + RECORD.pack(_OPT, edns_bytes, 0, 0)  # RFC 6891 §6.1.2
    return HEADER.pack(id, _DESIRED, 1, 0, 0, 1) + question + option


def parse(octets: bytes, *, asked: bytes) -> Message:
    """Read the response *octets* to the query *asked* (as `query` made it).

    A message with TC set may end anywhere (RFC 2181 §9): what is whole in it is kept. Raises
    ValueError where the octets are no DNS message, not a response, or answer something else.
    """
    if len(octets) < HEADER.size:
        raise Cut(f"{len(octets)} octets are too few for a DNS header")
    number, flags, questions, answers, authorities, additionals = HEADER.unpack_from(octets)
    name, question_type, at = _question(octets, asked, flags, questions)
    records: list[Record] = []
    option: list[tuple[int, int]] = []
    try:
        for record, end in _answers(octets, at, answers):
            records.append(record)
            at = end
        at = _rest(octets, at, authorities, additionals, option)
        if at != len(octets):
            raise ValueError(f"{len(octets) - at} octets follow the end of the message")
    except Cut:
        if not flags & _TRUNCATED:
            raise
    edns_bytes, extended = option[0] if option else (None, 0)
    rcode = extended << 4 | flags & _RCODE
    return Message(
        id=number,
        rcode=RCODES.get(rcode) or f"RCODE{rcode}",
        truncated=bool(flags & _TRUNCATED),
        authoritative=bool(flags & _AUTHORITATIVE),
        authentic=bool(flags & _AUTHENTIC),
        question_name=name,
        question_type=question_type,
        answers=tuple(records),
        size_bytes=len(octets),
        edns_bytes=edns_bytes,
    )


def _question(octets: bytes, asked: bytes, flags: int, questions: int) -> tuple[str, str, int]:
    """The name and type that were asked, and where the answers begin. Raises ValueError."""
    end = skip_name(asked, HEADER.size) + 4
    name = read_name(asked, HEADER.size, {})[0]
    question_type = type_name(int.from_bytes(asked[end - 4 : end - 2], "big"))
    if octets[:2] != asked[:2]:
        raise ValueError(f"the id is {octets[:2].hex()}, that of the query {asked[:2].hex()}")
    if not flags & _RESPONSE or flags & _OPCODE:
        raise ValueError("the message is not the response to a query")
    if questions == 0 and flags & _RCODE in _QUESTION_MAY_LACK:
        return name, question_type, HEADER.size
    ours, theirs = asked[HEADER.size : end], octets[HEADER.size : end]
    same = theirs == ours or (theirs[:-4].lower() == ours[:-4].lower() and theirs[-4:] == ours[-4:])
    if questions != 1 or not same:
        raise ValueError(
            f"answers another question: {_asked_there(octets, questions)}"
            f" instead of {name} {question_type}"
        )
    return name, question_type, end


def _asked_there(octets: bytes, questions: int) -> str:
    if questions != 1:
        return f"{questions} of them"
    name, end = read_name(octets, HEADER.size, {})
    return f"{name} {type_name(int.from_bytes(octets[end : end + 2], 'big'))}"


def _answers(octets: bytes, at: int, count: int) -> Iterator[tuple[Record, int]]:
    """Each record of the answer section and where it ends."""
    known: dict[int, str] = {}
    size = len(octets)
    for _ in range(count):
        name, at = read_name(octets, at, known)
        start = at + RECORD.size
        if start > size:
            raise Cut(f"the octets end at {size}, inside a record")
        number, rclass, ttl_s, length = RECORD.unpack_from(octets, at)
        at = start + length
        if at > size:
            raise Cut(f"the octets end at {size}, inside a record that ends at {at}")
        address: Address | None = None
        target = ""
        if number == _AAAA and rclass == _IN:
            address = IPv6Address(_exactly(octets[start:at], 16))
        elif number == _A and rclass == _IN:
            address = IPv4Address(_exactly(octets[start:at], 4))
        else:
            target = _text(number, octets, start, at, known)
        yield (
            Record(
                name=name,
                type=type_name(number),
                address=address,
                target=target,
                ttl_s=ttl_s if ttl_s < 1 << 31 else 0,
            ),
            at,
        )  # RFC 2181 §8


def _rest(
    octets: bytes, at: int, authorities: int, additionals: int, option: list[tuple[int, int]]
) -> int:
    """Skip the other sections, noting payload size and rcode of OPT; where the message ends."""
    size = len(octets)
    for position in range(authorities + additionals):
        at = skip_name(octets, at)
        if at + RECORD.size > size:
            raise Cut(f"the octets end at {size}, inside a record")
        number, rclass, ttl_s, length = RECORD.unpack_from(octets, at)
        if number == _OPT and position >= authorities:
            option.append((rclass, ttl_s >> 24))  # RFC 6891 §6.1.3
        at += RECORD.size + length
        if at > size:
            raise Cut(f"the octets end at {size}, inside a record that ends at {at}")
    return at


def _exactly(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise ValueError(f"an address of {len(data)} octets where {length} belong")
    return data


def _text(number: int, octets: bytes, start: int, end: int, known: dict[int, str]) -> str:
    """The data of a record as a master file writes it. Raises ValueError."""
    if number in _NAMED or number == TYPES["SOA"]:
        leading = _NAMED.get(number, 0)
        words = [
            str(int.from_bytes(octets[at : at + 2], "big"))
            for at in range(start, start + leading, 2)
        ]
        name, at = read_name(octets, start + leading, known)
        words.append(name)
        if number == TYPES["SOA"]:
            name, at = read_name(octets, at, known)
            words += [
                name,
                *(
                    str(int.from_bytes(octets[place : place + 4], "big"))
                    for place in range(at, at + _SOA_NUMBERS, 4)
                ),
            ]
            at += _SOA_NUMBERS
        if at != end:
            raise ValueError(f"the data of a {type_name(number)} record ends at {at}, not {end}")
        return " ".join(words)
    data = octets[start:end]
    if number in _BY_DNSPYTHON:
        return _text_by_dnspython(number, data)
    return f"\\# {len(data)} {data.hex()}".rstrip()  # RFC 3597 §5


def _text_by_dnspython(number: int, data: bytes) -> str:
    """Names in *data* are whole, as RFC 3597 §4 wants: a pointer out of it is an error."""
    from dns import rdata, rdataclass, rdatatype  # noqa: PLC0415  loads on first use

    try:
        kind = rdatatype.RdataType.make(number)
        return rdata.from_wire(rdataclass.IN, kind, data, 0, len(data)).to_text()
    except Exception as why:
        raise ValueError(f"the data of a {type_name(number)} record: {why!r}") from why
