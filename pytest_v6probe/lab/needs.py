"""What does a lab of each shape need of this machine? Programs, and whether it must be root's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program the lab runs, the package of Debian and Ubuntu that has it, and the service that
    the package would start.
    """

    name: str
    package: str
    purpose: str
    service: str = ""


PROGRAMS = (
    Program(name="named", package="bind9", purpose="DNS and DNS64", service="named"),
    Program(name="tayga", package="tayga", purpose="NAT64", service="tayga"),
    Program(name="radvd", package="radvd", purpose="router advertisements", service="radvd"),
    Program(name="chronyd", package="chrony", purpose="NTP"),
    Program(
        name="sshd", package="openssh-server", purpose="logins on the lab's hosts", service="ssh"
    ),
    Program(name="ssh-keygen", package="openssh-client", purpose="keys of the lab"),
    Program(name="nginx", package="nginx-light", purpose="web sites", service="nginx"),
    Program(name="nft", package="nftables", purpose="gateways and faults"),
    Program(name="unshare", package="util-linux", purpose="the lab's namespaces"),
    Program(name="nsenter", package="util-linux", purpose="the lab's namespaces"),
    Program(name="ip", package="iproute2", purpose="faults"),
)
FOR_USERS = Program(name="newuidmap", package="uidmap", purpose="a lab without root")
CONTAINERS = (
    Program(name="containerd", package="containerd", purpose="containers", service="containerd"),
    Program(name="runc", package="runc", purpose="containers"),
    Program(name="iptables", package="iptables", purpose="firewalls of engines and nodes"),
    Program(name="busybox", package="busybox-static", purpose="what runs in containers"),
)
ENGINE = (
    Program(name="dockerd", package="docker.io", purpose="Debian's engine", service="docker"),
    Program(name="docker", package="docker.io", purpose="its command line"),
    Program(name="docker-proxy", package="docker.io", purpose="published ports"),
    *CONTAINERS,
    Program(name="sudo", package="sudo", purpose="root on the lab's hosts"),
)
REGISTRY = Program(
    name="docker-registry",
    package="docker-registry",
    purpose="registries",
    service="docker-registry",
)
CLUSTER = (
    Program(name="etcd", package="etcd-server", purpose="the cluster's memory", service="etcd"),
    Program(name="host-local", package="containernetworking-plugins", purpose="pods' addresses"),
    *CONTAINERS,
)
IPSET = Program(name="ipset", package="ipset", purpose="network policies")
NETWORKD = Program(name="systemd-networkd", package="systemd", purpose="router advertisements")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a shape needs besides `PROGRAMS`."""

    programs: tuple[Program, ...] = ()
    root: bool = False
    """Containers need it: cgroups, and mounts that no user namespace may make."""
    builds: tuple[str, ...] = ()
    """What `v6probe lab install` builds."""
    envoy: bool = False
    """Envoy, which no package of Debian has."""
    inotify_instances: int = 0
    """Each user has ``fs.inotify.max_user_instances`` of them, by default 128."""


ENGINES = Needs(programs=(*ENGINE, NETWORKD), root=True, builds=("docker",))
CLUSTERS = Needs(
    programs=CLUSTER,
    root=True,
    builds=("kubernetes", "coredns"),
    inotify_instances=24,  # 19 for two nodes, and a few for pods; without kubelet ends
)
NEEDS: Mapping[str, Needs] = MappingProxyType(
    {
        "aws": Needs(),
        "docker": ENGINES,
        "docker-one": Needs(programs=ENGINE, root=True),
        "docker-routes": ENGINES,
        "registry": Needs(programs=(*ENGINE, REGISTRY), root=True, builds=("docker",)),
        "kubernetes": CLUSTERS,
        "kind": CLUSTERS,
        "kind-ipv4": CLUSTERS,
        "kind-ipv6": CLUSTERS,
        "metallb": replace(CLUSTERS, builds=(*CLUSTERS.builds, "metallb")),
        "policies": replace(
            CLUSTERS,
            programs=(*CLUSTERS.programs, IPSET),
            builds=(*CLUSTERS.builds, "kube-router"),
        ),
        "istio": replace(CLUSTERS, builds=(*CLUSTERS.builds, "istio"), envoy=True),
        "eks": CLUSTERS,
        "aks": CLUSTERS,
        "gke": CLUSTERS,
    }
)
