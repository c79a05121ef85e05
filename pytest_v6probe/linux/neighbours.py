"""Which addresses does a host answer neighbour solicitations for that are not its own? RFC 4389;
linux/neighbour.h; pure.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from pytest_v6probe.linux.nlmsg import attributes, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

NTF_PROXY = 0x08  # linux/neighbour.h
NDMSG = struct.Struct("<BxxxiHBB")
_AF_INET6 = 10
_NDA_DST = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourProxy:
    """One entry of ``ip -6 neighbour show proxy``: heeded only where proxy_ndp is on."""

    address: IPv6Address
    index: int
    interface: str


def proxy(body: bytes, names: Mapping[int, str]) -> NeighbourProxy | None:
    """The entry of an RTM_NEWNEIGH body; None for an ordinary neighbour. Raises ValueError."""
    family, index, _, flags, _ = unpack(NDMSG, body)
    octets = dict(attributes(body[NDMSG.size :])).get(_NDA_DST)
    if family != _AF_INET6 or not flags & NTF_PROXY or octets is None:
        return None
    return NeighbourProxy(
        address=IPv6Address(octets), index=index, interface=names.get(index, str(index))
    )
