"""Which external addresses has a service been given, who announces them, and what was said of it? The
API's Service and Event, v1; MetalLB's ServiceL2Status and ServiceBGPStatus, v1beta1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.kube import families, services
from pytest_v6probe.kube.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.kube.services import Service
    from pytest_v6probe.result import Address, Family

POOL = "metallb.io/ip-allocated-from-pool"
"""MetalLB writes it on each service that it has given addresses."""
AWS = "service.beta.kubernetes.io/aws-load-balancer-"
IP_ADDRESS_TYPE = f"{AWS}ip-address-type"
"""``dualstack``, or AWS gives IPv4 alone (aws-load-balancer-controller, Service annotations)."""
_AWS_NAMES = (".amazonaws.com", ".amazonaws.com.cn")
_AWS_CLASSES = ("service.k8s.aws/", "eks.amazonaws.com/")  # EKS User Guide, auto-configure-nlb
_ASSIGNED = re.compile(r'announcing from node "([a-z0-9.-]{1,253})" with protocol "(?:layer2|bgp)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """What a service has of its load balancer."""

    service: Service
    addresses: tuple[Address, ...] = ()
    """In the order of ``status.loadBalancer.ingress``."""
    names: tuple[str, ...] = ()
    """Names that it has instead, as on AWS."""
    pool_name: str = ""
    """The pool of MetalLB; empty: MetalLB has given it nothing."""
    ip_address_type: str = ""
    """What the annotation of AWS asks for."""
    of_aws: bool = False
    """Whether AWS is who makes it, by its class, its annotations, or its name."""

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of its addresses; of a name only the DNS knows them."""
        return families.of_all(self.addresses)

    @property
    def pending(self) -> bool:
        """Whether nothing has been given."""
        return not self.addresses and not self.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An event: what a controller said of a service."""

    service: str
    """``namespace/name``."""
    reason: str
    message: str
    warning: bool = False
    at: str = ""
    """When it was said last, as RFC 3339 writes it; events sort by that."""

    @property
    def node(self) -> str:
        """The node whose speaker began to announce the service, where it says so."""
        match = _ASSIGNED.fullmatch(self.message) if self.reason == "nodeAssigned" else None
        return match[1] if match else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """That a speaker of MetalLB announces a service's addresses from its *node*: on its link (layer 2),
    or to its peers (BGP).
    """

    service: str
    """``namespace/name``."""
    node: str


def load_balancer(said: Mapping[str, Any]) -> LoadBalancer:
    """Read one Service. Raises Malformed."""
    fields = Fields(said)
    ingress = fields.inner("status").inner("loadBalancer").each("ingress")
    noted = fields.inner("metadata").inner("annotations")
    names = tuple(filter(None, map(_host_name, ingress)))
    of_aws = (
        fields.inner("spec").text("loadBalancerClass").startswith(_AWS_CLASSES)
        or any(str(key).startswith(AWS) for key in noted.said)
        or any(name.endswith(_AWS_NAMES) for name in names)
    )
    # GKE's controller wrote an IPv6 frontend with its /96 behind it until July 2026
    texts = (entry.text("ip").removesuffix("/96") for entry in ingress)
    return LoadBalancer(
        service=services.service(said),
        addresses=tuple(ingress[0].as_address("ip", text) for text in texts if text),
        names=names,
        pool_name=noted.text(POOL),
        ip_address_type=noted.text(IP_ADDRESS_TYPE),
        of_aws=of_aws,
    )


def event(said: Mapping[str, Any]) -> Said:
    """Read one Event; one that is not of a service has none. Raises Malformed."""
    fields = Fields(said)
    about = fields.inner("involvedObject")
    of_service = about.text("kind") == "Service"
    times = (fields.text("lastTimestamp"), fields.text("eventTime"))
    return Said(
        service=f"{about.name('namespace')}/{about.name('name')}" if of_service else "",
        reason=fields.text("reason"),
        message=fields.text("message"),
        warning=fields.text("type") == "Warning",
        at=max(times),
    )


def announcement(said: Mapping[str, Any]) -> Announcement:
    """Read one ServiceL2Status or ServiceBGPStatus. Raises Malformed."""
    status = Fields(said).inner("status")
    return Announcement(
        service=f"{status.name('serviceNamespace')}/{status.name('serviceName')}",
        node=status.name("node"),
    )


def _host_name(entry: Fields) -> str:
    """The name in one entry of the ingress; empty where it has an address."""
    text = entry.text("hostname").lower().rstrip(".")
    return Fields({"hostname": text}, entry.path).name("hostname")
