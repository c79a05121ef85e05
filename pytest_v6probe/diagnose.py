"""Which layer is the first that is broken, why, and which command cures it? The ladder, walked at
the vantage.

address → route → router advertisement → (for a container: its host forwards) → resolver → answer →
synthesis → then the rung of the finding itself. Where a container was not reached from outside, the
lower rungs are asked at its host as well. Only the rungs that the finding rests on are asked: a
literal address needs no resolver, a pod no router advertisement, and what was asked over IPv4 none of
them. All travel in one sweep; router advertisements are listened for only where the default route is
in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_v6probe.clouds.pods import of_pods
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes.addresses import addresses
from pytest_v6probe.probes.dns64 import dns64
from pytest_v6probe.probes.forwarding import forwarding, forwarding_inward
from pytest_v6probe.probes.ra import router_advertisements
from pytest_v6probe.probes.resolver import resolver
from pytest_v6probe.probes.route import default_route
from pytest_v6probe.result import Finding, Layer, Path

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping
    from ipaddress import IPv6Address

    from pytest_v6probe.clouds.model import Cloud
    from pytest_v6probe.vantage import Ask, Vantage

LISTEN_S = 10.0
"""How long router advertisements are listened for."""

Key = tuple[str, Layer, str]
"""A vantage, a rung, and the name it was asked about (empty where it is about none)."""

_HOLDS = {
    Layer.ADDRESS: {"usable"},
    Layer.ROUTE: {"present"},
    Layer.RA: {"heard"},
    Layer.FORWARDING: {"forwards"},
    Layer.RESOLVER: {"answered"},
    Layer.SYNTHESIS: {"native", "synthesised", "unverified"},
}
_UNTOLD = {"unreadable", "error", "not-permitted", "unknown"}
"""Verdicts that say nothing about the rung: it could not be looked at."""
_REACHED = {"ok", "answered", "open", "verified", "redirected", "whole"}
_CONNECTING = {Layer.ICMP, Layer.TCP}
_LOWEST = (Layer.ADDRESS, Layer.ROUTE, Layer.RA)
_NAMED = (Layer.RESOLVER, Layer.SYNTHESIS)
_WITHOUT_NAT64 = "dns64-without-nat64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One rung as it was found; *line* is what a person reads of it."""

    layer: Layer
    verdict: str
    holds: bool
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The first broken layer, the likely cause, the command that cures it (empty: none is known),
    and the ladder.
    """

    layer: Layer
    cause: str
    cure: str
    rungs: tuple[Rung, ...] = ()


def diagnose(
    at: Vantage,
    finding: Finding,
    cloud: Cloud,
    *,
    carrier: Vantage | None = None,
    beyond: Vantage | None = None,
    seen: MutableMapping[Key, Finding] | None = None,
) -> Diagnosis:
    """Walk the ladder at *at* below *finding* and name the first broken layer: that of *finding*
    itself, where it knows its cause.

    *carrier* is the host of a container: whether it forwards is a rung of its own. *beyond* is the
    host of the container that *finding* did not reach: where it cannot be asked, it is left out.
    *seen* keeps what rungs were found, so that many failures at one vantage walk once. Never raises
    Unobserved: if *at* cannot be asked, the diagnosis says so and rests on *finding* alone. Takes at
    most about 15 seconds, and as much again where *beyond* is asked.
    """
    memory = {} if seen is None else seen
    cloud = of_pods(cloud) if at.host.pod is not None else cloud
    try:
        found = _found(at, finding, cloud, memory, carrier=carrier, beyond=beyond)
    except Unobserved as why:
        own = _rung(finding, finding.broken_layer, holds=False)
        return Diagnosis(
            layer=own.layer,
            cure="",
            rungs=(own,),
            cause=f"the ladder could not be walked at {at.name}: {why}",
        )
    lower = tuple(_rung(rung, layer, holds=_holds(layer, rung)) for layer, rung in found.items())
    broken = _first_broken(found) if finding.known_cause is None else None
    if broken is not None:
        layer, verdict = _layer_of(at, broken, found), broken.verdict
        rungs = lower
    else:
        layer, verdict = _own_layer(finding), _own_verdict(finding)
        rungs = (*lower, _rung(finding, layer, holds=False))
    cause, cure = _explained(broken or finding, layer, verdict, cloud)
    return Diagnosis(layer=layer, cause=cause, cure=cure, rungs=rungs)


def diagnose_alone(finding: Finding, cloud: Cloud) -> Diagnosis:
    """The diagnosis of what was asked of a cluster's API, not from a vantage: there is no rung below
    *finding*.
    """
    own = _rung(finding, finding.broken_layer, holds=False)
    cause, cure = _explained(finding, own.layer, own.verdict, cloud)
    return Diagnosis(layer=own.layer, cause=cause, cure=cure, rungs=(own,))


def _layer_of(at: Vantage, broken: Finding, found: dict[Layer, Finding]) -> Layer:
    """The layer that *broken* speaks of. A pod's resolver is the address of a service: where its
    default route holds, what leads nowhere is that address.
    """
    of_service = at.host.pod is not None and broken.layer is Layer.RESOLVER
    route = found.get(Layer.ROUTE)
    if of_service and route is not None and _holds(Layer.ROUTE, route):
        return Layer.RESOLVER
    return broken.broken_layer


def _explained(broken: Finding, layer: Layer, verdict: str, cloud: Cloud) -> tuple[str, str]:
    """The cause and the cure: what the finding itself knows, else what is known of the cloud."""
    if broken.known_cause is not None:
        return broken.known_cause
    cure = cloud.cure(layer, verdict)
    return (cure.cause, cure.command) if cure else (f"{layer}: {verdict}", "")


def _found(
    at: Vantage,
    finding: Finding,
    cloud: Cloud,
    memory: MutableMapping[Key, Finding],
    *,
    carrier: Vantage | None,
    beyond: Vantage | None,
) -> dict[Layer, Finding]:
    """The rungs below *finding*, lowest first, here and at the hosts between. Raises Unobserved."""
    found = _walk(at, finding, cloud, memory)
    if carrier is not None and cloud.resolver is not None and finding.rests_on:
        found |= _forwarding(at, carrier, cloud.resolver, found, memory)
    if beyond is not None and finding.known_cause is None and _first_broken(found) is None:
        found |= _beyond(at, beyond, finding, cloud, memory)
    return {layer: found[layer] for layer in Layer if layer in found}


def _walk(
    at: Vantage, finding: Finding, cloud: Cloud, memory: MutableMapping[Key, Finding]
) -> dict[Layer, Finding]:
    """The rungs below *finding*, lowest first, each asked once; none where a known one is broken
    already.
    """
    rests_on = _rests_on(at, finding)
    wanted = rests_on - {finding.layer, Layer.RA}
    asks = _asks(at, finding.name_asked, wanted, cloud)
    known = {key[1]: memory[key] for key in asks if key in memory and _tells(at, memory[key])}
    found = known if _first_broken(known) is not None else _ask(at, asks, memory)
    route = found.get(Layer.ROUTE)
    in_doubt = route is None or not _holds(Layer.ROUTE, route)
    if Layer.RA in rests_on and in_doubt and not _speaks_of_ra(route or finding):
        found |= _ask(
            at, {(at.name, Layer.RA, ""): router_advertisements.ask(within_s=LISTEN_S)}, memory
        )
    return {layer: found[layer] for layer in Layer if layer in found and _tells(at, found[layer])}


def _rests_on(at: Vantage, finding: Finding) -> set[Layer]:
    """The rungs below *finding* at *at*. They are IPv6's: what went over IPv4 rests on none. A pod's
    default route is its CNI's, not an advertisement's.
    """
    if finding.path is Path.IPV4:
        return set()
    rungs = {*finding.rests_on, *(_NAMED if finding.name_asked else ())}
    return rungs - {Layer.RA} if at.host.pod is not None else rungs


def _tells(at: Vantage, rung: Finding) -> bool:
    """Whether *rung* says anything: a pod may well have its names from its cluster's DNS over IPv4."""
    return at.host.pod is None or rung.verdict != "no-nameserver"


