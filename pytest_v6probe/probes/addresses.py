"""Which addresses does the host have, and may it use them? RFC 4862, as its kernel says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import netlink
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_v6probe.linux.addresses import InterfaceAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses(Finding):
    """The global IPv6 addresses of one host, and what may be done with them.

    Verdicts: ``usable``; ``duplicate`` (duplicate address detection found another owner),
    ``tentative`` (detection has not ended), ``deprecated`` (no new connections); ``absent`` (not
    the expected address), ``none`` (no global address at all); ``unreadable``, or why the kernel
    gave no answer. Of an expected address, else of the best.
    """

    layer: ClassVar[Layer] = Layer.ADDRESS
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    usable: frozenset[IPv6Address] = frozenset()
    unusable: frozenset[IPv6Address] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ipv4Addresses(Finding):
    """The IPv4 addresses of one host.

    Verdicts: ``none``; ``link-local`` (only 169.254/16, RFC 3927: AWS gives one in an IPv6-only
    subnet); ``left-over`` (there is another one); ``unreadable``, or why the kernel gave no answer.
    """

    layer: ClassVar[Layer] = Layer.ADDRESS
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    link_local: frozenset[IPv4Address] = frozenset()
    left_over: frozenset[IPv4Address] = frozenset()


@Probe
def addresses(expected: IPv6Address | None = None) -> Ask[Addresses]:
    """The global IPv6 addresses of the host, by netlink; the verdict is on *expected* if it is
    given.
    """
    request = wire.netlink(netlink.dump_links(), netlink.dump_addresses(6))
    return Ask(operations=(request,), judge=partial(judge, expected=expected))


@Probe
def ipv4_addresses() -> Ask[Ipv4Addresses]:
    """The IPv4 addresses of the host, its loopback's left out, by netlink."""
    request = wire.netlink(netlink.dump_links(), netlink.dump_addresses(4))
    return Ask(operations=(request,), judge=judge_ipv4)


def judge(seen: Seen, *, expected: IPv6Address | None) -> Addresses:
    """Read the kernel's list of addresses per RFC 4862 §5.4 and §5.5.4."""
    found, failed = _read(seen)
    mine = [a for a in found if a.address.version == 6 and a.scope == "global"]
    about = [a for a in mine if expected in (None, a.address)]
    verdict = failed or (_verdict(about) if about else "absent" if mine else "none")
    return Addresses(
        vantage=seen.vantage,
        asked=str(expected or "global IPv6 addresses"),
        verdict=verdict,
        usable=_ipv6(a for a in mine if a.usable),
        unusable=_ipv6(a for a in mine if not a.usable),
        elapsed_s=seen.replies[0].elapsed_s,
        evidence=tuple(map(_line, mine[:8])),
    )


def judge_ipv4(seen: Seen) -> Ipv4Addresses:
    """Tell link-local IPv4 addresses from others (RFC 3927 §2.1)."""
    found, failed = _read(seen)
    mine = [a for a in found if isinstance(a.address, IPv4Address) and not a.address.is_loopback]
    held = frozenset(a.address for a in mine if isinstance(a.address, IPv4Address))
    local = frozenset(address for address in held if address.is_link_local)
    verdict = failed or ("left-over" if held - local else "link-local" if local else "none")
    return Ipv4Addresses(
        vantage=seen.vantage,
        asked="IPv4 addresses",
        verdict=verdict,
        link_local=local,
        left_over=held - local,
        elapsed_s=seen.replies[0].elapsed_s,
        evidence=tuple(map(_line, mine[:8])),
    )


def _read(seen: Seen) -> tuple[tuple[InterfaceAddress, ...], str]:
    """The addresses in the reply, and, if it has none to read, why."""
    reply = seen.replies[0]
    if reply.outcome != "answered":
        return (), reply.outcome
    try:
        return netlink.read_addresses(reply.payload), ""
    except ValueError:
        return (), "unreadable"


def _verdict(about: list[InterfaceAddress]) -> str:
    flags = frozenset().union(*(a.flags for a in about))
    if any(a.usable for a in about):
        return "usable"
    if "dadfailed" in flags:
        return "duplicate"
    return "tentative" if "tentative" in flags else "deprecated"


def _ipv6(found: Iterable[InterfaceAddress]) -> frozenset[IPv6Address]:
    return frozenset(a.address for a in found if isinstance(a.address, IPv6Address))


def _line(found: InterfaceAddress) -> str:
    flags = " ".join(sorted(found.flags))
    return replies.shown(f"{found.interface} {found.address}/{found.prefix_length} {flags}")
