"""What does an environment consist of? Frozen values, as an inventory file or a lab declares them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_v6probe.inventory.kube import Cluster, LoadBalancer, Pod, Service

if TYPE_CHECKING:
    from pytest_v6probe.result import Address, Endpoint

__all__ = [
    "Cluster",
    "Container",
    "Docker",
    "Environment",
    "Host",
    "Image",
    "Inventory",
    "LoadBalancer",
    "Login",
    "Namespace",
    "Pod",
    "Role",
    "Service",
    "Site",
]


class Role(StrEnum):
    """What a host is there for; scenario fixtures choose by it."""

    INSTANCE = "instance"  # in an IPv6-only subnet, reachable from outside
    EGRESS_ONLY = "egress-only"  # in an IPv6-only subnet behind an egress-only internet gateway
    NESTED = "nested"  # a container or namespace, one hop behind an instance
    OUTSIDE = "outside"  # somewhere on the internet, with both families
    CONTAINER = "container"  # a container of an engine, one hop behind its host
    POD = "pod"  # a pod of a cluster
    NODE = "node"  # a node of a cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An SSH destination as written: ``user@[literal]:port``, ``user@name``. Unset parts come from
    ~/.ssh/config.
    """

    host: Address | str
    user: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A network namespace of the lab that the inventory belongs to: ``netns:NAME``."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One ``[[container]]``, as its engine knows it."""

    name: str
    helper_image: str = ""
    """An image with python3, run in the container's network namespace where it has none itself."""
    port: int = 0
    """What an HTTP server in it listens on, to be reached on the container's own address."""
    published_port: int = 0
    """The port of the engine's host that leads to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One ``[[host]]``, ``[[container]]`` or ``[[pod]]``: a place to ask from. Exactly one of
    *local*, *ssh*, *namespace*, *container*, *pod*, *debug_image* says how it is reached.
    """

    name: str
    region: str = ""
    role: Role = Role.INSTANCE
    local: bool = False
    ssh: Login | None = None
    namespace: Namespace | None = None
    via: str | Namespace | None = None
    """Through what *ssh* is reached: another host's name, or a namespace of the lab."""
    management: Login | Namespace | None = None
    """A way in that does not depend on the host's default route; used when *ssh* fails."""
    address: IPv6Address | None = None
    """The global IPv6 address the host must have; defaults to the literal in *ssh*."""
    resource_name: str = ""
    """The resource-based name, ``i-….ec2.internal``."""
    imds_tokens: str = ""
    """``optional`` or ``required``: what the metadata service must say to a request without a
    token.
    """
    behind: str = ""
    """For a nested host: the name of the host it sits behind."""
    python: str = "python3"
    sudo: bool = False
    """Start the agent, and what changes the host, by ``sudo -n``."""
    container: Container | None = None
    """For a container: which one, of the engine on the host *behind*."""
    pod: Pod | None = None
    """For a pod: which one, of which cluster."""
    cluster: str = ""
    """For a node: the id of its cluster."""
    debug_image: str = ""
    """For a node: an image with python3, run on the node's network as the way in."""

    def __post_init__(self) -> None:
        """Take *address* from the literal in *ssh*, where it is not given."""
        host = self.ssh.host if self.ssh is not None else None
        if self.address is None and isinstance(host, IPv6Address) and not host.is_link_local:
            object.__setattr__(self, "address", host)

    @property
    def id(self) -> str:
        """The host's test id, ``region/name``."""
        return f"{self.region}/{self.name}" if self.region else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One ``[[site]]``: something on the internet that answers HTTP. Never a vantage."""

    name: str
    """The DNS name in *url* (or its literal)."""
    url: str
    families: tuple[str, ...]
    """``("ipv4",)``, ``("ipv6",)`` or both: the address records its name has, and the families it
    serves.
    """
    region: str = ""
    """Only hosts of this region ask it; empty: all."""
    ipv4_addresses: frozenset[IPv4Address] = frozenset()
    """The A records, where the inventory pins them; otherwise scenarios compare with a live A
    query.
    """
    large_url: str = ""
    """A page of at least 200 kB, for path MTU; defaults to *url*."""
    ca: str = ""
    """The certificate authority of a private https site: PEM, out of the file that the inventory
    names.
    """

    def __post_init__(self) -> None:
        """Take *large_url* from *url*, where it is not given."""
        object.__setattr__(self, "large_url", self.large_url or self.url)

    @property
    def id(self) -> str:
        """The site's test id."""
        return self.name

    @property
    def https(self) -> bool:
        """Whether *url* wants TLS."""
        return urlsplit(self.url).scheme == "https"

    @property
    def port(self) -> int:
        """The port in *url*, written or that of its scheme."""
        return urlsplit(self.url).port or (443 if self.https else 80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """One ``[[docker]]``: the Docker Engine of a host. *url* with *certificates* where it is asked
    over TLS from here; else through the host, at *socket*.
    """

    host: str
    socket: str = "/var/run/docker.sock"
    url: str = ""
    certificates: str = ""
    """The directory of ca.pem, cert.pem and key.pem for *url*, as ``DOCKER_CERT_PATH``."""
    restart: tuple[str, ...] = ("systemctl", "restart", "docker")
    """The command that restarts it, run as root on the host."""
    daemon_json: str = "/etc/docker/daemon.json"
    image: str = ""
    """An image that is there already, for the containers that disruptive tests start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One ``[[image]]``: something to pull. *reference* is as a ``docker pull`` takes it."""

    reference: str
    ca: str = ""
    """The certificate authority of a private registry: PEM, out of the file that the inventory
    names.
    """
    push: bool = False
    """Whether its registry takes a push from here."""
    mirror: str = ""
    """The host (and port) of the mirror that a plain pull of it must use."""
    insecure: bool = False
    """Whether its registry speaks plain HTTP: one of the engines' ``insecure-registries``."""

    @property
    def id(self) -> str:
        """The image's test id."""
        return self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """``[environment]``: which cloud this is."""

    name: str
    cloud: str
    """``aws``, ``azure``, ``gcp``: which data of `clouds` applies."""
    lab: str = ""
    """The name of the lab that this environment is, if it is one."""
    nat64_prefix: IPv6Network | None = None
    """The NAT64 prefix the cloud must use; defaults to the cloud's own (AWS: 64:ff9b::/96)."""
    ra_interval_s: float = 60.0
    """The longest time between two router advertisements (RFC 4861 §6.2.1), in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """A whole environment. Names of hosts are unique within their region; sites are unique by name."""

    environment: Environment
    hosts: tuple[Host, ...] = ()
    sites: tuple[Site, ...] = ()
    dockers: tuple[Docker, ...] = ()
    images: tuple[Image, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    services: tuple[Service, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    source: str = field(default="", compare=False)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions, in the order in which the inventory first names them."""
        regions = (
            *(host.region for host in self.hosts),
            *(known.region for known in self.clusters),
        )
        return tuple(dict.fromkeys(region for region in regions if region))

    def host(self, host_id: str) -> Host:
        """The host with the id ``region/name``. Raises KeyError."""
        for host in self.hosts:
            if host.id == host_id:
                return host
        raise KeyError(host_id)

    def cluster(self, cluster_id: str) -> Cluster:
        """The cluster with the id ``region/name``. Raises KeyError."""
        for cluster in self.clusters:
            if cluster.id == cluster_id:
                return cluster
        raise KeyError(cluster_id)

    def cluster_of(self, host: Host) -> str:
        """The id of the cluster that a pod or a node is of; empty for any other host."""
        return host.pod.cluster if host.pod is not None else host.cluster

    def docker_at(self, host_id: str) -> Docker | None:
        """The engine of the host with the id *host_id*; None where no ``[[docker]]`` names it."""
        return next((docker for docker in self.dockers if docker.host == host_id), None)

    def engine_of(self, host: Host) -> Docker | None:
        """The engine that a container is of, or that runs on a host."""
        carrier = self.named(host.behind, near=host) if host.container is not None else host
        return self.docker_at(carrier.id)

    def carrier_of(self, remote: Endpoint) -> Host | None:
        """The host of the container that *remote* leads to, by its own address or a published port;
        None where it leads to none.
        """
        for host in self.hosts:
            if host.container is not None:
                carrier = self.named(host.behind, near=host)
                port = host.container.published_port
                published = port and (remote.address, remote.port) == (carrier.address, port)
                if published or remote.address == host.address:
                    return carrier
        return None

    def named(self, name: str, *, near: Host) -> Host:
        """The host that *near* means by *name* in ``via`` or ``behind``: one of its own region, or
        an id.

        Raises KeyError.
        """
        return self.host(name if "/" in name or not near.region else f"{near.region}/{name}")
