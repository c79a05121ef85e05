"""Does a NetworkPolicy hold over both families? One pod asks another over each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Endpoint, Family, Finding, Layer, Path
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pytest_v6probe.agent.wire import Reply
    from pytest_v6probe.kube.pods import Pod

_OPEN = "answered"
_CLOSED = frozenset({"timed-out", "refused", "reset", "unreachable", "prohibited", "no-route"})
"""A policy drops in silence, or has an ICMP error or a reset sent."""
_CAUSES = {
    "open-over-ipv6": (
        "the cluster's network plugin enforces policies over IPv4 only",
        "kubectl -n kube-system get daemonsets -o yaml | grep -i ipv6  "
        "# kube-router: --enable-ipv6=true; Calico: FELIX_IPV6SUPPORT=true; Cilium: enable-ipv6",
    ),
    "open-over-ipv4": (
        "the cluster's network plugin enforces policies over IPv6 only",
        "kubectl -n kube-system get daemonsets -o yaml | grep -i ipv4  "
        "# kube-router: --enable-ipv4=true; Cilium: enable-ipv4",
    ),
    "not-enforced": (
        "nothing in the cluster enforces network policies: the API takes them all the same",
        "kubectl -n kube-system get daemonsets  # EKS: enableNetworkPolicy of the VPC CNI; "
        "AKS: --network-policy; GKE: --enable-network-policy, or Dataplane V2",
    ),
}
_UNDISCOVERED = (
    "no neighbour answers the pod, or the last router, over IPv6: the policy may deny neighbour discovery "
    "as well, which RFC 4890 §4.4.1 says must not be dropped",
    "kubectl -n kube-system get daemonsets -o wide  # kube-router: a version with the change of "
    "cloudnativelabs/kube-router#1913; Cilium: cilium/cilium#16285",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyParity(Finding):
    """TCP to a pod over both families, which a policy allows to the pod that asks, or denies.

    Verdicts: ``equal`` (over both it is as the policy says). Of what it denies: ``open-over-ipv6``,
    ``open-over-ipv4`` (the other one is closed), ``not-enforced`` (both are open). Of what it
    allows: ``closed-over-ipv6``, ``closed-over-ipv4``, ``closed`` (both are). ``not-asked``: one of
    the pods has no address of a family, or nothing may be sent from there. Where one family alone is
    asked, that is all.
    """

    layer: ClassVar[Layer] = Layer.POD
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE)

    allowed: bool
    """What the policy says."""
    ipv6_outcome: str
    """What became of the connection: ``answered``, ``timed-out``, …; ``no-address`` too where the
    pod that is asked has none; empty where this family is not asked.
    """
    ipv4_outcome: str

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Who enforces no policies, or those of one family alone, or denies more than they say."""
        if (self.verdict, self.ipv6_outcome) == ("closed-over-ipv6", "unreachable"):
            return _UNDISCOVERED
        return _CAUSES.get(self.verdict)


@Probe
def policy_parity(
    pod: Pod, *, allowed: bool, over: Collection[Family] = tuple(Family), timeout_s: float = 2.0
) -> Ask[PolicyParity]:
    """Connect to the first port that *pod* declares at its address of each family of *over*, all at
    once, which a policy *allowed* or denied.

    A policy that drops takes all of *timeout_s*. Above 3 s (RFC 4861 §10) a neighbour that is not found
    is told from an answer that does not come. Raises ValueError for a pod that declares no port.
    """
    if not pod.tcp_ports:
        raise ValueError(f"the pod {pod.id} declares no port")
    port = pod.tcp_ports[0]
    at = {
        family: Endpoint(address, port)
        for family in over
        if (address := pod.address(family)) is not None
    }
    return Ask(
        operations=tuple(
            wire.stream(one.address, port, family=one.address.version, timeout_s=timeout_s)
            for one in at.values()
        ),
        judge=partial(judge, pod=pod.id, at=at, allowed=allowed, over=over),
    )


def judge(
    seen: Seen,
    *,
    pod: str,
    at: Mapping[Family, Endpoint],
    allowed: bool,
    over: Collection[Family],
) -> PolicyParity:
    """Compare what became of each family with what the policy says. Pure."""
    came = dict(zip(at, seen.replies, strict=True))
    outcome = {family: came[family].outcome if family in came else "no-address" for family in over}
    verdict = _verdict(outcome, allowed=allowed)
    family = _shown(outcome, verdict, allowed=allowed)
    reply = came.get(family)
    return PolicyParity(
        vantage=seen.vantage,
        asked=f"{pod} over {_named(over)}, {'allowed' if allowed else 'denied'} by policy",
        verdict=verdict,
        allowed=allowed,
        ipv6_outcome=outcome.get(Family.IPV6, ""),
        ipv4_outcome=outcome.get(Family.IPV4, ""),
        local=reply.local if reply is not None else None,
        remote=at.get(family),
        path=Path.NATIVE if family is Family.IPV6 else Path.IPV4,
        elapsed_s=max((one.elapsed_s for one in seen.replies), default=0.0),
        evidence=tuple(_line(at[known], reply) for known, reply in came.items()),
    )


def _named(over: Collection[Family]) -> str:
    return "both families" if len(over) == len(Family) else ", ".join(over)


def _verdict(outcome: Mapping[Family, str], *, allowed: bool) -> str:
    if not {*outcome.values()} <= _CLOSED | {_OPEN}:
        return "not-asked"
    wrong = [family for family, came in outcome.items() if (came == _OPEN) is not allowed]
    if not wrong:
        return "equal"
    if len(wrong) == len(Family):
        return "closed" if allowed else "not-enforced"
    return f"{'closed' if allowed else 'open'}-over-{wrong[0]}"


def _shown(outcome: Mapping[Family, str], verdict: str, *, allowed: bool) -> Family:
    """The family that *verdict* speaks of."""
    if verdict == "not-asked":
        odd = (family for family, came in outcome.items() if came not in _CLOSED | {_OPEN})
    else:
        odd = (family for family, came in outcome.items() if (came == _OPEN) is not allowed)
    return next(odd, next(iter(outcome)))


def _line(at: Endpoint, reply: Reply) -> str:
    return replies.shown(f"{at}: {replies.said(reply)}")
