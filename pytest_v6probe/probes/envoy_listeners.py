"""Does a pod's Envoy listen on addresses of every family that its cluster has? Istio's dual stack, as
Envoy itself says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.kube import envoy_listeners as reader
from pytest_v6probe.kube import families
from pytest_v6probe.kube.envoy_listeners import Listener
from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.probes import envoy_admin, envoy_causes, replies
from pytest_v6probe.result import Family, Finding, Layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.vantage import Vantage

SHOWN_LINES = 8
TCP = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyListeners(Finding):
    """The listeners of one pod's Envoy, additional addresses counted; a ``::`` with ``ipv4_compat`` is of
    both families.

    Verdicts: ``as-declared``; ``family-missing`` (a listener for any address lacks a family of the
    cluster, or the service's listeners lack one of the service's, see *lacking* and *at_fault*);
    ``service-unknown`` (no listener takes connections to the service, of any family); ``absent`` (the
    API has no such service); ``none`` (it listens nowhere); ``no-envoy`` (nobody answers at its admin interface); ``malformed`` (what came is
    not what Envoy's documentation says). A listener for one service's address has that service's
    families: it is judged for the service that was asked about only.
    """

    layer: ClassVar[Layer] = Layer.SIDECAR
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    listeners: tuple[Listener, ...] = ()
    wanted: tuple[str, ...] = ()
    """The families of the cluster."""
    lacking: tuple[str, ...] = ()
    """The families that the verdict says lack."""
    at_fault: tuple[str, ...] = ()
    """The names of the listeners that lack them."""
    namespace: str = ""
    """Of the pod."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Why a family lacks, and what adds it."""
        return envoy_causes.of_listeners(self)


def envoy_listeners(
    at: Vantage, found: KubeService | None = None, *, timeout_s: float = 5.0
) -> EnvoyListeners:
    """Ask the Envoy of the pod *at* where it listens: on the families of the cluster of *found*, what
    `kube_service` returned, and for that service; without it, on both families.

    Raises Unobserved where the inventory names no admin interface, or the pod cannot be used.
    """
    said = envoy_admin.ask(at, (envoy_admin.LISTENERS,), timeout_s=timeout_s)
    known: tuple[Listener, ...] = ()
    trouble, line = "", ""
    try:
        known = reader.listeners(said[0].document)
        if names := _perhaps_compatible(known):
            said += envoy_admin.ask(at, envoy_admin.listener_dumps(names), timeout_s=timeout_s)
            compatible = {name for one in said[1:] for name in reader.compatible(one.document)}
            known = reader.listeners(said[0].document, compatible)
        trouble, line = envoy_admin.trouble(said)
    except Malformed as why:
        trouble, line = "malformed", replies.shown(str(why))
    namespace = at.host.pod.namespace if at.host.pod is not None else ""
    finding = judge(at.name, namespace, known, found, trouble=trouble, line=line)
    at.witness(finding)
    return finding


def _perhaps_compatible(known: Iterable[Listener]) -> list[str]:
    """The names of the listeners of which their configuration must tell whether IPv4 is taken too."""
    return [one.name for one in known if one.wildcard and Family.IPV4 not in one.families]


def judge(
    vantage: str,
    namespace: str,
    known: tuple[Listener, ...],
    found: KubeService | None,
    *,
    trouble: str = "",
    line: str = "",
) -> EnvoyListeners:
    """Compare the families of what listens with those that are wanted. Pure."""
    wanted = found.cluster_families if found is not None else tuple(Family)
    verdict, lacking, at_fault = (trouble, (), ()) if trouble else _verdict(known, wanted, found)
    about = f" for {found.service.id}" if found is not None and found.service is not None else ""
    shown = sorted(known, key=lambda one: (one.name not in at_fault, one.of_service))
    return EnvoyListeners(
        vantage=vantage,
        asked=f"where its Envoy listens{about}",
        verdict=verdict,
        listeners=known,
        wanted=wanted,
        lacking=lacking,
        at_fault=at_fault,
        namespace=namespace,
        evidence=(line,) if line else tuple(map(_line, shown[:SHOWN_LINES])),
    )


Verdict = tuple[str, tuple[str, ...], tuple[str, ...]]
"""The verdict, the families that lack, and the listeners that lack them."""


def _verdict(
    known: tuple[Listener, ...], wanted: tuple[str, ...], found: KubeService | None
) -> Verdict:
    if not known:
        return "none", (), ()
    for_any = [one for one in known if one.wildcard and not one.of_service]
    short = [one for one in for_any if not {*wanted} <= one.families]
    if short:
        lacking = [family for family in wanted if any(family not in one.families for one in short)]
        return "family-missing", tuple(lacking), tuple(one.name for one in short)
    return _of_service(known, found) if found is not None else ("as-declared", (), ())


def _of_service(known: tuple[Listener, ...], found: KubeService) -> Verdict:
    """The verdict on the listeners for the addresses and TCP ports of a service."""
    if found.service is None:
        return "absent", (), ()
    ports = [one.port for one in found.service.ports if one.protocol == TCP]
    taken = {
        (port, address): any(one.takes(address, port) for one in known)
        for port in ports
        for address in found.cluster_ips
    }
    if all(taken.values()):
        return "as-declared", (), ()
    if not any(taken.values()):
        return "service-unknown", (), ()
    untaken = [place for place, there in taken.items() if not there]
    lacking = families.of_all(address for _, address in untaken)
    at_ports = {port for port, _ in untaken}
    names = [one.name for one in known if any(at.port in at_ports for at in one.addresses)]
    return "family-missing", lacking, tuple(names)


def _line(one: Listener) -> str:
    compat = " (ipv4_compat)" if one.ipv4_compat else ""
    return replies.shown(f"{one.name}: {' '.join(map(str, one.addresses))}{compat}")
