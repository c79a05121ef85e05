"""What of Kubernetes does an environment have? Clusters, pods to ask from, services and load
balancers to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_v6probe.inventory.model import Namespace
    from pytest_v6probe.result import Endpoint

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One ``[[cluster]]``: a Kubernetes cluster, as a kubeconfig leads to it."""

    name: str
    families: tuple[str, ...]
    """The families of its pods and services, the primary one first (``clusterIPs[0]`` of a service
    that asks for nothing has that).
    """
    region: str = ""
    kubeconfig: str = ""
    """The file; empty: ``KUBECONFIG``, else ~/.kube/config, as kubectl has it."""
    context: str = ""
    """Empty: the file's current one."""
    via: str | Namespace | None = None
    """Through what the API server is reached: a host's name, or a namespace of the lab."""
    service_ranges: tuple[Network, ...] = ()
    pod_ranges: tuple[Network, ...] = ()
    node_ranges: tuple[Network, ...] = ()
    dns_service: str = "kube-system/kube-dns"
    """``namespace/name`` of the cluster's DNS."""
    probe_image: str = ""
    """An image with python3 that pods are made of; empty: none are."""

    @property
    def id(self) -> str:
        """The cluster's test id, ``region/name``."""
        return f"{self.region}/{self.name}" if self.region else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One ``[[pod]]``: the first ready pod, by name, that *selector* (and *node*) fits."""

    cluster: str
    """The id of its cluster."""
    namespace: str = "default"
    selector: str = ""
    """A label selector as kubectl takes it: ``app=web,tier!=cache``."""
    container: str = ""
    """Empty: the pod's default one (kubectl.kubernetes.io/default-container), else its first."""
    node: str = ""
    """Only a pod on this node."""
    debug_image: str = ""
    """An image with python3, run as an ephemeral container where *container* has none itself."""
    envoy_admin: Endpoint | None = None
    """Where the admin interface of its Envoy sidecar listens, as the pod itself reaches it; None: it
    has no sidecar to ask.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One ``[[service]]`` of a cluster. Never a vantage."""

    name: str
    cluster: str
    """The id of its cluster."""
    families: tuple[str, ...]
    """The families it must have, in order: ``ipFamilies``."""
    namespace: str = "default"
    type: str = "ClusterIP"
    """``ClusterIP``, ``NodePort``, ``LoadBalancer`` or ``Headless``."""
    http: bool = True
    """Whether its first port speaks HTTP; else only a TCP connection is made."""
    mesh: bool = False
    """Whether the pods behind it are in a mesh, each with a sidecar."""

    @property
    def id(self) -> str:
        """The service's test id, ``cluster/namespace/name``."""
        return f"{self.cluster}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """One ``[[load_balancer]]``: the external addresses of a service. Never a vantage."""

    name: str
    families: tuple[str, ...]
    """The families it must have an external address of."""
    cluster: str
    """The id of its cluster."""
    namespace: str = "default"
    service: str = ""
    """The service it is of; empty: as *name* says."""
    pool: tuple[Network, ...] = ()
    """What its addresses are from; a family without a range is not judged."""
    client_address_page: str = ""
    """A page of its servers that says from which address it was asked; they must see the client's own
    (``externalTrafficPolicy: Local``). Empty: that is not asked.
    """
    http: bool = True
    """Whether its first port speaks HTTP; else only a TCP connection is made."""

    @property
    def id(self) -> str:
        """Its test id, ``cluster/name``."""
        return f"{self.cluster}/{self.name}"

    @property
    def service_name(self) -> str:
        """The service, as ``namespace/name``."""
        return f"{self.namespace}/{self.service or self.name}"
