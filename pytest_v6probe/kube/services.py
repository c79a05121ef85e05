"""Which families, addresses and ports does a service have? The API's Service, v1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.kube import families
from pytest_v6probe.kube.fields import Fields, Malformed, identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.result import Address, Family

_HEADLESS = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """One port of a service."""

    port: int
    name: str = ""
    protocol: str = "TCP"
    node_port: int = 0
    """What every node listens on for it; 0: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service, its addresses and families in the API's order."""

    namespace: str
    name: str
    type: str = "ClusterIP"
    """``ClusterIP``, ``NodePort``, ``LoadBalancer``, ``ExternalName``."""
    policy: str = ""
    """``ipFamilyPolicy``: ``SingleStack``, ``PreferDualStack``, ``RequireDualStack``."""
    families: tuple[Family, ...] = ()
    """``ipFamilies``."""
    cluster_ips: tuple[Address, ...] = ()
    headless: bool = False
    selector: bool = True
    """Whether it has one; without, nobody but its owner makes its EndpointSlices."""
    ports: tuple[ServicePort, ...] = ()
    external: tuple[Address, ...] = ()
    """What its load balancer answers at, and its own ``externalIPs``."""
    external_names: tuple[str, ...] = ()
    """Names that its load balancer has instead, as on AWS."""
    local_only: bool = False
    """``externalTrafficPolicy: Local``: a node without an endpoint of its own does not answer."""

    node_local: bool = False
    """``internalTrafficPolicy: Local``: the ClusterIP leads to endpoints of the asking node only."""

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def address_families(self) -> tuple[Family, ...]:
        """The families that its ClusterIPs have, in their order."""
        return tuple(families.of(address) for address in self.cluster_ips)

    @property
    def kind(self) -> str:
        """Its type as the inventory has it: ``Headless`` for one without an address."""
        return "Headless" if self.headless else self.type


def service(said: Mapping[str, Any]) -> Service:
    """Read one Service. Raises Malformed."""
    fields = Fields(said)
    namespace, name = identity(fields)
    if not namespace:
        raise Malformed("metadata.namespace: a DNS name was due")
    spec = fields.inner("spec")
    given = spec.texts("clusterIPs")
    ingress = fields.inner("status").inner("loadBalancer").each("ingress")
    return Service(
        namespace=namespace,
        name=name,
        type=spec.text("type") or "ClusterIP",
        policy=spec.text("ipFamilyPolicy"),
        families=_families(spec),
        cluster_ips=tuple(
            spec.as_address("clusterIPs", text) for text in given if text not in {_HEADLESS, ""}
        ),
        headless=_HEADLESS in given,
        selector=bool(spec.inner("selector").said),
        ports=tuple(_port(port) for port in spec.each("ports")),
        external=(
            *(_ingress(entry) for entry in ingress if entry.text("ip")),
            *(spec.as_address("externalIPs", text) for text in spec.texts("externalIPs")),
        ),
        external_names=tuple(filter(None, (entry.text("hostname") for entry in ingress))),
        local_only=spec.text("externalTrafficPolicy") == "Local",
        node_local=spec.text("internalTrafficPolicy") == "Local",
    )


def _families(spec: Fields) -> tuple[Family, ...]:
    given = spec.texts("ipFamilies")
    unknown = [word for word in given if word not in families.READ]
    if unknown:
        raise Malformed(f"spec.ipFamilies: IPv6 or IPv4 was due, not {unknown[0][:64]!r}")
    return tuple(families.READ[word] for word in given)


def _ingress(entry: Fields) -> Address:
    """GKE's controller wrote an IPv6 frontend with its ``/96`` behind it until July 2026."""
    return entry.as_address("ip", entry.text("ip").removesuffix("/96"))


def _port(port: Fields) -> ServicePort:
    number = port.port("port")
    if number is None:
        raise Malformed(f"{port.path}.port: a port number was due")
    return ServicePort(
        port=number,
        name=port.name("name"),
        protocol=port.text("protocol") or "TCP",
        node_port=port.port("nodePort") or 0,
    )
