"""Does a call to a pod from outside of its mesh pass the pod's sidecar, over one family?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.kube import families
from pytest_v6probe.kube.envoy_listeners import INBOUND
from pytest_v6probe.linux import netlink
from pytest_v6probe.probes import sidecar_calls, sidecar_causes
from pytest_v6probe.probes.sidecar_calls import ANSWERED, LOCAL, Calls, Trial
from pytest_v6probe.result import Endpoint, Family, Finding, Layer, Path

if TYPE_CHECKING:
    from pytest_v6probe.kube.envoy_clusters import Upstream, UpstreamCluster
    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.result import Address
    from pytest_v6probe.vantage import Vantage

DIRECTION = "inbound"
LOOPBACK = "lo"
"""Where istio-init puts ``::6``, which Envoy calls its own pod from."""
PASSTHROUGH = "InboundPassthroughCluster"
"""Where Istio's sidecars send what comes for a port of the pod that no service has; its name may end in
``Ipv4`` or ``Ipv6``.
"""

NAMED = f"^{DIRECTION}[|]|^{PASSTHROUGH}"
"""A pattern for the names of the clusters that calls may be counted for."""

_LAYERS = {
    "family-missing": Layer.POD,
    "endpoints-missing": Layer.ENDPOINTS,
    "no-address": Layer.ADDRESS,
    "no-route": Layer.ROUTE,
    "timed-out": Layer.POD,
    "unreachable": Layer.POD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarInbound(Finding):
    """Calls to a pod's own address of one family, and what the pod's Envoy counted of them.

    Verdicts: ``passed`` (Envoy counted each, and all were answered; of a pod that does not serve the
    service, Envoy counted some); ``not-captured`` (the pod answered, or refused, and Envoy counted
    none: they went past it), ``partly-captured`` (it counted some); ``not-listening`` (nothing takes
    them, and Envoy listens on no address of the family); ``family-missing`` (the pod has no address of
    it); ``endpoints-missing`` (no EndpointSlice names the port); ``no-address``, ``no-route`` (of the
    caller itself); ``no-envoy`` (nobody answers at the admin interface); ``malformed`` (what came is
    not what Envoy's documentation says); else the calls were not all answered: ``timed-out``,
    ``reset``, ``closed``, ``status-503``, ….
    """

    layer: ClassVar[Layer] = Layer.SIDECAR
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE)

    pod: str
    """The pod's name in the inventory."""
    family: Family
    serves: bool = False
    """Whether it is a ready endpoint of the service."""
    answered: int = 0
    """Calls that were answered, of 8."""
    through: int = 0
    """Requests, or connections, that Envoy counted meanwhile for that address of the pod."""
    namespace: str = ""
    """Of the pod."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Why they did not pass, and what mends it."""
        return sidecar_causes.of_inbound(self)


def sidecar_inbound(
    at: Vantage, mesh_pod: Vantage, found: KubeService, *, family: str, timeout_s: float = 4.0
) -> SidecarInbound:
    """Call the pod *mesh_pod* 8 times from *at*, which is in no mesh, at its own address of *family*
    (``ipv6`` or ``ipv4``) and the port behind the first one of *found*, what `kube_service` returned;
    compare what its Envoy counted before and after.

    Raises Unobserved where the inventory names no admin interface of *mesh_pod*, or either cannot be
    used; ValueError for no family, or where the inventory does not say that the service speaks HTTP.
    """
    wanted = Family(family)
    if not found.http:
        raise ValueError(f"the inventory does not say that {found.asked} speaks HTTP")
    target, lack = _target(mesh_pod, found, wanted)
    before = sidecar_calls.look(mesh_pod, NAMED, timeout_s=timeout_s)
    trial = Trial(calls=Calls(verdict=lack), before=before)
    if target is not None and not before.trouble:
        came = at.agent.run(sidecar_calls.operations(target, timeout_s=timeout_s))
        after = sidecar_calls.look(mesh_pod, NAMED, timeout_s=timeout_s)
        trial = Trial(calls=sidecar_calls.read(came), before=before, after=after)
    serves = target is not None and target.address in _ready(found, wanted)
    called = Called(
        pod=mesh_pod.name,
        namespace=mesh_pod.host.pod.namespace if mesh_pod.host.pod is not None else "",
        at=target,
        serves=serves,
    )
    finding = judge(at.name, called, wanted, trial)
    at.witness(finding)
    return finding


def _ready(found: KubeService, family: Family) -> set[Address]:
    return {endpoint.address for endpoint in found.endpoints(family)}


def _target(mesh_pod: Vantage, found: KubeService, family: Family) -> tuple[Endpoint | None, str]:
    """Where the pod is called, or the verdict on why it cannot be. Raises Unobserved."""
    port = _port(found, family)
    if port is None:
        return None, "endpoints-missing"
    own = _addresses(mesh_pod, family)
    ready = _ready(found, family)
    address = next((one for one in own if one in ready), next(iter(own), None))
    return (Endpoint(address, port), "") if address is not None else (None, "family-missing")


def _port(found: KubeService, family: Family) -> int | None:
    """The port of the pods behind the first one of the service."""
    first = found.service.ports[0].name if found.service and found.service.ports else ""
    ordered = sorted(found.slices, key=lambda known: known.family != family)
    return next(
        (port.port for known in ordered for port in known.ports if port.name == first), None
    )


def _addresses(at: Vantage, family: Family) -> list[Address]:
    """The addresses of *family* that the pod has itself. Raises Unobserved."""
    version = 6 if family is Family.IPV6 else 4
    request = wire.netlink(netlink.dump_links(), netlink.dump_addresses(version))
    reply = at.agent.run([request])[0]
    try:
        known = netlink.read_addresses(reply.payload) if reply.outcome == "answered" else None
    except ValueError:
        known = None
    if known is None:
        raise Unobserved(
            f"{at.name} does not tell its addresses: {reply.outcome}",
            reason="no-addresses",
            vantage=at.name,
        )
    return [
        one.address
        for one in known
        if one.scope == "global"
        and one.interface != LOOPBACK
        and families.of(one.address) == family
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Which pod was called, and *at* which address; None where it could not be."""

    pod: str
    namespace: str = ""
    at: Endpoint | None = None
    serves: bool = False


def judge(vantage: str, called: Called, family: Family, trial: Trial) -> SidecarInbound:
    """Tell by who counted the calls which way they went. Pure."""
    at, calls = called.at, trial.calls
    through = trial.counted(lambda one, host: _is_in(one, host, at)) if at is not None else 0
    listens = trial.after.listens(INBOUND, family)
    verdict = _verdict(calls, through, serves=called.serves, listens=listens)
    return SidecarInbound(
        vantage=vantage,
        asked=f"{called.pod} at {at or 'its own address'} over {family}, through its sidecar",
        verdict=trial.trouble or verdict,
        pod=called.pod,
        family=family,
        serves=called.serves,
        answered=calls.answered,
        through=through,
        namespace=called.namespace,
        local=calls.local,
        remote=calls.remote,
        path=Path.NATIVE if family is Family.IPV6 else Path.IPV4,
        elapsed_s=calls.elapsed_s,
        evidence=_evidence(trial, through),
    )


def _is_in(cluster: UpstreamCluster, host: Upstream, target: Endpoint) -> bool:
    """Whether *host* is where Envoy sends what comes for *target*: the pod's own address, or one of its
    loopback.
    """
    if cluster.name.startswith(PASSTHROUGH):
        return host.at == target
    mine = cluster.direction == DIRECTION and cluster.port == str(target.port)
    return mine and (host.at == target or host.at.address.is_loopback)


def _verdict(calls: Calls, through: int, *, serves: bool, listens: bool) -> str:
    if calls.verdict in {"family-missing", "endpoints-missing", *LOCAL}:
        return calls.verdict
    if not serves and through:
        return "passed"
    if calls.verdict == ANSWERED:
        return sidecar_calls.captured(through)
    if calls.verdict == "refused" and not through:
        return "not-captured" if listens else "not-listening"
    return calls.verdict


def _evidence(trial: Trial, through: int) -> tuple[str, ...]:
    if trial.line or not trial.calls.line:
        return (trial.line,) if trial.line else ()
    return (trial.calls.line, f"Envoy counted {through} for that address")
