"""Which endpoints does a service have, of which family, on which node, ready or not? The API's
EndpointSlice, discovery.k8s.io/v1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.kube import families
from pytest_v6probe.kube.fields import Fields, Malformed, identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.result import Address, Family

_SERVICE = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPort:
    """One port that the endpoints of a slice listen on; its name is that of the service's port."""

    port: int
    name: str = ""
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEndpoint:
    """One endpoint of a service."""

    address: Address
    """Its first: every consumer takes that, the others are to be the same."""
    ready: bool = True
    node: str = ""
    pod: str = ""
    """``namespace/name``; empty where none stands behind it."""
    host_name: str = ""
    """Its own name in a headless service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSlice:
    """Some endpoints of one service, all of one family. *family* None: names (FQDN)."""

    namespace: str
    name: str
    service: str
    family: Family | None
    endpoints: tuple[ServiceEndpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


def endpoint_slice(said: Mapping[str, Any]) -> EndpointSlice:
    """Read one EndpointSlice. Raises Malformed."""
    fields = Fields(said)
    namespace, name = identity(fields)
    family = families.READ.get(fields.text("addressType"))
    return EndpointSlice(
        namespace=namespace,
        name=name,
        service=service_of(said),
        family=family,
        endpoints=tuple(_endpoint(one, family) for one in fields.each("endpoints") if family),
        ports=tuple(
            EndpointPort(
                port=number,
                name=port.name("name"),
                protocol=port.text("protocol") or "TCP",
            )
            for port in fields.each("ports")
            if (number := port.port("port")) is not None
        ),
    )


def service_of(said: Mapping[str, Any]) -> str:
    """The name of the service that a slice is of; empty if it is of none. Raises Malformed."""
    return Fields(said).inner("metadata").inner("labels").text(_SERVICE)


def _endpoint(fields: Fields, family: Family) -> ServiceEndpoint:
    texts = fields.texts("addresses")
    address = fields.as_address("addresses", texts[0] if texts else "")
    if families.of(address) != family:
        raise Malformed(f"{fields.path}.addresses: {address} in a slice of {family}")
    target = fields.inner("targetRef")
    pod = (target.name("namespace"), target.name("name")) if target.text("kind") == "Pod" else ()
    return ServiceEndpoint(
        address=address,
        ready=fields.inner("conditions").flag("ready") is not False,  # nil is to be read as ready
        node=fields.name("nodeName"),
        pod="/".join(filter(None, pod)),
        host_name=fields.name("hostname"),
    )
