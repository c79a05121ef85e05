"""What do an interface's IPv6 sysctls mean? kernel Documentation/networking/ip-sysctl.rst."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = "/proc/sys/net/ipv6/conf/"
_TEMPLATES = frozenset({"all", "default"})
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
    accept_ra_pinfo: int | None = None
    accept_ra_rt_info_max_plen: int | None = None
    accept_dad: int | None = None
    addr_gen_mode: int | None = None
    autoconf: int | None = None
    disable_ipv6: int | None = None
    forwarding: int | None = None
    hop_limit: int | None = None
    keep_addr_on_down: int | None = None
    mtu: int | None = None
    router_solicitations: int | None = None
    use_tempaddr: int | None = None

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


KEYS = tuple(field.name for field in fields(InterfaceSysctls) if field.name != "interface")
"""The sysctls that `read` knows."""


def accepts_ra(accept_ra: int, forwarding: int) -> bool:
    """Whether the kernel accepts RAs on an interface with these values.

    ip-sysctl.rst, accept_ra: 0 never, 1 if local forwarding is disabled, 2 "overrule forwarding
    behaviour"; as ipv6_accept_ra() in the kernel's include/net/ipv6.h computes it.
    """
    return accept_ra == _HYBRID if forwarding else accept_ra != 0


def patterns(interface: str = "*") -> tuple[str, ...]:
    """The files (globs) that `read` and `interfaces` want of *interface*."""
    return tuple(f"{_ROOT}{interface}/{key}" for key in KEYS)


def interfaces(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The interfaces that *files* (path to content) speak of, without ``all`` and ``default``."""
    names = (path.removeprefix(_ROOT).partition("/")[0] for path in files if path.startswith(_ROOT))
    return tuple(dict.fromkeys(name for name in names if name not in _TEMPLATES))


def read(files: Mapping[str, bytes], *, interface: str = "") -> InterfaceSysctls:
    """The sysctls of *interface*, or of the only one that *files* (path to content) speak of.

    Raises ValueError if *interface* is not given and there is not exactly one, or if a value is not
    a number.
    """
    if not interface:
        found = interfaces(files)
        if len(found) != 1:
            raise ValueError(
                f"sysctls of one interface are wanted, there are those of {', '.join(found) or 'none'}"
            )
        interface = found[0]
    paths = {key: f"{_ROOT}{interface}/{key}" for key in KEYS}
    values = {key: int(files[path]) for key, path in paths.items() if path in files}
    return InterfaceSysctls(interface=interface, **values)
