"""Why has a service not the families or the endpoints that it is to have, and what mends it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.kube import families

if TYPE_CHECKING:
    from pytest_v6probe.kube.endpoint_slices import EndpointSlice
    from pytest_v6probe.kube.services import Service

ADD_FAMILY = (
    "kubectl get servicecidrs  # --service-cluster-ip-range=<first>,<second> of kube-apiserver and "
    "kube-controller-manager; GKE: gcloud container clusters update <cluster> --stack-type=ipv4-ipv6; "
    "AKS: az aks create --ip-families ipv4,ipv6; EKS has one family"
)
"""How a cluster gets service addresses of its second family."""


def cause(
    verdict: str,
    service: Service,
    slices: tuple[EndpointSlice, ...],
    lacking: tuple[str, ...],
    cluster_families: tuple[str, ...],
) -> tuple[str, str] | None:
    """The cause of *verdict* on *service* and the command that cures it; None where none is known."""
    if verdict == "fell-back":
        only = families.listed(service.families)
        if len(cluster_families) < 2:
            return (
                f"the cluster's services have {only} only: PreferDualStack falls back to it silently",
                ADD_FAMILY,
            )
        return (
            f"the API server gave {only} only: it has no service range of the other family, or had "
            "none when the service was made",
            ADD_FAMILY,
        )
    if verdict == "family-missing":
        return (
            f"{service.policy or 'SingleStack'} gives it {families.listed(service.families)} only",
            _patch(service, '{"spec":{"ipFamilyPolicy":"RequireDualStack"}}'),
        )
    if verdict == "other-order":
        return (
            f"its first family is {families.listed(service.families[:1])}, and that cannot be changed",
            f"kubectl -n {service.namespace} delete service {service.name}"
            "  # and make it anew with ipFamilies in the order that it is to have",
        )
    if verdict == "endpoints-missing":
        return _without_endpoints(service, slices, lacking)
    return None


def _without_endpoints(
    service: Service, slices: tuple[EndpointSlice, ...], lacking: tuple[str, ...]
) -> tuple[str, str]:
    """Pods that are not ready, pods without an address of the family, or nobody who makes slices."""
    named = (
        f"-n {service.namespace} get endpointslices -l kubernetes.io/service-name={service.name}"
    )
    of_family = [known for known in slices if known.family in lacking]
    word = families.listed(lacking)
    if any(known.endpoints for known in of_family):
        return (
            f"no endpoint of {word} is ready",
            f"kubectl -n {service.namespace} get pods -o wide  # and their readiness probes",
        )
    if not service.selector:
        return (
            f"the service has no selector, and its owner made no EndpointSlice of {word}",
            f"kubectl {named}",
        )
    if any(known.endpoints for known in slices):
        return (
            f"its EndpointSlices have no endpoint of {word}: its pods have no address of that family, "
            "or kube-controller-manager does not make the slice",
            f"kubectl {named} && kubectl -n {service.namespace} get pods -o "
            "custom-columns=NAME:.metadata.name,IPS:.status.podIPs",
        )
    return (
        f"its selector fits no pod that runs, or kube-controller-manager makes no slice of {word}",
        f"kubectl {named} && kubectl -n {service.namespace} get pods --show-labels",
    )


def _patch(service: Service, change: str) -> str:
    return f"kubectl -n {service.namespace} patch service {service.name} -p '{change}'"
