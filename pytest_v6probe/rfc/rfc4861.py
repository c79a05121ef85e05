"""What does a router advertise? RFC 4861 §4, with RFC 4191, RFC 8106 and RFC 8781; pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Final

from pytest_v6probe.rfc.rfc1035_wire import MAX_LABEL_OCTETS, MAX_NAME_OCTETS, name_text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTER_ADVERTISEMENT: Final = 134  # RFC 4861 §4.2
HOP_LIMIT: Final = 255  # RFC 4861 §6.1: what no router has forwarded

_FIXED_BYTES = 16
_LINK_LAYER_ADDRESS, _PREFIX, _MTU = 1, 3, 5  # RFC 4861 §4.6
_RDNSS, _DNSSL, _PREF64 = 25, 31, 38  # RFC 8106 §5, RFC 8781 §4
_PREFERENCES = ("medium", "high", "medium", "low")  # RFC 4191 §2.1: 10 is read as 00
_PREF64_LENGTHS_BITS = (96, 64, 56, 48, 40, 32)  # RFC 8781 §4: by prefix length code


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixInformation:
    """A prefix option (RFC 4861 §4.6.2). A lifetime of 2³²-1 does not end."""

    prefix: IPv6Network
    on_link: bool
    autonomous: bool
    valid_s: int
    preferred_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pref64:
    """A NAT64 prefix (RFC 8781 §4). A lifetime of 0 takes it back."""

    prefix: IPv6Network
    lifetime_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the options of a message say, name servers and search names of lifetime 0 left out.

    *link_layer_address* is the router's, as octets in hexadecimal with colons; None: not given.
    """

    prefixes: tuple[PrefixInformation, ...] = ()
    mtu: int | None = None
    rdnss: tuple[IPv6Address, ...] = ()
    dnssl: tuple[str, ...] = ()
    pref64: tuple[Pref64, ...] = ()
    link_layer_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterAdvertisement:
    """One valid router advertisement. *lifetime_s* 0: *router* is no default router.

    *hop_limit*, *reachable_ms* and *retransmit_ms* are what hosts shall use; 0: not said.
    *preference* is ``low``, ``medium`` or ``high`` (RFC 4191 §2.2).
    """

    router: IPv6Address
    hop_limit: int
    managed: bool
    other: bool
    preference: str
    lifetime_s: int
    reachable_ms: int
    retransmit_ms: int
    options: Options


def parse_advertisement(
    octets: bytes, *, source: IPv6Address, hop_limit: int
) -> RouterAdvertisement:
    """Read an ICMPv6 message, from its type on, that came from *source* with *hop_limit*.

    Raises ValueError where RFC 4861 §6.1.2 wants it discarded, the checksum excepted: the kernel
    has verified that.
    """
    if len(octets) < _FIXED_BYTES or octets[0] != ROUTER_ADVERTISEMENT or octets[1] != 0:
        raise ValueError(f"not a router advertisement: {octets[:4].hex()}…, {len(octets)} octets")
    if not source.is_link_local:
        raise ValueError(f"a router advertisement from {source}, which is not link-local")
    if hop_limit != HOP_LIMIT:
        raise ValueError(f"a router advertisement with hop limit {hop_limit}, not 255: forwarded")
    flags = octets[5]
    lifetime_s = _number(octets, 6, 2)
    return RouterAdvertisement(
        router=source,
        hop_limit=octets[4],
        managed=bool(flags & 0x80),
        other=bool(flags & 0x40),
        # RFC 4191 §2.2: without a lifetime the preference is ignored
        preference=_PREFERENCES[flags >> 3 & 3] if lifetime_s else "medium",
        lifetime_s=lifetime_s,
        reachable_ms=_number(octets, 8, 4),
        retransmit_ms=_number(octets, 12, 4),
        options=parse_options(octets[_FIXED_BYTES:]),
    )


