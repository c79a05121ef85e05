"""What does a cluster make of a Service's ipFamilyPolicy? One is created, or changed, in a namespace of
its own.

Documented in Kubernetes' "IPv4/IPv6 dual-stack"; done by pkg/registry/core/service/storage/alloc.go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_v6probe.actions.kube import fields_refused, refused
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.kube.families import SHOWN
from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.kube.services import service as read
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.transport.pod import rbac

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_v6probe.actions.kube import KubeNamespace
    from pytest_v6probe.kube.services import Service
    from pytest_v6probe.result import Address
    from pytest_v6probe.transport.pod.api import Answer

Policy = Literal["SingleStack", "PreferDualStack", "RequireDualStack"]
Kind = Literal["ClusterIP", "NodePort", "LoadBalancer", "Headless"]

RIGHTS = rbac.right("/api/v1/services", "create", "get", "patch")
"""In every namespace: which one it will be is not known before."""
INVALID = 422
"""What the API server answers to an object that its validation refuses."""
SINGLE_STACK = (
    "the API server has service addresses of one family only",
    "kubectl get servicecidrs  # dual-stack: a range of each, "
    "kube-apiserver --service-cluster-ip-range=<IPv6>,<IPv4>",
)
OTHER_FIRST = (
    "the API server's first range of service addresses is of another family than the inventory's",
    "kubectl get servicecidrs  # the primary family is that of the first of "
    "kube-apiserver --service-cluster-ip-range",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePolicy(Finding):
    """What became of a Service that was created, or of the change of one.

    Verdicts: ``accepted`` (created as asked), ``upgraded``, ``downgraded`` (its second family was
    added, or removed), ``unchanged``; ``fell-back`` (PreferDualStack, and it has one family);
    ``other-primary`` (no family was asked for, and its first one is not the cluster's);
    ``refused`` (422: *error*, *refused_for*); ``primary-changed`` (its first family or address is
    another than before); ``incomplete`` (accepted, but without a family that was asked for, or
    without an address of one that it has).
    """

    layer: ClassVar[Layer] = Layer.SERVICE

    name: str = ""
    policy_asked: str = ""
    """Empty where none was set."""
    families_asked: tuple[str, ...] = ()
    policy: str = ""
    """Its ``ipFamilyPolicy`` as the cluster has it now."""
    families: tuple[str, ...] = ()
    """Its ``ipFamilies``, the primary one first."""
    cluster_ips: tuple[Address, ...] = ()
    """Its ``clusterIPs``; a headless one has none."""
    refused_for: tuple[str, ...] = ()
    """The fields that the API server refused, such as ``spec.ipFamilyPolicy``."""
    error: str = ""
    """Why, in its own words."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """What the API server's ranges of service addresses are, where that is the cause."""
        if self.verdict == "other-primary":
            return OTHER_FIRST
        said = "not configured" in self.error
        return SINGLE_STACK if said or self.verdict == "fell-back" else None


def create_service(
    namespace: KubeNamespace,
    *,
    policy: Policy | None = None,
    families: Sequence[str] = (),
    kind: Kind = "ClusterIP",
    selector: Mapping[str, str] | None = None,
    ports: Sequence[int] = (80,),
) -> ServicePolicy:
    """Create a Service in *namespace*, where it stays: a ``ClusterIP``, ``NodePort``,
    ``LoadBalancer`` or ``Headless`` one, as *kind* says, with ``ipFamilyPolicy`` and ``ipFamilies``
    (the primary one first) as *policy* and *families* say. None and () leave them to the cluster.
    *ports* are TCP's.

    Raises Unobserved if the API refuses it for another reason than its content, or cannot be asked.
    """
    asked = _asked(namespace, f"a new {kind} Service", policy, families)
    spec = {
        **_spec(asked),
        "type": "ClusterIP" if kind == "Headless" else kind,
        **({"clusterIP": "None"} if kind == "Headless" else {}),
        **({"selector": dict(selector)} if selector else {}),
        "ports": [{"name": f"tcp-{port}", "port": port} for port in ports],
    }
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"generateName": "service-"},
        "spec": spec,
    }
    cluster, begun = namespace.cluster, monotonic()
    answer = cluster.api.create(namespace.path("services"), body, timeout_s=cluster.timeout_s)
    return _witnessed(namespace, asked, answer, begun=begun)


