"""What do an interface's IPv6 sysctls mean? kernel Documentation/networking/ip-sysctl.rst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = "/proc/sys/net/ipv6/conf/"
_KEYS = ("accept_ra", "accept_ra_defrtr", "forwarding")
_HYBRID = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceSysctls:
    """``net.ipv6.conf.<interface>.*``. None where the kernel has no such file, or it could not be
    read.
    """

    interface: str
    accept_ra: int | None = None
    accept_ra_defrtr: int | None = None
    """1: take the default route from RAs."""
    forwarding: int | None = None

    @property
    def accepts_ra(self) -> bool | None:
        """Whether the kernel handles RAs here; False also where a daemon does it. None if it cannot
        be said.
        """
        if self.accept_ra is None or self.forwarding is None:
            return None
        return accepts_ra(self.accept_ra, self.forwarding)

    @property
    def takes_default_route(self) -> bool | None:
        """Whether the kernel takes the default route from RAs here. None if it cannot be said."""
        if self.accepts_ra is None or self.accept_ra_defrtr is None:
            return None
        return self.accepts_ra and self.accept_ra_defrtr > 0


def accepts_ra(accept_ra: int, forwarding: int) -> bool:
    """Whether the kernel accepts RAs on an interface with these values.

    ip-sysctl.rst, accept_ra: 0 never, 1 if local forwarding is disabled, 2 "overrule forwarding
    behaviour"; as ipv6_accept_ra() in the kernel's include/net/ipv6.h computes it.
    """
    return accept_ra == _HYBRID if forwarding else accept_ra != 0


def read(files: Mapping[str, bytes], *, interface: str) -> InterfaceSysctls:
    """The sysctls of *interface*, or of ``all``, among *files* (path to content). Raises ValueError
    if a value is not a number.
    """
    paths = {key: f"{_ROOT}{interface}/{key}" for key in _KEYS}
    values = {key: int(files[path]) for key, path in paths.items() if path in files}
    return InterfaceSysctls(interface=interface, **values)
