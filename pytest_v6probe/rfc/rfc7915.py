"""How large is a packet behind a translator? Sizes and MTUs across IPv4 and IPv6 (RFC 7915)."""

from __future__ import annotations

from typing import Final

IPV6_HEADER_BYTES: Final = 40  # RFC 8200 §3
IPV4_HEADER_BYTES: Final = 20  # RFC 791 §3.1, without options
FRAGMENT_HEADER_BYTES: Final = 8  # RFC 8200 §4.5
MINIMUM_IPV6_MTU: Final = 1280  # RFC 8200 §5
MINIMUM_IPV4_MTU: Final = 68  # RFC 791 §3.2
SAFE_IPV4_BYTES: Final = 1260  # RFC 7915 §5.1: up to here DF is cleared

_GROWTH_BYTES = IPV6_HEADER_BYTES - IPV4_HEADER_BYTES
_MAX_PACKET_BYTES = 0xFFFF


def ipv6_octets(ipv4_octets: int, *, fragment_header: bool = False) -> int:
    """The size of the IPv6 packet that an IPv4 packet without options becomes (RFC 7915 §4.1).

    *ipv4_octets* is the IPv4 packet's total length. Raises ValueError for a size no packet has.
    """
    if not IPV4_HEADER_BYTES <= ipv4_octets <= _MAX_PACKET_BYTES:
        raise ValueError(f"no IPv4 packet has {ipv4_octets} octets")
    return ipv4_octets + _GROWTH_BYTES + (FRAGMENT_HEADER_BYTES if fragment_header else 0)


def ipv6_mtu(ipv4_mtu: int) -> int:
    """The MTU in the Packet Too Big that a translator makes of *ipv4_mtu* (RFC 7915 §4.2).

    Never below 1280, however small the IPv4 path is: see `needs_fragment_header` and
    `dont_fragment` for what carries larger packets there. Raises ValueError below 68.
    """
    if ipv4_mtu < MINIMUM_IPV4_MTU:
        raise ValueError(f"no IPv4 path has an MTU of {ipv4_mtu} octets: 68 is the least")
    return max(MINIMUM_IPV6_MTU, ipv4_mtu + _GROWTH_BYTES)


def ipv4_mtu(ipv6_mtu: int) -> int:
    """The MTU in the Fragmentation Needed that a translator makes of *ipv6_mtu* (RFC 7915 §5.2).

    Raises ValueError below 1280.
    """
    if ipv6_mtu < MINIMUM_IPV6_MTU:
        raise ValueError(f"no IPv6 path has an MTU of {ipv6_mtu} octets: 1280 is the least")
    return ipv6_mtu - _GROWTH_BYTES


def needs_fragment_header(
    ipv4_octets: int,
    *,
    dont_fragment: bool,
    fragment: bool = False,
    ipv6_mtu: int = MINIMUM_IPV6_MTU,
) -> bool:
    """Whether the IPv6 packet made of an IPv4 packet carries a Fragment header (RFC 7915 §4.1).

    It does if the IPv4 packet is itself a *fragment*, or if its DF flag is clear and it would not
    fit into *ipv6_mtu*, the least one of the IPv6 network. Raises ValueError as `ipv6_octets`.
    """
    return fragment or (ipv6_octets(ipv4_octets) > ipv6_mtu and not dont_fragment)


def dont_fragment(ipv6_octets: int) -> bool:
    """Whether DF is set in the IPv4 packet made of an IPv6 packet without a Fragment header.

    RFC 7915 §5.1: only above 1260 octets of IPv4, so that an IPv4 path with an MTU below 1260,
    which `ipv6_mtu` cannot announce, still carries what an IPv6 host sends at 1280.
    """
    return ipv6_octets - _GROWTH_BYTES > SAFE_IPV4_BYTES
