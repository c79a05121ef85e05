"""Which addresses does an interface have, and may they be used? Values as Linux reports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_v6probe.result import Address

UNUSABLE_FLAGS = frozenset({"tentative", "dadfailed", "deprecated"})
"""RFC 4862 §5.4, §5.5.4: not yet, never, or no longer to be used for new connections."""

# linux/if_addr.h; the low eight bits are also the sixth field of /proc/net/if_inet6.
FLAG_NAMES = {
    0x001: "temporary",
    0x002: "nodad",
    0x004: "optimistic",
    0x008: "dadfailed",
    0x010: "homeaddress",
    0x020: "deprecated",
    0x040: "tentative",
    0x080: "permanent",
    0x100: "managetempaddr",
    0x200: "noprefixroute",
    0x400: "mcautojoin",
    0x800: "stable-privacy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceAddress:
    """One address of one interface. *interface* is the name, or the index as text where no name was
    seen.
    """

    address: Address
    prefix_length: int
    interface: str
    index: int
    scope: str
    """``global``, ``link``, ``host``, ``site``, or the kernel's number as text."""
    flags: frozenset[str] = frozenset()
    """As ``ip address`` prints them: ``permanent``, ``tentative``, ``dadfailed``, ``deprecated``, …
    """
    valid_s: int | None = None
    """Seconds that are left; None is forever, or not said (`/proc/net/if_inet6` has no lifetimes).
    """
    preferred_s: int | None = None

    @property
    def usable(self) -> bool:
        """Whether a new connection may use it: duplicate detection passed, and not deprecated."""
        optimistic = "optimistic" in self.flags and "dadfailed" not in self.flags  # RFC 4429 §3.1
        blocked = UNUSABLE_FLAGS - {"tentative"} if optimistic else UNUSABLE_FLAGS
        return not self.flags & blocked


def flag_names(bits: int, *, version: int) -> frozenset[str]:
    """The names of the flags in *bits*. Bit 0 is ``temporary`` for IPv6 and ``secondary`` for IPv4."""
    names = {name for bit, name in FLAG_NAMES.items() if bits & bit}
    if version == 4 and "temporary" in names:
        names = (names - {"temporary"}) | {"secondary"}
    return frozenset(names)
