"""Which address does a host use, and which does it try first? Default selection by RFC 6724."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_v6probe.result import Address

    Pair = tuple[Address, "Source | None"]

LINK_LOCAL, SITE_LOCAL, GLOBAL = 0x2, 0x5, 0xE  # RFC 6724 §3.1, the values of RFC 4291 §2.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One address that a host has, with what the rules ask of it.

    *prefix_length_bits* bounds the longest match (RFC 6724 §2.2); None: 64, or 32 for IPv4.
    *home* and *care_of* are RFC 6275's. *tunnelled* says that *interface* encapsulates (6to4, …).
    """

    address: Address
    prefix_length_bits: int | None = None
    interface: str = ""
    deprecated: bool = False
    temporary: bool = False
    home: bool = False
    care_of: bool = False
    tunnelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One row of a policy table (RFC 6724 §2.1). IPv4 stands in it as ::ffff:0:0/96."""

    prefix: IPv6Network
    precedence: int
    label: int


POLICY_TABLE: Final = tuple(  # RFC 6724 §2.1
    Policy(prefix=IPv6Network(prefix), precedence=precedence, label=label)
    for prefix, precedence, label in (
        ("::1/128", 50, 0),
        ("::/0", 40, 1),
        ("::ffff:0:0/96", 35, 4),
        ("2002::/16", 30, 2),
        ("2001::/32", 5, 5),
        ("fc00::/7", 3, 13),
        ("::/96", 1, 3),
        ("fec0::/10", 1, 11),
        ("3ffe::/16", 1, 12),
    )
)


def policy(address: Address, table: Iterable[Policy] = POLICY_TABLE) -> Policy:
    """The row whose prefix matches *address* longest. Raises ValueError if none does."""
    mapped = _mapped(address)
    rows = [row for row in table if mapped in row.prefix]
    if not rows:
        raise ValueError(f"no row of the policy table matches {address}")
    return max(rows, key=lambda row: row.prefix.prefixlen)


def scope(address: Address) -> int:
    """The scope of *address* (RFC 6724 §3.1, §3.2): 0x2 is link-local, 0xe global, ULA too."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, IPv6Address) and address.is_multicast:
        return address.packed[1] & 0xF
    if address.is_link_local or address.is_loopback:
        return LINK_LOCAL
    if isinstance(address, IPv6Address) and address.is_site_local:
        return SITE_LOCAL
    return GLOBAL


def select_source(
    destination: Address,
    candidates: Iterable[Source],
    *,
    interface: str = "",
    table: Sequence[Policy] = POLICY_TABLE,
) -> Source | None:
    """The candidate that a host sends from (RFC 6724 §5); None: it has none of that family.

    *interface* is the outgoing one, if known (rule 5). Rule 5.5 needs the router that announced a
    prefix, which no address shows, and is left out as §5 allows; the first of equals is taken.
    """
    best: Source | None = None
    for candidate in candidates:
        if not _may_send(candidate, destination):
            continue
        if best is None or _compare_sources(candidate, best, destination, interface, table) > 0:
            best = candidate
    return best


def sort_destinations(
    destinations: Iterable[Address],
    sources: Iterable[Source],
    *,
    table: Sequence[Policy] = POLICY_TABLE,
) -> list[Address]:
    """The order in which a host that has *sources* tries *destinations* (RFC 6724 §6)."""
    known = tuple(sources)
    pairs = [
        (destination, select_source(destination, known, table=table))
        for destination in destinations
    ]

    def order(a: Pair, b: Pair) -> int:
        return _compare_destinations(b, a, table)

    pairs.sort(key=cmp_to_key(order))  # rule 10: equals stay as they were
    return [destination for destination, _ in pairs]


def common_prefix_bits(source: Source, destination: Address) -> int:
    """The bits that both addresses begin with, up to the source's prefix (RFC 6724 §2.2)."""
    width = source.address.max_prefixlen
    bound = source.prefix_length_bits
    if bound is None:
        bound = 64 if source.address.version == 6 else width  # the IP version
    different = int(source.address) ^ int(destination)
    return min(width - different.bit_length(), bound)


def _mapped(address: Address) -> IPv6Address:
    if isinstance(address, IPv4Address):
        return IPv6Address(0xFFFF << 32 | int(address))
    return address


def _may_send(source: Source, destination: Address) -> bool:
    """RFC 6724 §4: which addresses are candidates at all, and §4's rule for link-local ones."""
    own = source.address
    if own.version != destination.version or own.is_multicast or own.is_unspecified:
        return False
    zone = destination.scope_id if isinstance(destination, IPv6Address) else None
    if not zone:
        return True
    here = source.interface or (own.scope_id if isinstance(own, IPv6Address) else None)
    return not here or here == zone


def _compare_sources(
    a: Source, b: Source, destination: Address, interface: str, table: Sequence[Policy]
) -> int:
    """Positive where RFC 6724 §5 prefers *a*, negative where *b*, 0 where it does not say."""
    wanted_scope, wanted_label = scope(destination), policy(destination, table).label

    def first(source: Source) -> tuple[Any, ...]:
        own = scope(source.address)
        return (
            int(source.address) == int(destination),  # rule 1
            (own >= wanted_scope, -own if own >= wanted_scope else own),  # rule 2
            not source.deprecated,
        )  # rule 3

    def last(source: Source) -> tuple[Any, ...]:
        return (
            bool(interface) and source.interface == interface,  # rule 5
            policy(source.address, table).label == wanted_label,  # rule 6
            source.temporary,  # rule 7
            common_prefix_bits(source, destination),
        )  # rule 8

    return (
        _order(first(a), first(b))
        or _home(a, b)  # rule 4
        or _order(last(a), last(b))
    )


def _compare_destinations(a: Pair, b: Pair, table: Sequence[Policy]) -> int:
    """Positive where RFC 6724 §6 prefers *a*, negative where *b*, 0 where it does not say."""
    (to_a, from_a), (to_b, from_b) = a, b
    if from_a is None or from_b is None:  # rule 1; rules 2 to 5 and 9 need a source
        return _order(from_a is not None, from_b is not None) or _order(
            _merit(to_a, None, table), _merit(to_b, None, table)
        )
    same_scope_a, same_scope_b = (
        scope(to) == scope(by.address) for to, by in ((to_a, from_a), (to_b, from_b))
    )
    return (
        _order(
            (same_scope_a, not from_a.deprecated),  # rules 2, 3
            (same_scope_b, not from_b.deprecated),
        )
        or _home(from_a, from_b)  # rule 4
        or _order(_merit(to_a, from_a, table), _merit(to_b, from_b, table))
        or (
            to_a.version == to_b.version
            and _order(  # rule 9
                common_prefix_bits(from_a, to_a), common_prefix_bits(from_b, to_b)
            )
        )
    )


def _merit(destination: Address, source: Source | None, table: Sequence[Policy]) -> tuple[Any, ...]:
    row = policy(destination, table)
    return (
        source is not None and policy(source.address, table).label == row.label,  # rule 5
        row.precedence,  # rule 6
        source is None or not source.tunnelled,  # rule 7
        -scope(destination),
    )  # rule 8


def _home(a: Source, b: Source) -> int:
    """Rule 4 of RFC 6724 §5 and §6: at home beats all, just home beats just care-of."""
    both = _order(a.home and a.care_of, b.home and b.care_of)
    if both or a.home == b.home or a.care_of == b.care_of:
        return both
    return _order(a.home, b.home)


def _order(a: Any, b: Any) -> int:  # anything that has an order
    return int(a > b) - int(a < b)
