"""Which NAT64 prefixes does a DNS64 use? Prefix discovery as RFC 7050 describes it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

from pytest_v6probe.rfc import rfc6052

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WELL_KNOWN_NAME = "ipv4only.arpa"  # RFC 7050 §8.1
WELL_KNOWN_IPV4 = frozenset({IPv4Address("192.0.0.170"), IPv4Address("192.0.0.171")})  # §8.2


def prefixes(addresses: Iterable[IPv6Address]) -> frozenset[IPv6Network]:
    """The NAT64 prefixes in the AAAA answer to a query for `WELL_KNOWN_NAME`; empty: no DNS64.

    RFC 7050 §3: a well-known IPv4 address is searched at the six places of RFC 6052 §2.2. Where
    one address reads in several ways, because the prefix itself contains a well-known IPv4
    address, the way that the other well-known address confirms in this same answer is taken; if
    none is confirmed, the way that leaves the suffix zero, as RFC 6052 §2.2 wants it.
    """
    readings = [list(_readings(address)) for address in addresses]
    known = {reading for group in readings for reading in group}
    found: set[IPv6Network] = set()
    for group in readings:
        confirmed = [
            prefix for prefix, _ in group if all((prefix, v4) in known for v4 in WELL_KNOWN_IPV4)
        ]
        found.update(confirmed or [prefix for prefix, _ in group[-1:]])
    return frozenset(found)


def _readings(address: IPv6Address) -> Iterator[tuple[IPv6Network, IPv4Address]]:
    """Each prefix behind which a well-known IPv4 address stands, the longest last.

    Only the longest can leave the suffix zero: the others have the longer one's IPv4 address in it.
    """
    for bits in rfc6052.PREFIX_LENGTHS_BITS:
        prefix = IPv6Network((int(address), bits), strict=False)
        try:
            v4 = rfc6052.extract(address, prefix)
        except ValueError:  # bits 64 to 71 are set: not an address that RFC 6052 makes
            return
        if v4 in WELL_KNOWN_IPV4:
            yield prefix, v4
