"""Does a service of Kubernetes answer over one family, and if not, is it its endpoints, the way to
them, or kube-proxy?
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.probes import node_reach, replies, service_causes, service_targets
from pytest_v6probe.result import Family, Finding, Layer, Path
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.probes.node_reach import Knock
    from pytest_v6probe.probes.service_targets import Answered, Target
    from pytest_v6probe.result import Address

SHOWN_LINES = 12
_LOCAL = ("no-address", "no-route")
_SILENT = frozenset({"timed-out", "no-route", "unreachable", "prohibited", "no-address"})
"""Outcomes by which nobody can tell whether the other end is there; any other comes from it."""
_ON_THE_WAY = ("no-route", "unreachable")
_LAYERS = {
    "endpoints-missing": Layer.ENDPOINTS,
    "endpoints-unanswered": Layer.ENDPOINTS,
    "no-address": Layer.ADDRESS,
    "no-route": Layer.ROUTE,
    "partly-silent": Layer.FORWARDING,
}
_ENTRIES = {
    "cluster-ip": "cluster-ip-silent",
    "node-port": "node-port-silent",
    "external": "external-silent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAnswers(Finding):
    """Every way into one service over one family, and every ready endpoint of it asked directly, all
    at once.

    Verdicts: ``answers``; ``family-missing`` (it has no such family), ``endpoints-missing`` (no
    ready endpoint of it); ``inside-only`` (there is no way in from outside); ``no-address``, ``no-route`` (of the vantage itself: all is alike);
    ``endpoints-unanswered`` (an endpoint is reached, and does not answer; or is silent, and neither
    its node nor the way there is to blame); ``not-forwarded`` (every endpoint is silent, and so is
    every other node itself); ``node-unreached`` (the endpoints on another node are silent, what is
    elsewhere is not, or there is nothing elsewhere);
    ``cluster-ip-silent``, ``node-port-silent``, ``external-silent`` (the endpoints answer, and that
    way in does not); ``partly-silent`` (a NodePort or an external address answers some connections
    only: not every endpoint behind it is reached from there). Any HTTP status is an answer.
    """

    layer: ClassVar[Layer] = Layer.SERVICE
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE)

    family: Family
    node: str = ""
    """The node that the vantage is on; empty where its address does not tell."""
    answers: tuple[Answered, ...] = ()
    at_fault: tuple[str, ...] = ()
    """The nodes that the verdict is about, where it is about nodes."""
    nodes_reached: frozenset[str] = frozenset()
    """Nodes with endpoints that answer themselves, whatever becomes of their pods."""
    service: str = ""
    """``namespace/name``."""

    @property
    def silent(self) -> tuple[Answered, ...]:
        """The places that did not answer."""
        return tuple(one for one in self.answers if not one.answered)

    @property
    def asked_inside(self) -> bool:
        """Whether endpoints were asked directly."""
        return any(one.target.kind == "endpoint" for one in self.answers)

    @property
    def broken_layer(self) -> Layer:
        """Between nodes it is the route where one is known to lack, else the forwarding; so it is
        where nothing comes back from outside: a node that takes no such connection refuses it.
        """
        if self.verdict in _ENTRIES.values() and not self.asked_inside:
            unheard = all(one.verdict in _SILENT for one in self.silent)
            return Layer.FORWARDING if unheard else self.layer
        if self.verdict in {"not-forwarded", "node-unreached"}:
            ways = {one.verdict for one in self.silent if one.target.kind == "endpoint"}
            return Layer.ROUTE if ways & set(_ON_THE_WAY) else Layer.FORWARDING
        return self.speaks_of.get(self.verdict, self.layer)

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """What is broken, by what answers and what does not."""
        return service_causes.cause(self)


@Probe
def service_answers(
    found: KubeService,
    *,
    family: str,
    outside: bool = False,
    node: str = "",
    timeout_s: float = 3.0,
) -> Ask[ServiceAnswers]:
    """Ask every TCP port of *found*, what `kube_service` returned, over *family* (``ipv6`` or
    ``ipv4``) at once: its ClusterIP, its NodePorts on every node, its external addresses, and each
    ready endpoint.

    From *outside* of the cluster only NodePorts and external addresses are asked. *node* is the one
    that the vantage is on, where neither ``podCIDRs`` nor endpoints tell (EKS). The first port is
    asked for a page where the inventory says that it speaks HTTP. Raises ValueError for no family.
    """
    wanted = Family(family)
    places = service_targets.targets(found, wanted, outside=outside)
    holding = {place.node for place in places if place.kind == "endpoint"}
    knocks = node_reach.knocks(found.nodes, holding, wanted)
    return Ask(
        operations=(
            *(place.operation(timeout_s=timeout_s) for place in places),
            *(node_reach.operation(knock, timeout_s=timeout_s) for knock in knocks),
        ),
        judge=partial(judge, found=found, family=wanted, places=places, knocks=knocks, node=node),
    )


def judge(
    seen: Seen,
    *,
    found: KubeService,
    family: Family,
    places: tuple[Target, ...],
    knocks: tuple[Knock, ...],
    node: str,
) -> ServiceAnswers:
    """Tell by what answers which layer is broken. Pure."""
    came, knocked = seen.replies[: len(places)], seen.replies[len(places) :]
    local = next((reply.local for reply in came if reply.local is not None), None)
    own = node or (_node_of(local.address, found) if local is not None else "")
    answers = _due(service_targets.read_all(places, came), found, own)
    reached = node_reach.reached(knocks, knocked)
    missing = _missing(found, family)
    verdict, at_fault = (missing, ()) if missing else _verdict(answers, own, reached)
    shown = _shown(answers)
    return ServiceAnswers(
        vantage=seen.vantage,
        asked=f"{found.asked} over {family}",
        verdict=verdict,
        family=family,
        node=own,
        answers=answers,
        at_fault=at_fault,
        nodes_reached=reached,
        service=found.service.id if found.service is not None else "",
        local=shown.local if shown is not None else None,
        remote=shown.remote if shown is not None else None,
        path=Path.NATIVE if family is Family.IPV6 else Path.IPV4,
        elapsed_s=max((reply.elapsed_s for reply in seen.replies), default=0.0),
        evidence=_evidence(answers),
    )


def _node_of(address: Address, found: KubeService) -> str:
    """The node that *address* is on, as the nodes or the service's own endpoints tell."""
    known = (one for part in found.slices for one in part.endpoints if one.address == address)
    own = next((endpoint.node for endpoint in known), "")
    return own or node_reach.node_of(address, found.nodes)


