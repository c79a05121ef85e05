"""Does a call from a pod to a service pass the pod's own sidecar, over one family?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.kube.envoy_listeners import OUTBOUND
from pytest_v6probe.probes import envoy_admin, replies, sidecar_calls, sidecar_causes
from pytest_v6probe.probes.sidecar_calls import ANSWERED, CALLS, LOCAL, Calls, Trial
from pytest_v6probe.result import Endpoint, Family, Finding, Layer, Path

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Reply
    from pytest_v6probe.kube.envoy_clusters import UpstreamCluster
    from pytest_v6probe.kube.services import Service
    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.vantage import Vantage

STATUS = "/proc/self/status"
PASSTHROUGH = "PassthroughCluster"
"""Where Istio's sidecars send what goes to a place that they know nothing of."""

_USER = re.compile(rb"^Uid:\s*(\d{1,10})\s", re.MULTILINE)
_LAYERS = {
    "family-missing": Layer.SERVICE,
    "no-address": Layer.ADDRESS,
    "no-route": Layer.ROUTE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarOutbound(Finding):
    """Calls from a pod to a service's ClusterIP of one family, and what the pod's own Envoy counted of
    them.

    Verdicts: ``passed`` (all were answered, and Envoy counted each for that service); ``not-captured``
    (all were answered, and Envoy counted none: they went past it), ``partly-captured`` (it counted
    some); ``passed-through`` (it counted them, and not for that service: it does not know that
    address); ``not-listening`` (nothing takes them, and Envoy listens on no address of the family);
    ``family-missing`` (the service has no ClusterIP of it); ``no-address``, ``no-route`` (of the pod
    itself); ``no-envoy`` (nobody answers at its admin interface); ``malformed`` (what came is not what
    Envoy's documentation says); else the calls were not all answered: ``status-503`` and the like (of
    Envoy, where it reaches nobody, or of the service), ``timed-out``, ``refused``, ….
    """

    layer: ClassVar[Layer] = Layer.SIDECAR
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE)

    service: str
    """``namespace/name``."""
    family: Family
    answered: int = 0
    """Calls that were answered, of 8."""
    through: int = 0
    """Requests that Envoy counted for the service meanwhile."""
    beyond: int = 0
    """Requests that Envoy sent to the same address as one that it knows nothing of."""
    user: int | None = None
    """The numeric user that called; None where it is not known."""
    namespace: str = ""
    """Of the pod."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Why they did not pass, and what mends it."""
        return sidecar_causes.of_outbound(self)


def sidecar_outbound(
    at: Vantage, found: KubeService, *, family: str, timeout_s: float = 4.0
) -> SidecarOutbound:
    """Call *found*, what `kube_service` returned, 8 times at its ClusterIP of *family* (``ipv6`` or
    ``ipv4``) from the pod *at*, and compare what its Envoy counted before and after.

    The counters are those of each endpoint (``rq_total``, ``cx_total`` of ``/clusters``): no
    configuration of stats leaves them out. Raises Unobserved where the inventory names no admin
    interface, or the pod cannot be used; ValueError for no family, or where the inventory does not say
    that the service speaks HTTP.
    """
    wanted = Family(family)
    if not found.http:
        raise ValueError(f"the inventory does not say that {found.asked} speaks HTTP")
    target = _target(found, wanted)
    named = _named(found)
    before = sidecar_calls.look(at, named, timeout_s=timeout_s)
    trial = Trial(calls=Calls(verdict="family-missing"), before=before)
    user = None
    if target is not None and not before.trouble:
        calls = sidecar_calls.operations(target, timeout_s=timeout_s)
        status, *came = at.agent.run([wire.read(STATUS), *calls])
        after = sidecar_calls.look(at, named, timeout_s=timeout_s)
        trial = Trial(calls=sidecar_calls.read(came), before=before, after=after)
        user = _user(status)
    finding = judge(at, found, wanted, trial, user=user)
    at.witness(finding)
    return finding


def _named(found: KubeService) -> str:
    """A pattern for the names of the clusters that calls to *found* may be counted for."""
    service = found.service
    mine = f"|{service.name}.{service.namespace}.svc." if service is not None else "|"
    return f"{envoy_admin.literal(mine)}|^{PASSTHROUGH}$"


def _target(found: KubeService, family: Family) -> Endpoint | None:
    address = found.cluster_ip(family)
    ports = found.service.ports if found.service is not None else ()
    return Endpoint(address, ports[0].port) if address is not None and ports else None


def judge(
    at: Vantage, found: KubeService, family: Family, trial: Trial, *, user: int | None = None
) -> SidecarOutbound:
    """Tell by who counted the calls which way they went. Pure."""
    service, target, calls = found.service, _target(found, family), trial.calls
    through = beyond = 0
    if service is not None and target is not None:
        through = trial.counted(lambda one, _: _is_of(one, service))
        beyond = trial.counted(lambda one, host: one.name == PASSTHROUGH and host.at == target)
    listens = trial.after.listens(OUTBOUND, family)
    return SidecarOutbound(
        vantage=at.name,
        asked=f"{found.asked} over {family}, through its sidecar",
        verdict=trial.trouble or _verdict(calls, through, beyond, listens=listens),
        service=service.id if service is not None else "",
        family=family,
        answered=calls.answered,
        through=through,
        beyond=beyond,
        user=user,
        namespace=at.host.pod.namespace if at.host.pod is not None else "",
        local=calls.local,
        remote=calls.remote,
        path=Path.NATIVE if family is Family.IPV6 else Path.IPV4,
        elapsed_s=calls.elapsed_s,
        evidence=_evidence(trial, through, beyond),
    )


def _is_of(cluster: UpstreamCluster, service: Service) -> bool:
    return cluster.is_of(service.namespace, service.name, service.ports[0].port)


def _verdict(calls: Calls, through: int, beyond: int, *, listens: bool) -> str:
    if calls.verdict in {"family-missing", *LOCAL}:
        return calls.verdict
    if calls.verdict != ANSWERED:
        nobody = not listens and not through + beyond and not calls.answered
        return "not-listening" if nobody else calls.verdict
    if beyond >= CALLS > through:
        return "passed-through"
    return sidecar_calls.captured(through)


def _user(reply: Reply) -> int | None:
    said = _USER.search(replies.files(reply).get(STATUS, b""))
    return int(said[1]) if said is not None else None


def _evidence(trial: Trial, through: int, beyond: int) -> tuple[str, ...]:
    if trial.line or not trial.calls.line:
        return (trial.line,) if trial.line else ()
    counted = f"Envoy counted {through} for the service, {beyond} for the address alone"
    return (trial.calls.line, counted)
