"""Of which family is it, and how does Kubernetes write that?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_v6probe.result import Family

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

    from pytest_v6probe.result import Address

SHOWN: Final[dict[str, str]] = {Family.IPV6: "IPv6", Family.IPV4: "IPv4"}
"""The families as Kubernetes and people write them."""
READ: Final[dict[str, Family]] = {"IPv6": Family.IPV6, "IPv4": Family.IPV4}
"""The same the other way round."""


def of(value: Address | IPv4Network | IPv6Network) -> Family:
    """The family of *value*."""
    return Family.IPV6 if value.version == 6 else Family.IPV4


def of_all(values: Iterable[Address | IPv4Network | IPv6Network]) -> tuple[Family, ...]:
    """The families of *values*, each once, in their order."""
    return tuple(dict.fromkeys(of(value) for value in values))


def outside(
    addresses: Iterable[Address], ranges: Iterable[IPv4Network | IPv6Network]
) -> tuple[Address, ...]:
    """Those of *addresses* that lie in none of *ranges*; a family without a range is not judged."""
    known = tuple(ranges)
    judged = set(of_all(known))
    return tuple(
        address
        for address in addresses
        if of(address) in judged and not any(address in network for network in known)
    )


def listed(words: Iterable[str]) -> str:
    """*words* as people read them: ``IPv6 and IPv4``; ``none``."""
    return " and ".join(SHOWN.get(word, word) for word in words) or "none"
