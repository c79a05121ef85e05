"""Does a pod of an IPv6 cluster keep a way out over IPv4, past what is meant to watch it?
aws-network-policy-agent#55.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from typing import ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import netlink
from pytest_v6probe.probes import addresses, replies
from pytest_v6probe.result import Finding, Layer, Path
from pytest_v6probe.vantage import Ask, Probe, Seen

EKS_EGRESS = IPv4Network("169.254.172.0/22")
"""What Amazon's CNI gives the pods of an IPv6 cluster for it (amazon-vpc-cni-k8s, README)."""
_GOT_OUT = frozenset({"answered", "refused", "reset"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ipv4Egress(Finding):
    """The IPv4 addresses of one pod, its loopback's left out, and one connection over IPv4.

    Verdicts: ``none`` (no address, and nothing gets out); ``left-over`` (the connection got out);
    ``address-only`` (there is an address, and nothing came back); ``unreadable``, or why the kernel
    gave no answer, where nothing got out.
    """

    layer: ClassVar[Layer] = Layer.CONFIGURATION
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    addresses: frozenset[IPv4Address] = frozenset()
    connection: str
    """What became of the connection: ``answered``, ``no-route``, ``timed-out``, …"""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """The setting of Amazon's CNI, where the address is from its range."""
        if not any(address in EKS_EGRESS for address in self.addresses):
            return None
        shown = ", ".join(map(str, sorted(self.addresses)))
        return (
            f"Amazon's CNI gives the pod {shown} and translates it to the node's IPv4 address "
            "(ENABLE_V4_EGRESS, on unless it is turned off)",
            "kubectl set env ds/aws-node -n kube-system ENABLE_V4_EGRESS=false  # and new pods",
        )


@Probe
def ipv4_egress(
    host: IPv4Address | str, port: int = 80, *, timeout_s: float = 3.0
) -> Ask[Ipv4Egress]:
    """Read the pod's IPv4 addresses, and connect to *port* of *host* over IPv4; a name is resolved by
    the pod's own system resolver, to IPv4 only.
    """
    return Ask(
        operations=(
            wire.netlink(netlink.dump_links(), netlink.dump_addresses(4)),
            wire.stream(host, port, family=4, timeout_s=timeout_s),
        ),
        judge=partial(judge, host=host, port=port),
    )


def judge(seen: Seen, *, host: IPv4Address | str, port: int) -> Ipv4Egress:
    """Compare what the pod has with what gets out. Pure."""
    listing, connection = seen.replies
    held = addresses.judge_ipv4(Seen(vantage=seen.vantage, replies=(listing,)))
    own = held.link_local | held.left_over
    if connection.outcome in _GOT_OUT:
        verdict = "left-over"
    elif own:
        verdict = "address-only"
    else:
        verdict = held.verdict
    return Ipv4Egress(
        vantage=seen.vantage,
        asked=f"TCP {host}:{port} over ipv4",
        verdict=verdict,
        addresses=own,
        connection=connection.outcome,
        local=connection.local,
        remote=connection.remote,
        path=Path.IPV4,
        elapsed_s=max(listing.elapsed_s, connection.elapsed_s),
        evidence=(*held.evidence, replies.said(connection)),
    )