def _due(answers: tuple[Answered, ...], found: KubeService, own: str) -> tuple[Answered, ...]:
    """Those of *answers* that are due: a ClusterIP that leads to endpoints of the asking node only
    needs one there.
    """
    here = any(one.target.node == own for one in answers if one.target.kind == "endpoint")
    if here or found.service is None or not found.service.node_local:
        return answers
    return tuple(one for one in answers if one.target.kind != "cluster-ip")


def _missing(found: KubeService, family: Family) -> str:
    if family not in found.families:
        return "family-missing"
    return "" if found.endpoints(family) else "endpoints-missing"


def _verdict(
    answers: tuple[Answered, ...], own: str, reached: frozenset[str]
) -> tuple[str, tuple[str, ...]]:
    """The verdict, and the nodes that it is about."""
    if not answers:
        return "inside-only", ()
    alike = {one.verdict for one in answers}
    if len(alike) == 1 and alike <= {*_LOCAL}:
        return alike.pop(), ()
    direct = [one for one in answers if one.target.kind == "endpoint"]
    if any(not one.answered for one in direct):
        return _of_endpoints(direct, own, reached)
    failed = [one for one in answers if not one.answered]
    for kind, verdict in _ENTRIES.items():
        if silent := [one for one in failed if one.target.kind == kind and not one.partly]:
            of = (own,) if kind == "cluster-ip" else (one.target.node for one in silent)
            return verdict, tuple(dict.fromkeys(filter(None, of)))
    if failed:
        return "partly-silent", tuple(dict.fromkeys(one.target.node for one in failed))
    return "answers", ()


def _of_endpoints(
    direct: list[Answered], own: str, reached: frozenset[str]
) -> tuple[str, tuple[str, ...]]:
    """Whether the endpoints themselves are to blame, the way to their nodes, or the own node, by
    which other endpoints answer and which nodes are *reached* themselves.
    """
    answering = {one.target.node for one in direct if one.answered and not one.by_itself}
    failed = [one for one in direct if not one.answered]
    themselves = [
        one for one in failed if one.verdict not in _SILENT or one.target.node in answering
    ]
    if themselves:
        return "endpoints-unanswered", tuple(dict.fromkeys(one.target.node for one in themselves))
    nodes = tuple(dict.fromkeys(one.target.node for one in failed))
    away = tuple(node for node in nodes if node != own)
    if own in nodes and not answering and not reached & {*away}:
        return "not-forwarded", (own,)
    if away and (answering or own not in nodes):
        return "node-unreached", away
    return "endpoints-unanswered", nodes


def _shown(answers: tuple[Answered, ...]) -> Answered | None:
    """The place that the finding's own ends are of: the first silent, else a ClusterIP, else any."""
    silent = [one for one in answers if not one.answered]
    ordered = silent or sorted(answers, key=lambda one: one.target.kind != "cluster-ip")
    return ordered[0] if ordered else None


def _evidence(answers: tuple[Answered, ...]) -> tuple[str, ...]:
    ordered = sorted(answers, key=lambda one: one.answered)
    return tuple(
        replies.shown(
            f"{one.target.kind} {one.target.at}"
            f"{' on ' + one.target.node if one.target.node else ''}: {one.verdict}"
            f"{f' {one.failed} times of {one.tries}' if one.partly else ''}"
        )
        for one in ordered[:SHOWN_LINES]
    )
