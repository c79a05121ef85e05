"""Which addresses does a pod have, on which node, and are they the node's own? The API's Pod, v1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.kube import families
from pytest_v6probe.kube.fields import Fields, Malformed, identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.result import Address, Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod, its addresses in the API's order."""

    namespace: str
    name: str
    node: str = ""
    """Empty: it has not been given to one."""
    addresses: tuple[Address, ...] = ()
    """``podIPs``."""
    host_network: bool = False
    """It has no network of its own: its addresses are the node's."""
    phase: str = ""
    ready: bool = False
    terminating: bool = False
    tcp_ports: tuple[int, ...] = ()
    """What its containers declare to listen on."""

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def running(self) -> bool:
        """Whether it runs, and is to go on."""
        return self.phase == "Running" and not self.terminating

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of its addresses, in order."""
        return families.of_all(self.addresses)

    def address(self, family: Family) -> Address | None:
        """Its address of *family*; None if it has none."""
        return next((one for one in self.addresses if families.of(one) == family), None)


def pod(said: Mapping[str, Any]) -> Pod:
    """Read one Pod. Raises Malformed."""
    fields = Fields(said)
    namespace, name = identity(fields)
    if not namespace:
        raise Malformed("metadata.namespace: a DNS name was due")
    spec, status = fields.inner("spec"), fields.inner("status")
    return Pod(
        namespace=namespace,
        name=name,
        node=spec.name("nodeName"),
        addresses=_addresses(status),
        host_network=bool(spec.flag("hostNetwork")),
        phase=status.text("phase"),
        ready=any(
            condition.text("type") == "Ready" and condition.text("status") == "True"
            for condition in status.each("conditions")
        ),
        terminating=bool(fields.inner("metadata").text("deletionTimestamp")),
        tcp_ports=_tcp_ports(spec),
    )


def _addresses(status: Fields) -> tuple[Address, ...]:
    found = [entry.address("ip") for entry in status.each("podIPs")]
    return tuple(address for address in found if address is not None)


def _tcp_ports(spec: Fields) -> tuple[int, ...]:
    found = [
        port.port("containerPort")
        for container in spec.each("containers")
        for port in container.each("ports")
        if port.text("protocol") in {"", "TCP"}
    ]
    return tuple(number for number in found if number is not None)
