"""Which addresses and ranges does a node have, and is it ready? The API's Node, v1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.kube import families
from pytest_v6probe.kube.fields import Fields, identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.kube.fields import Network
    from pytest_v6probe.result import Address, Family

_NAMES = {"Hostname", "InternalDNS", "ExternalDNS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node, its addresses in the API's order."""

    name: str
    internal: tuple[Address, ...] = ()
    external: tuple[Address, ...] = ()
    host_names: tuple[str, ...] = ()
    pod_ranges: tuple[Network, ...] = ()
    """``podCIDRs``; none where the CNI takes its addresses from elsewhere, as on EKS."""
    ready: bool = False
    not_ready_why: str = ""
    """What the condition ``Ready`` says where it is not true."""

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The internal ones, then the external ones: that is where a NodePort answers."""
        return self.internal + self.external

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of its addresses, in order."""
        return families.of_all(self.addresses)


def node(said: Mapping[str, Any]) -> Node:
    """Read one Node. Raises Malformed."""
    fields = Fields(said)
    _, name = identity(fields)
    spec, status = fields.inner("spec"), fields.inner("status")
    ready, why = _ready(status)
    return Node(
        name=name,
        internal=_of_type(status, "InternalIP"),
        external=_of_type(status, "ExternalIP"),
        host_names=tuple(
            entry.text("address")
            for entry in status.each("addresses")
            if entry.text("type") in _NAMES
        ),
        pod_ranges=spec.networks("podCIDRs"),
        ready=ready,
        not_ready_why=why,
    )


def _of_type(status: Fields, kind: str) -> tuple[Address, ...]:
    return tuple(
        entry.as_address("address", entry.text("address"))
        for entry in status.each("addresses")
        if entry.text("type") == kind
    )


def _ready(status: Fields) -> tuple[bool, str]:
    for condition in status.each("conditions"):
        if condition.text("type") == "Ready":
            if condition.text("status") == "True":
                return True, ""
            words = (condition.text("reason"), condition.text("message"))
            return False, ": ".join(filter(None, words))
    return False, "it has no condition Ready"
