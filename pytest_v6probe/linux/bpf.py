"""Which packets does the kernel hand to a capture? A classic BPF program for addresses and ports.

For an AF_PACKET socket of type SOCK_DGRAM: the program sees a packet from its IP header on
(packet(7)); the instruction set is that of linux/filter.h and linux/bpf_common.h. Pure.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_v6probe.result import Address

MAX_ADDRESSES: Final = 128
"""With 32 ports that is less than the kernel takes (BPF_MAXINSNS, 4096)."""
MAX_PORTS: Final = 32

LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30  # BPF_LD | size | BPF_ABS
LOAD_HALF_INDEXED = 0x48  # BPF_LD | BPF_H | BPF_IND
LOAD_X_HEADER = 0xB1  # BPF_LDX | BPF_B | BPF_MSH: four times the low nibble of an octet
JUMP, JUMP_EQUAL, JUMP_SET = 0x05, 0x15, 0x45
RETURN = 0x06
ANCILLARY_PROTOCOL = 0xFFFFF000  # SKF_AD_OFF + SKF_AD_PROTOCOL
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
TAKEN, LEFT = "taken", "left"
ALL_OCTETS: Final = 0x40000

_IPV6_NEXT_HEADER, _IPV6_ADDRESSES, _IPV6_PORTS = 6, (8, 24), (40, 42)  # RFC 8200 §3
_IPV4_FRAGMENT, _IPV4_PROTOCOL, _IPV4_ADDRESSES = 6, 9, (12, 16)  # RFC 791 §3.1
_TCP, _UDP, _FRAGMENT = 6, 17, 44
_FRAGMENT_OFFSET = 0x1FFF
_INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter, in the order of the vantage's octets


NOTHING: Final = _INSTRUCTION.pack(RETURN, 0, 0, 0)
"""A filter that takes no packet."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One instruction. *skip* is how many follow that a comparison which fails passes over;
    *target* is where an unconditional jump leads, which may be far: a label.
    """

    code: int
    k: int = 0
    skip: int = 0
    target: str = ""
    label: str = ""


def program(addresses: Iterable[Address] = (), ports: Collection[int] = ()) -> bytes:
    """A filter that takes IP packets from or to any of *addresses* (of all, if there are none),
    and of TCP and UDP those from or to any of *ports* (if there are any, nothing but TCP and UDP).

    Fragments, whose ports cannot be told, are taken. Raises ValueError for too many of either.
    """
    peers = list(dict.fromkeys(addresses))
    if len(peers) > MAX_ADDRESSES or len(ports) > MAX_PORTS:
        raise ValueError(
            f"{len(peers)} addresses and {len(ports)} ports, where a filter takes "
            f"{MAX_ADDRESSES} and {MAX_PORTS}"
        )
    if any(not 0 < port <= 0xFFFF for port in ports):
        raise ValueError(f"not all of {sorted(ports)} are ports")
    v6 = [x for x in peers if isinstance(x, IPv6Address)]
    v4 = [x for x in peers if isinstance(x, IPv4Address)]
    return _assembled(
        [
            _Step(LOAD_HALF, ANCILLARY_PROTOCOL),
            *_if(ETHERTYPE[6], "v6"),
            *_if(ETHERTYPE[4], "v4"),
            _Step(JUMP, target=LEFT),
            *_addresses("v6", v6, _IPV6_ADDRESSES, everything=not peers),
            *_ports_v6(ports),
            *_addresses("v4", v4, _IPV4_ADDRESSES, everything=not peers),
            *_ports_v4(ports),
            _Step(RETURN, ALL_OCTETS, label=TAKEN),
            _Step(RETURN, 0, label=LEFT),
        ]
    )


def _if(value: int, target: str, *, code: int = JUMP_EQUAL) -> list[_Step]:
    """Go to *target* if what was loaded is *value*."""
    return [_Step(code, value, skip=1), _Step(JUMP, target=target)]


def _addresses(
    family: str, peers: Sequence[Address], offsets: tuple[int, int], *, everything: bool
) -> list[_Step]:
    """Go on with the ports if either address is one of *peers*."""
    ports = f"{family}-ports"
    if everything or not peers:
        return [_Step(JUMP, target=ports if everything else LEFT, label=family)]
    steps = [_Step(LOAD_BYTE, 0, label=family)]
    for peer in peers:
        words = struct.unpack(f"!{len(peer.packed) // 4}I", peer.packed)
        for offset in offsets:
            for at, word in enumerate(words):
                left = 2 * (len(words) - 1 - at) + 1
                steps += [_Step(LOAD_WORD, offset + 4 * at), _Step(JUMP_EQUAL, word, skip=left)]
            steps.append(_Step(JUMP, target=ports))
    return [*steps, _Step(JUMP, target=LEFT)]


def _ports_v6(ports: Collection[int]) -> list[_Step]:
    if not ports:
        return [_Step(JUMP, target=TAKEN, label="v6-ports")]
    steps = [
        _Step(LOAD_BYTE, _IPV6_NEXT_HEADER, label="v6-ports"),
        *_if(_FRAGMENT, TAKEN),
        *_if(_TCP, "v6-transport"),
        *_if(_UDP, "v6-transport"),
        _Step(JUMP, target=LEFT),
        _Step(LOAD_HALF, _IPV6_PORTS[0], label="v6-transport"),
        *(step for port in ports for step in _if(port, TAKEN)),
        _Step(LOAD_HALF, _IPV6_PORTS[1]),
        *(step for port in ports for step in _if(port, TAKEN)),
    ]
    return [*steps, _Step(JUMP, target=LEFT)]


def _ports_v4(ports: Collection[int]) -> list[_Step]:
    if not ports:
        return [_Step(JUMP, target=TAKEN, label="v4-ports")]
    steps = [
        _Step(LOAD_BYTE, _IPV4_PROTOCOL, label="v4-ports"),
        *_if(_TCP, "v4-transport"),
        *_if(_UDP, "v4-transport"),
        _Step(JUMP, target=LEFT),
        _Step(LOAD_HALF, _IPV4_FRAGMENT, label="v4-transport"),
        *_if(_FRAGMENT_OFFSET, TAKEN, code=JUMP_SET),
        _Step(LOAD_X_HEADER, 0),
        _Step(LOAD_HALF_INDEXED, 0),
        *(step for port in ports for step in _if(port, TAKEN)),
        _Step(LOAD_HALF_INDEXED, 2),
        *(step for port in ports for step in _if(port, TAKEN)),
    ]
    return [*steps, _Step(JUMP, target=LEFT)]


def _assembled(steps: Sequence[_Step]) -> bytes:
    """Turn labels into distances."""
    places = {step.label: at for at, step in enumerate(steps) if step.label}
    octets = b""
    for at, step in enumerate(steps):
        k = places[step.target] - at - 1 if step.target else step.k
        octets += _INSTRUCTION.pack(step.code, 0, step.skip, k)
    return octets
