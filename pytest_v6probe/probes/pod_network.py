"""Does one pod reach every other pod over one family, on its own node and on the others?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import node_causes, node_reach, replies
from pytest_v6probe.result import Endpoint, Family, Finding, Layer, Path
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.kube.pods import Pod
    from pytest_v6probe.probes.kube_pods import KubePods
    from pytest_v6probe.probes.node_reach import Knock

MOST = 256
"""Of a larger cluster only so many pods are asked."""
SHOWN_LINES = 12
_REACHED = frozenset({"answered", "refused", "reset"})
"""A reset comes from the other end: the pod is reached, whatever listens there."""
_UNTOLD = frozenset({"not-permitted"})
"""No echo may be sent from here: it says nothing of the pod."""
_ON_THE_WAY = frozenset({"no-route", "unreachable"})
_LAYERS = {"no-address": Layer.ADDRESS, "no-route": Layer.ROUTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What became of asking one pod. *port* 0 is an ICMP echo."""

    pod: str
    node: str
    at: Endpoint
    outcome: str

    @property
    def reached(self) -> bool:
        """Whether anything came back from it."""
        return self.outcome in _REACHED


@dataclass(frozen=True, slots=True, kw_only=True)
class PodNetwork(Finding):
    """Every other pod with a network of its own, asked from one pod over one family, all at once.

    Verdicts: ``all-reached``; ``alone`` (there is no other pod to ask); ``family-missing`` (no pod
    has an address of it); ``no-address``, ``no-route`` (of the asking pod itself: all is alike);
    ``node-unreached`` (every pod on another node is silent, what is elsewhere is not, or there is
    nothing elsewhere); ``not-forwarded`` (every pod is silent, those on the own node too, and so is
    every other node itself); ``pod-unreached`` (a pod is silent, and neither its node nor the way
    there is to blame); ``not-permitted`` (no port is known, and no echo may be sent from here).
    Whoever refuses is reached.
    """

    layer: ClassVar[Layer] = Layer.POD
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE)

    family: Family
    pod: str = ""
    """The asking one, ``namespace/name``; empty where its address is no known pod's."""
    node: str = ""
    """That pod's node."""
    others: tuple[Reached, ...] = ()
    at_fault: tuple[str, ...] = ()
    """The nodes that the verdict is about."""
    nodes_reached: frozenset[str] = frozenset()
    """Nodes with pods that answer themselves, whatever becomes of their pods."""

    @property
    def unreached(self) -> tuple[Reached, ...]:
        """The pods that nothing came back from."""
        return tuple(one for one in self.others if not one.reached and one.outcome not in _UNTOLD)

    @property
    def same_node_works(self) -> bool | None:
        """Whether the pods of the own node are reached; None where there is no other one."""
        mine = [one.reached for one in self.others if one.node == self.node]
        return all(mine) if mine else None

    @property
    def broken_layer(self) -> Layer:
        """Between nodes it is the route where one is known to lack, else the forwarding."""
        if self.verdict in {"not-forwarded", "node-unreached"}:
            ways = {one.outcome for one in self.unreached}
            return Layer.ROUTE if ways & _ON_THE_WAY else Layer.FORWARDING
        return self.speaks_of.get(self.verdict, self.layer)

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Between which nodes packets get lost."""
        if self.verdict not in {"not-forwarded", "node-unreached"}:
            return None
        here, address = self.node or "its node", self.unreached[0].at.address
        if self.verdict == "not-forwarded":
            return node_causes.not_forwarded(here, address)
        return node_causes.unreached(
            here,
            self.at_fault,
            address,
            routeless=self.broken_layer is Layer.ROUTE,
            answering=bool(self.nodes_reached & {*self.at_fault}),
        )


@Probe
def pod_network(
    pods: KubePods, *, family: str, port: int = 0, timeout_s: float = 3.0
) -> Ask[PodNetwork]:
    """Ask every pod of *pods*, what `kube_pods` returned, that has a network of its own, at its
    address of *family* (``ipv6`` or ``ipv4``): TCP to *port*, else to the first that it declares,
    else an ICMP echo.

    Raises ValueError for no family.
    """
    wanted = Family(family)
    asked = tuple(
        (pod, Endpoint(address, port or next(iter(pod.tcp_ports), 0)))
        for pod in pods.networked
        if (address := pod.address(wanted)) is not None
    )[:MOST]
    knocks = node_reach.knocks(pods.nodes, {pod.node for pod, _ in asked}, wanted)
    return Ask(
        operations=(
            *(_operation(at, timeout_s=timeout_s) for _, at in asked),
            *(node_reach.operation(knock, timeout_s=timeout_s) for knock in knocks),
        ),
        judge=partial(judge, family=wanted, asked=asked, knocks=knocks),
    )


def _operation(at: Endpoint, *, timeout_s: float) -> Operation:
    if not at.port:
        return wire.echo(at.address, timeout_s=timeout_s)
    return wire.stream(at.address, at.port, family=at.address.version, timeout_s=timeout_s)


def judge(
    seen: Seen,
    *,
    family: Family,
    asked: tuple[tuple[Pod, Endpoint], ...],
    knocks: tuple[Knock, ...],
) -> PodNetwork:
    """Tell apart a pod, the way to its node, and the own node. Pure."""
    came, knocked = seen.replies[: len(asked)], seen.replies[len(asked) :]
    locals_ = {reply.local.address for reply in seen.replies if reply.local is not None}
    me = next((pod for pod, at in asked if at.address in locals_), None)
    pairs = [
        (Reached(pod=pod.id, node=pod.node, at=at, outcome=reply.outcome), reply)
        for (pod, at), reply in zip(asked, came, strict=True)
        if pod is not me
    ]
    others, node = tuple(one for one, _ in pairs), me.node if me is not None else ""
    reached = node_reach.reached(knocks, knocked)
    verdict, at_fault = _verdict(others, node, reached) if asked else ("family-missing", ())
    shown = _shown(pairs)
    return PodNetwork(
        vantage=seen.vantage,
        asked=f"every other pod over {family}",
        verdict=verdict,
        family=family,
        pod=me.id if me is not None else "",
        node=node,
        others=others,
        at_fault=at_fault,
        nodes_reached=reached,
        local=shown.local if shown is not None else None,
        remote=shown.remote if shown is not None else None,
        path=Path.NATIVE if family is Family.IPV6 else Path.IPV4,
        elapsed_s=max((reply.elapsed_s for reply in seen.replies), default=0.0),
        evidence=_evidence(others, me),
    )


def _verdict(
    others: tuple[Reached, ...], own: str, reached: frozenset[str]
) -> tuple[str, tuple[str, ...]]:
    """The verdict, and the nodes that it is about; *reached* are those that answer themselves."""
    told = [one for one in others if one.outcome not in _UNTOLD]
    if not told:
        return ("not-permitted" if others else "alone"), ()
    alike = {one.outcome for one in told}
    if len(alike) == 1 and alike <= {"no-address", "no-route"}:
        return alike.pop(), ()
    silent = [one for one in told if not one.reached]
    if not silent:
        return "all-reached", ()
    answering = {one.node for one in told if one.reached}
    nodes = tuple(dict.fromkeys(one.node for one in silent if one.node not in answering))
    away = tuple(node for node in nodes if node != own)
    if own in nodes and not answering and not reached & {*away}:
        return "not-forwarded", (own,)
    if away and (answering or own not in nodes):
        return "node-unreached", away
    return "pod-unreached", tuple(dict.fromkeys(one.node for one in silent))


def _shown(pairs: list[tuple[Reached, Reply]]) -> Reply | None:
    silent = (reply for one, reply in pairs if not one.reached)
    return next(silent, pairs[0][1] if pairs else None)


def _evidence(others: tuple[Reached, ...], me: Pod | None) -> tuple[str, ...]:
    here = f"{me.id} on {me.node}" if me is not None else "here"
    ordered = sorted(others, key=lambda one: one.reached)
    return tuple(
        replies.shown(f"{here} → {one.pod} on {one.node} at {one.at}: {one.outcome}")
        for one in ordered[:SHOWN_LINES]
    )
