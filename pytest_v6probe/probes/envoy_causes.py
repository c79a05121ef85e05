"""Why has a sidecar no listener or no endpoint of a family, and what mends it? istio.io, "Install Istio
in Dual-Stack mode".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.kube import envoy_listeners, families

if TYPE_CHECKING:
    from pytest_v6probe.probes.envoy_endpoints import EnvoyEndpoints
    from pytest_v6probe.probes.envoy_listeners import EnvoyListeners

# release notes of Istio 1.28 (beta); pilot/pkg/features/experimental.go, 1.31: the default is false
DUAL_STACK = (
    "istioctl install --set values.pilot.env.ISTIO_DUAL_STACK=true "
    "--set meshConfig.defaultConfig.proxyMetadata.ISTIO_DUAL_STACK=true"
)
"""How a mesh of sidecars gets its second family."""
_RESTART = "kubectl -n istio-system rollout restart deployment istiod"
_NO_ENVOY = (
    "nobody answers at the inventory's envoy_admin: the pod has no sidecar, it is not up, or it listens on "
    "the loopback address of the other family (127.0.0.1, ::1)"
)


def switched_on(namespace: str) -> str:
    """The command that switches dual stack on for the sidecars of *namespace*."""
    return f"{DUAL_STACK} && kubectl -n {namespace or 'default'} rollout restart deployment"


def no_envoy(namespace: str) -> tuple[str, str]:
    """The cause and the cure where nobody answers at the admin interface."""
    return (
        _NO_ENVOY,
        f"kubectl -n {namespace or 'default'} get pods  # and: kubectl logs <pod> -c istio-proxy",
    )


def of_listeners(found: EnvoyListeners) -> tuple[str, str] | None:
    """The cause of the verdict of *found* and the command that cures it; None where none is known."""
    if found.verdict == "no-envoy":
        return no_envoy(found.namespace)
    if found.verdict == "service-unknown":
        return _unknown("none of its listeners is for the service's port")
    if found.verdict != "family-missing":
        return None
    word = families.listed(found.lacking)
    names = " and ".join(found.at_fault[:4])
    if _everywhere(found):
        return (
            f"istiod gives it no listener of {word}: dual stack is off, as it is by default, or the pod has "
            "no address of it",
            switched_on(found.namespace),
        )
    return (
        f"of its listeners {names or 'for the service'} lack {word}, others have it: an EnvoyFilter "
        "changes them, or that release of Istio leaves it out (1.24: istio/istio#55577)",
        "kubectl get envoyfilters -A  # and: istioctl proxy-config listeners <pod> -o json",
    )


def _everywhere(found: EnvoyListeners) -> bool:
    """Whether both listeners that take a pod's connections lack what lacks."""
    names = {envoy_listeners.OUTBOUND, envoy_listeners.INBOUND}
    return names <= {*found.at_fault}


def of_endpoints(found: EnvoyEndpoints) -> tuple[str, str] | None:
    """The cause of the verdict of *found* and the command that cures it; None where none is known."""
    _, _, name = found.service.partition("/")
    config = f"istioctl proxy-config endpoints <pod> | grep {name}"
    if found.verdict == "no-envoy":
        return no_envoy(found.namespace)
    if found.verdict == "service-unknown":
        return _unknown("it has no cluster of the service")
    if found.verdict == "family-missing":
        return (
            f"istiod tells it no endpoint of {families.listed(found.lacking)}, and the API has some: this "
            "pod was made before dual stack was on, and has no ISTIO_DUAL_STACK of its own, or istiod "
            "takes the service's pods for those of one family",
            f"{switched_on(found.namespace)}  # and: {config}; else: {_RESTART}",
        )
    if found.verdict == "unhealthy":
        where = " ".join(sorted(map(str, found.unhealthy)))
        return f"Envoy sends nothing to {where}: see what it says of it", config
    if found.verdict == "differs":
        return _differs(found, config)
    return None


def _differs(found: EnvoyEndpoints, config: str) -> tuple[str, str]:
    """Some pods lack one family, or Envoy is behind. Envoy 1.40 keeps the additional addresses of an
    endpoint as it first learned them.
    """
    short = families.of_all(one.address for one in found.missing)
    if len(short) == 1 and not found.extra:
        return (
            f"it knows some pods by one address, without {families.listed(short)}: it first heard of "
            "them before they had both, and takes no address of theirs afterwards",
            f"kubectl -n {found.namespace or 'default'} rollout restart deployment  # and: {config}",
        )
    return (
        "Envoy has other endpoints than the API: istiod does not reach it, or not yet",
        f"istioctl proxy-status  # and: {config}",
    )


def _unknown(what: str) -> tuple[str, str]:
    return (
        f"{what}: a Sidecar resource, or exportTo of the service, keeps it from this pod",
        "kubectl get sidecars -A  # and: istioctl proxy-config clusters <pod>",
    )
