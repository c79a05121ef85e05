"""Who handles router advertisements on each interface: the kernel, a daemon, or nobody?

The kernel does if accept_ra and forwarding say so (ip-sysctl.rst); systemd-networkd sets
accept_ra=0 on the links it manages and handles them itself (systemd.network(5), IPv6AcceptRA=), and
so does NetworkManager.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.linux import sysctl

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONF = "/proc/sys/net/ipv6/conf/*"
_NETWORKD = "/run/systemd/netif/links/"
_NETWORK_MANAGER = "/run/NetworkManager/devices/"

PATTERNS = (
    f"{_CONF}/accept_ra",
    f"{_CONF}/accept_ra_defrtr",
    f"{_CONF}/forwarding",
    f"{_NETWORKD}*",
    f"{_NETWORK_MANAGER}*",
)
"""The files that `owner` wants."""


def owner(files: Mapping[str, bytes], *, interface: str, index: int) -> str:
    """``kernel``, ``systemd-networkd``, ``NetworkManager``, ``nobody``, or ``unknown`` where the
    files do not tell.
    """
    if _kernel(files, interface):
        return "kernel"
    if b"ADMIN_STATE=configured" in files.get(f"{_NETWORKD}{index}", b""):
        return "systemd-networkd"
    if b"managed=true" in files.get(f"{_NETWORK_MANAGER}{index}", b""):
        return "NetworkManager"
    return "unknown" if _kernel(files, interface) is None else "nobody"


def _kernel(files: Mapping[str, bytes], interface: str) -> bool | None:
    try:
        return sysctl.read(files, interface=interface).takes_default_route
    except ValueError:
        return None
