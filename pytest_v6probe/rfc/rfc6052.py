"""Which IPv4 address is inside an IPv6 address? IPv4-embedded addresses as RFC 6052 draws them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WELL_KNOWN_PREFIX = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
LOCAL_USE_PREFIX = IPv6Network("64:ff9b:1::/48")  # RFC 8215 §3
PREFIX_LENGTHS_BITS = (32, 40, 48, 56, 64, 96)  # RFC 6052 §2.2
U_OCTET = 8  # RFC 6052 §2.2: bits 64 to 71 stay zero


def slots(prefix_length_bits: int) -> tuple[int, ...]:
    """The positions of the four IPv4 octets in an address whose prefix has that length.

    Raises ValueError for a length that RFC 6052 §2.2 does not list.
    """
    try:
        return _SLOTS[prefix_length_bits]
    except KeyError:
        known = ", ".join(f"/{bits}" for bits in PREFIX_LENGTHS_BITS)
        raise ValueError(
            f"no IPv4 address is embedded behind a /{prefix_length_bits}: only behind {known}",
        ) from None


def embed(v4: IPv4Address, prefix: IPv6Network) -> IPv6Address:
    """Place *v4* inside *prefix*.

    Raises ValueError for a prefix that cannot carry one: a length that RFC 6052 §2.2 does not
    list, or a /96 whose bits 64 to 71 are not zero.
    """
    places = slots(prefix.prefixlen)
    octets = bytearray(prefix.network_address.packed)
    if octets[U_OCTET]:
        raise ValueError(f"bits 64 to 71 of the prefix {prefix} are not zero (RFC 6052 §2.2)")
    for place, octet in zip(places, v4.packed, strict=True):
        octets[place] = octet
    return IPv6Address(bytes(octets))


def extract(v6: IPv6Address, prefix: IPv6Network) -> IPv4Address:
    """The IPv4 address inside *v6*, which must lie in *prefix*. The suffix is ignored (§2.2).

    Raises ValueError if *v6* is outside *prefix*, if its bits 64 to 71 are not zero, or if
    *prefix* has a length that RFC 6052 §2.2 does not list.
    """
    places = slots(prefix.prefixlen)
    if v6 not in prefix:
        raise ValueError(f"{v6} is not in {prefix}")
    octets = v6.packed
    if octets[U_OCTET]:
        raise ValueError(f"bits 64 to 71 of {v6} are not zero (RFC 6052 §2.2)")
    return IPv4Address(bytes(octets[place] for place in places))


def prefix_of(v6: IPv6Address, prefixes: Iterable[IPv6Network]) -> IPv6Network | None:
    """The longest of *prefixes* that *v6* lies in; None if it lies in none of them."""
    holding = [prefix for prefix in prefixes if v6 in prefix]
    return max(holding, key=lambda prefix: prefix.prefixlen, default=None)


def _slots(prefix_length_bits: int) -> tuple[int, ...]:
    first = prefix_length_bits // 8
    return tuple(place for place in range(first, first + 5) if place != U_OCTET)[:4]


_SLOTS = {bits: _slots(bits) for bits in PREFIX_LENGTHS_BITS}