def change_policy(
    namespace: KubeNamespace,
    service: str,
    *,
    policy: Policy | None = None,
    families: Sequence[str] = (),
) -> ServicePolicy:
    """Give the Service called *service* in *namespace* another *policy*, or other *families*; None and
    () leave them as they are.

    Raises Unobserved if there is no such Service, the API refuses the change for another reason than
    its content, or it cannot be asked.
    """
    cluster, path = namespace.cluster, namespace.path("services", service)
    if not service:
        said = f"{cluster.name}: no Service is named: was the one to change not created?"
        raise Unobserved(said, reason="no-service", vantage=cluster.name)
    asked = _asked(namespace, f"the Service {service}, changed", policy, families)
    before = cluster.api.get(path, timeout_s=cluster.timeout_s)
    if not before.good:
        what = f"the Service {service} could not be read"
        raise refused(cluster, before, what, right=RIGHTS)
    begun, body = monotonic(), {"spec": _spec(asked)}
    answer = cluster.api.patch(path, body, kind="merge", timeout_s=cluster.timeout_s)
    return _witnessed(namespace, asked, answer, before=before, begun=begun)


def judge(
    asked: ServicePolicy, answer: Answer, *, primary: str, before: Answer | None = None
) -> ServicePolicy:
    """Read what the API said of what was *asked*, and of the Service *before*, in a cluster with the
    *primary* family. Pure. Raises Malformed for a Service that is none.
    """
    if answer.status == INVALID:
        why = replies.shown(answer.message)
        named = fields_refused(answer)
        return replace(asked, verdict="refused", refused_for=named, error=why, evidence=(why,))
    is_now = read(answer.body)
    was = read(before.body) if before is not None else None
    families, addresses = map(SHOWN.get, is_now.families), map(str, is_now.cluster_ips)
    said = " ".join(map(str, (is_now.policy or "no policy", *families, *addresses)))
    return replace(
        asked,
        verdict=_verdict(asked, is_now, was, primary),
        name=is_now.name,
        policy=is_now.policy,
        families=is_now.families,
        cluster_ips=is_now.cluster_ips,
        evidence=(replies.shown(said),),
    )


def _verdict(asked: ServicePolicy, is_now: Service, was: Service | None, primary: str) -> str:
    families = is_now.families
    dual = len(families) > 1
    if was is not None and _primary(was) != _primary(is_now):
        return "primary-changed"
    if (
        not families
        or families[: len(asked.families_asked)] != asked.families_asked
        or (asked.policy_asked == "RequireDualStack" and not dual)
        or not (is_now.headless or is_now.address_families == families)
    ):
        return "incomplete"
    if asked.policy_asked == "PreferDualStack" and not dual:
        return "fell-back"
    if was is None:
        return "accepted" if asked.families_asked or families[0] == primary else "other-primary"
    if len(was.families) == len(families):
        return "unchanged"
    return "upgraded" if dual else "downgraded"


def _primary(service: Service) -> tuple[object, ...]:
    return service.families[:1], service.cluster_ips[:1]


def _asked(
    namespace: KubeNamespace, what: str, policy: Policy | None, families: Sequence[str]
) -> ServicePolicy:
    return ServicePolicy(
        vantage=namespace.cluster.name,
        asked=f"{what}: {' '.join((policy or 'no policy', *families))}",
        verdict="",
        policy_asked=policy or "",
        families_asked=tuple(families),
    )


def _spec(asked: ServicePolicy) -> dict[str, object]:
    """The part of a Service's spec that says what was *asked*, as the API spells it."""
    policy = {"ipFamilyPolicy": asked.policy_asked} if asked.policy_asked else {}
    families = [SHOWN[family] for family in asked.families_asked]
    return {**policy, **({"ipFamilies": families} if families else {})}


def _witnessed(
    namespace: KubeNamespace,
    asked: ServicePolicy,
    answer: Answer,
    *,
    begun: float,
    before: Answer | None = None,
) -> ServicePolicy:
    cluster = namespace.cluster
    if not answer.good and answer.status != INVALID:
        raise refused(cluster, answer, asked.asked, right=RIGHTS)
    try:
        finding = judge(asked, answer, primary=cluster.spec.families[0], before=before)
    except Malformed as why:
        said = f"{cluster.name}: what its API calls a Service is none: {why}"
        raise Unobserved(said, reason="malformed", vantage=cluster.name) from why
    finding = replace(finding, elapsed_s=monotonic() - begun)
    cluster.witness(finding)
    return finding
