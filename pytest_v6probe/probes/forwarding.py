"""Does a host forward for its container? What the host is answered, the container must be, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies
from pytest_v6probe.probes.resolver import resolver
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from pytest_v6probe.probes.resolver import Resolver
    from pytest_v6probe.vantage import Vantage

SYSCTL = "/proc/sys/net/ipv6/conf/all/forwarding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding(Finding):
    """One resolver, asked by a container and by its host.

    Verdicts: ``forwards`` (the container is answered); ``not-forwarded`` (its host is, the container
    is not); ``unknown`` (neither is: it is not for want of forwarding).
    """

    layer: ClassVar[Layer] = Layer.FORWARDING

    host: str
    enabled: bool | None = None
    """``net.ipv6.conf.all.forwarding`` of the host; None where it cannot be read."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Whether the host forwards at all, and else what may be in the way."""
        if self.verdict != "not-forwarded":
            return None
        if self.enabled is False:
            return (
                f"{self.host} forwards no IPv6: net.ipv6.conf.all.forwarding is 0",
                "sysctl -w net.ipv6.conf.all.forwarding=1"
                "  # first see who handles router advertisements: docs/docker-routes.md",
            )
        return (
            f"{self.host} is answered, its container is not: a rule or policy of the host drops what is "
            "forwarded, or nothing routes answers to the container's prefix",
            "ip6tables -S FORWARD; nft list ruleset; ip -6 route get <container>  # on the router",
        )


def forwarding(container: Vantage, host: Vantage, server: IPv6Address) -> Forwarding:
    """Ask *server*, a resolver, from *container* and from its *host*. Raises Unobserved."""
    inside = container.look([resolver.ask(server)])[0]
    outside = host.look([resolver.ask(server)])[0]
    files = replies.files(host.agent.run([wire.read(SYSCTL)])[0])
    return judge(inside, outside, files.get(SYSCTL, b""))


def judge(inside: Resolver, outside: Resolver, sysctl: bytes) -> Forwarding:
    """Compare both answers. Pure."""
    if inside.verdict == "answered":
        verdict = "forwards"
    else:
        verdict = "not-forwarded" if outside.verdict == "answered" else "unknown"
    value = sysctl.strip()
    return Forwarding(
        vantage=inside.vantage,
        asked=f"{inside.asked}, through {outside.vantage}",
        verdict=verdict,
        host=outside.vantage,
        enabled=value != b"0" if value.isdigit() else None,
        local=inside.local,
        remote=inside.remote,
        elapsed_s=inside.elapsed_s,
        evidence=(f"container: {inside.verdict}", f"host: {outside.verdict}"),
    )
