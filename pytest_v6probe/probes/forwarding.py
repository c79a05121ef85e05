"""Does a host forward for its container? What the host is answered, the container must be, too; and
what the container answers its host, it must answer those outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes import replies
from pytest_v6probe.probes.icmp import ping
from pytest_v6probe.probes.resolver import resolver
from pytest_v6probe.probes.tcp import tcp
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from pytest_v6probe.probes.resolver import Resolver
    from pytest_v6probe.result import Endpoint
    from pytest_v6probe.vantage import Ask, Vantage

SYSCTL = "/proc/sys/net/ipv6/conf/all/forwarding"
_REACHED = {"open", "answered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding(Finding):
    """One resolver, asked by a container and by its host; or (*inward*) one container, asked from
    outside and by its host.

    Verdicts: ``forwards`` (the one beyond the host is answered); ``not-forwarded`` (the host is,
    the other is not); ``unknown`` (neither is: it is not for want of forwarding).
    """

    layer: ClassVar[Layer] = Layer.FORWARDING

    host: str
    enabled: bool | None = None
    """``net.ipv6.conf.all.forwarding`` of the host; None where it cannot be read."""
    inward: bool = False
    """Whether the container is the one that was asked."""

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
        if self.inward:
            return (
                f"the container answers {self.host}, and not {self.vantage}: a rule or policy of "
                f"{self.host} drops what is forwarded to it, a firewall or security group before it "
                "does, or nothing routes the container's prefix there",
                f"ip6tables -S; nft list ruleset  # on {self.host}; and on the router: "
                f"ip -6 route get {self.remote.address if self.remote else '<container>'}",
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
    return judge(inside, outside, _sysctl(host))


def forwarding_inward(finding: Finding, remote: Endpoint, host: Vantage) -> Forwarding:
    """Connect to *remote*, a container that *finding* did not reach, from its *host*; ping it where
    it has no port. Raises Unobserved.
    """
    address = remote.address
    if not isinstance(address, IPv6Address):
        raise Unobserved(f"{remote} is no IPv6", reason="not-ipv6", vantage=host.name)
    ask: Ask[Any] = tcp.ask(address, remote.port) if remote.port else ping.ask(address)
    return judge_inward(finding, remote, host.look([ask])[0], _sysctl(host))


def _sysctl(host: Vantage) -> bytes:
    return replies.files(host.agent.run([wire.read(SYSCTL)])[0]).get(SYSCTL, b"")


def judge(inside: Resolver, outside: Resolver, sysctl: bytes) -> Forwarding:
    """Compare both answers. Pure."""
    if inside.verdict == "answered":
        verdict = "forwards"
    else:
        verdict = "not-forwarded" if outside.verdict == "answered" else "unknown"
    return Forwarding(
        vantage=inside.vantage,
        asked=f"{inside.asked}, through {outside.vantage}",
        verdict=verdict,
        host=outside.vantage,
        enabled=_enabled(sysctl),
        local=inside.local,
        remote=inside.remote,
        elapsed_s=inside.elapsed_s,
        evidence=(f"container: {inside.verdict}", f"host: {outside.verdict}"),
    )


def judge_inward(
    finding: Finding, remote: Endpoint, from_host: Finding, sysctl: bytes
) -> Forwarding:
    """Compare what *finding* met outside with what the host of the container met. Pure."""
    return Forwarding(
        vantage=finding.vantage,
        asked=f"{from_host.asked}, behind {from_host.vantage}",
        verdict="not-forwarded" if from_host.verdict in _REACHED else "unknown",
        host=from_host.vantage,
        enabled=_enabled(sysctl),
        inward=True,
        local=finding.local,
        remote=remote,
        elapsed_s=from_host.elapsed_s,
        evidence=(f"outside: {finding.verdict}", f"host: {from_host.verdict}"),
    )


def _enabled(sysctl: bytes) -> bool | None:
    value = sysctl.strip()
    return value != b"0" if value.isdigit() else None
