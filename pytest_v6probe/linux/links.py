"""Which interfaces does a machine have? Values as Linux reports them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One network interface."""

    index: int
    name: str
    mtu_bytes: int
    up: bool
    """Administratively up (IFF_UP)."""
    running: bool
    """Up with a carrier (IFF_LOWER_UP)."""
    loopback: bool
    state: str
    """RFC 2863's operational state, lower case: ``up``, ``down``, ``lowerlayerdown``, ``unknown``,
    …
    """
    kind: str = ""
    """``veth``, ``bridge``, ``vlan``, …; empty for hardware."""
    hardware_address: str = ""
    """Colon-separated octets; empty where the link has none."""