def parse_options(octets: bytes) -> Options:
    """Read the options of a message.

    An option that its RFC wants ignored (unknown, wrong length, reserved code) is. Raises
    ValueError for an option of length zero or one that ends behind the octets (RFC 4861 §4.6).
    """
    prefixes, rdnss, dnssl, pref64 = [], [], [], []
    mtu, link_layer_address = None, None
    for kind, option in _options(octets):
        if kind == _PREFIX and len(option) == 32 and option[2] <= 128:  # RFC 4861 §4.6.2
            prefixes.append(_prefix(option))
        elif kind == _MTU and len(option) == 8:  # RFC 4861 §4.6.4
            mtu = _number(option, 4, 4)
        elif kind == _LINK_LAYER_ADDRESS:
            link_layer_address = option[2:].hex(":")
        elif kind == _RDNSS:
            rdnss += _name_servers(option)
        elif kind == _DNSSL:
            dnssl += _search_names(option)
        elif kind == _PREF64 and len(option) == 16:  # RFC 8781 §4
            pref64 += _pref64(option)
    return Options(
        prefixes=tuple(prefixes),
        mtu=mtu,
        rdnss=tuple(dict.fromkeys(rdnss)),
        dnssl=tuple(dict.fromkeys(dnssl)),
        pref64=tuple(pref64),
        link_layer_address=link_layer_address,
    )


def _options(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(octets):
        length = octets[at + 1] * 8 if at + 1 < len(octets) else 0
        if not length:
            raise ValueError(f"an option of length zero at octet {at}")
        if at + length > len(octets):
            raise ValueError(f"the octets end at {len(octets)}, an option in them at {at + length}")
        yield octets[at], octets[at : at + length]
        at += length


def _prefix(option: bytes) -> PrefixInformation:
    return PrefixInformation(
        prefix=_network(option[16:], option[2]),
        on_link=bool(option[3] & 0x80),
        autonomous=bool(option[3] & 0x40),
        valid_s=_number(option, 4, 4),
        preferred_s=_number(option, 8, 4),
    )


def _name_servers(option: bytes) -> list[IPv6Address]:
    """RFC 8106 §5.1, §5.3.1: at least one address, whole ones only; lifetime 0 takes them back."""
    whole = len(option) >= 24 and len(option) % 16 == 8  # 3, 5, 7, … units
    if not whole or not _number(option, 4, 4):
        return []
    return [IPv6Address(option[at : at + 16]) for at in range(8, len(option), 16)]


def _search_names(option: bytes) -> list[str]:
    """RFC 8106 §5.2, §5.3.1: names without compression, then zeros; a malformed one voids all."""
    if len(option) < 16 or not _number(option, 4, 4):  # two units at least
        return []
    names, labels, at = [], [], 8
    while at < len(option):
        length = option[at]
        at += 1
        if length:
            labels.append(option[at : at + length])
            at += length
            octets = sum(map(len, labels)) + len(labels) + 1
            if length > MAX_LABEL_OCTETS or octets > MAX_NAME_OCTETS:
                return []
        elif labels:
            names.append(name_text(labels))
            labels = []
    return [] if labels else names


def _pref64(option: bytes) -> list[Pref64]:
    """RFC 8781 §4: 13 bits of lifetime in units of 8 s, then 3 bits of prefix length code."""
    scaled = _number(option, 2, 2)
    code = scaled & 7
    if code >= len(_PREF64_LENGTHS_BITS):  # RFC 8781 §4: reserved codes are ignored
        return []
    return [
        Pref64(
            prefix=_network(option[4:] + bytes(4), _PREF64_LENGTHS_BITS[code]),
            lifetime_s=scaled & 0xFFF8,
        )
    ]


def _network(octets: bytes, length_bits: int) -> IPv6Network:
    """Bits behind the prefix are the sender's mistake or reserved, and ignored."""
    return IPv6Network((int.from_bytes(octets, "big"), length_bits), strict=False)


def _number(octets: bytes, at: int, size: int) -> int:
    return int.from_bytes(octets[at : at + size], "big")
