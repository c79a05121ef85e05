"""Why did calls not pass a sidecar, and what mends it? istio.io, "Install Istio in Dual-Stack mode", and
tools/istio-iptables of its repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.kube import families
from pytest_v6probe.probes import envoy_causes
from pytest_v6probe.result import Family

if TYPE_CHECKING:
    from pytest_v6probe.probes.sidecar_inbound import SidecarInbound
    from pytest_v6probe.probes.sidecar_outbound import SidecarOutbound

ENVOYS_USER = 1337
"""Whose connections istio-init leaves alone: they are Envoy's own."""

Cause = tuple[str, str]
_PAST = {"not-captured", "partly-captured"}


def of_outbound(found: SidecarOutbound) -> Cause | None:
    """The cause of the verdict of *found* and the command that cures it; None where none is known."""
    word = families.SHOWN[found.family]
    namespace, _, name = found.service.partition("/")
    if found.verdict in _PAST:
        if found.user == ENVOYS_USER:
            return (
                f"the calls were made by the user {ENVOYS_USER}, Envoy's own, which is not captured",
                "v6probe check FILE  # `container` of its [[pod]] is to be the application's",
            )
        return _past(f"what it sends over {word}", "Outbound", found.family, found.namespace)
    if found.verdict == "passed-through":
        return (
            f"Envoy takes {word}, and does not know the service's address of it: istiod told it the "
            "first family alone, or a Sidecar resource hides the service",
            envoy_causes.switched_on(found.namespace),
        )
    if found.verdict == "family-missing":
        return (
            f"the service has no ClusterIP of {word}",
            f"kubectl -n {namespace} patch service {name} -p "
            '\'{"spec":{"ipFamilyPolicy":"RequireDualStack"}}\'',
        )
    if found.verdict.startswith("status-5"):
        return (
            f"{found.verdict.removeprefix('status-')} came, of the service or of Envoy, which says so "
            "itself where it reaches no endpoint",
            "kubectl logs <pod> -c istio-proxy  # response flags UH, UF, NR; see envoy_endpoints",
        )
    return _of_both(found.verdict, word, found.namespace)


def of_inbound(found: SidecarInbound) -> Cause | None:
    """The cause of the verdict of *found* and the command that cures it; None where none is known."""
    word = families.SHOWN[found.family]
    if found.verdict in _PAST:
        return _past(f"what comes over {word}", "Inbound", found.family, found.namespace)
    if found.verdict == "family-missing":
        return (
            f"the pod has no address of {word}",
            f"kubectl -n {found.namespace} get pods -o custom-columns=NAME:.metadata.name,IPS:.status.podIPs",
        )
    if found.verdict in {"reset", "closed"} and not found.through:
        return (
            "the sidecar takes no plain text: PeerAuthentication is STRICT, and the caller is in no mesh",
            "kubectl get peerauthentications -A  # PERMISSIVE, or a caller with a sidecar",
        )
    return _of_both(found.verdict, word, found.namespace)


def _past(what: str, direction: str, family: Family, namespace: str) -> Cause:
    tables = "ip6tables" if family is Family.IPV6 else "iptables"
    return (
        f"{what} goes past the sidecar: no rule of {tables} in the pod redirects it to Envoy. istio-init "
        "makes them for both families only where ISTIO_DUAL_STACK is in the pod's proxyMetadata; or an "
        f"annotation traffic.sidecar.istio.io/exclude{direction}… leaves it out",
        f"{tables} -t nat -S  # in the pod's network namespace: none has --to-ports; then "
        f"{envoy_causes.switched_on(namespace)}",
    )


def _of_both(verdict: str, word: str, namespace: str) -> Cause | None:
    if verdict == "no-envoy":
        return envoy_causes.no_envoy(namespace)
    if verdict == "not-listening":
        return (
            f"the pod redirects {word} to its sidecar, and Envoy listens on no address of {word} there: "
            "dual stack is off in istiod, as by default, or an EnvoyFilter changes that listener",
            f"istioctl proxy-config listeners <pod>  # where all lack it: {envoy_causes.switched_on(namespace)}",
        )
    return None
