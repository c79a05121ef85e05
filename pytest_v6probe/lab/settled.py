"""Has a host what it needs? Usable addresses and a default route, read from its /proc."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_v6probe.lab.topology import Node

TENTATIVE, DADFAILED = 0x40, 0x08  # linux/if_addr.h
REJECT = 0x0200  # linux/route.h: RTF_REJECT
ANY = "0" * 32


def missing(node: Node, pid: int) -> str:
    """What *node*, whose anchor is *pid*, does not have yet; "" when it has all."""
    flags = address_flags(pid)
    if node.advertised is not None and node.advertised.packed.hex() not in flags:
        return f"{node.name} has not formed {node.advertised} from a router advertisement"
    if any(value & DADFAILED for value in flags.values()):
        return f"{node.name}: duplicate address detection failed"
    if any(value & TENTATIVE for value in flags.values()):
        return f"{node.name} has addresses that are still tentative"
    if not default_routers(pid):
        return f"{node.name} has no default route"
    return ""


def address_flags(pid: int) -> dict[str, int]:
    """The flags of every IPv6 address in the namespace of *pid*, by its 32 hex digits."""
    lines = Path(f"/proc/{pid}/net/if_inet6").read_text(encoding="ascii").splitlines()
    return {fields[0]: int(fields[4], 16) for fields in map(str.split, lines)}


def default_routers(pid: int) -> tuple[str, ...]:
    """The gateways of the IPv6 default routes in the namespace of *pid*, in hex digits."""
    lines = Path(f"/proc/{pid}/net/ipv6_route").read_text(encoding="ascii").splitlines()
    rows = [line.split() for line in lines]
    return tuple(
        row[4] for row in rows if row[0] == ANY and row[1] == "00" and not int(row[8], 16) & REJECT
    )
