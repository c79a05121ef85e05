"""Which IPv6 addresses does /proc/net/if_inet6 list? For machines where netlink cannot be asked."""

from __future__ import annotations

from ipaddress import IPv6Address

from pytest_v6probe.linux.addresses import InterfaceAddress, flag_names

PATH = "/proc/net/if_inet6"

# include/net/ipv6.h, IPV6_ADDR_SCOPE_*; the kernel prints ipv6_addr_scope() there, not RT_SCOPE_*.
_SCOPES = {0x00: "global", 0x10: "host", 0x20: "link", 0x40: "site"}
_FIELDS = 6


def read(text: str) -> tuple[InterfaceAddress, ...]:
    """The addresses in *text*, in its order; lifetimes are not in it. Raises ValueError for another
    format.
    """
    return tuple(_address(line.split()) for line in text.splitlines() if line.strip())


def _address(fields: list[str]) -> InterfaceAddress:
    if len(fields) != _FIELDS or len(fields[0]) != 32:  # the hexadecimal digits of an address
        raise ValueError(f"not a line of {PATH}: {' '.join(fields)[:80]!r}")
    octets, index, prefix_length, scope, flags = (
        fields[0],
        *(int(field, 16) for field in fields[1:5]),
    )
    return InterfaceAddress(
        address=IPv6Address(bytes.fromhex(octets)),
        prefix_length=prefix_length,
        interface=fields[5],
        index=index,
        scope=_SCOPES.get(scope, str(scope)),
        flags=flag_names(flags, version=6),
    )