def _forwarding(
    at: Vantage,
    carrier: Vantage,
    server: IPv6Address,
    found: dict[Layer, Finding],
    memory: MutableMapping[Key, Finding],
) -> dict[Layer, Finding]:
    """Whether *carrier* forwards for *at*; nothing where *at* has no address or route itself."""
    if any(not _holds(layer, rung) for layer, rung in found.items() if layer in _LOWEST):
        return {}
    key = (at.name, Layer.FORWARDING, "")
    if key not in memory:
        memory[key] = forwarding(at, carrier, server)
    return {Layer.FORWARDING: memory[key]}


def _beyond(
    at: Vantage,
    host: Vantage,
    finding: Finding,
    cloud: Cloud,
    memory: MutableMapping[Key, Finding],
) -> dict[Layer, Finding]:
    """Whether the container on *host* that *finding* asks is forwarded to, and what is broken of
    *host* itself if it is not. Nothing where the container was reached, or *host* cannot be asked.
    """
    remote = finding.remote
    if remote is None or finding.verdict in _REACHED or finding.broken_layer not in _CONNECTING:
        return {}
    key = (at.name, Layer.FORWARDING, str(remote))
    try:
        if key not in memory:
            memory[key] = forwarding_inward(finding, remote, host)
        rung = memory[key]
        own = {} if _holds(Layer.FORWARDING, rung) else _walk(host, rung, cloud, memory)
    except Unobserved:
        return {}
    broken = own if _first_broken(own) is not None else {}
    at_host = {
        layer: replace(found, asked=f"{found.asked} at {host.name}")
        for layer, found in broken.items()
    }
    return {**at_host, Layer.FORWARDING: rung}


def _asks(at: Vantage, name: str, wanted: Iterable[Layer], cloud: Cloud) -> dict[Key, Ask[Any]]:
    asks: dict[Key, Ask[Any]] = {
        (at.name, Layer.ADDRESS, ""): addresses.ask(at.host.address),
        (at.name, Layer.ROUTE, ""): default_route.ask(),
        (at.name, Layer.RESOLVER, ""): resolver.ask(),
    }
    if name:
        asks[at.name, Layer.SYNTHESIS, name] = dns64.ask(name, prefix=cloud.nat64_prefix)
    return {key: ask for key, ask in asks.items() if key[1] in wanted}


def _ask(
    at: Vantage, asks: dict[Key, Ask[Any]], memory: MutableMapping[Key, Finding]
) -> dict[Layer, Finding]:
    new = [key for key in asks if key not in memory]
    if new:
        memory.update(zip(new, at.look([asks[key] for key in new]), strict=True))
    return {key[1]: memory[key] for key in asks}


def _first_broken(found: dict[Layer, Finding]) -> Finding | None:
    """The lowest rung that does not hold; where no default route is there for want of an
    advertisement, that.
    """
    broken = [rung for layer, rung in found.items() if not _holds(layer, rung)]
    if broken and broken[0].layer is Layer.ROUTE and Layer.RA in {rung.layer for rung in broken}:
        return found[Layer.RA]
    return broken[0] if broken else None


def _holds(layer: Layer, rung: Finding) -> bool:
    return rung.verdict in _HOLDS[layer] or rung.verdict in _UNTOLD


def _speaks_of_ra(finding: Finding) -> bool:
    """Whether the trouble with the default route is already known to come from an advertisement."""
    return finding.layer is Layer.ROUTE and finding.broken_layer is Layer.RA


def _own_layer(finding: Finding) -> Layer:
    """The rung of *finding* itself; what is reached, but by the wrong way, was led there by its
    addresses.
    """
    astray = finding.verdict in _REACHED and finding.path is Path.NAT64 and finding.name_asked
    return Layer.SYNTHESIS if astray else finding.broken_layer


def _own_verdict(finding: Finding) -> str:
    through = finding.path is Path.NAT64 and finding.broken_layer in {Layer.ROUTE, Layer.TCP}
    if finding.verdict in _REACHED and finding.path is Path.NAT64 and finding.name_asked:
        return "mixed"
    return _WITHOUT_NAT64 if through else finding.verdict


def _rung(finding: Finding, layer: Layer, *, holds: bool) -> Rung:
    detail = f" ({finding.evidence[0]})" if finding.evidence else ""
    return Rung(
        layer=layer,
        verdict=finding.verdict,
        holds=holds,
        line=f"{finding.asked}: {finding.verdict}{detail}",
    )
