"""What does a lab consist of? Nodes, the links between them, addresses, routes, files."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import (
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.inventory.model import Inventory
    from pytest_v6probe.lab.daemon import Daemon
    from pytest_v6probe.result import Address

InterfaceAddress = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a link: the interface it is at its node."""

    node: str
    interface: str
    addresses: tuple[InterfaceAddress, ...] = ()
    bridge: str = ""
    """The bridge of the node that this interface is a port of."""
    token: IPv6Address | None = None
    """The host part of the address that the node makes from an advertised prefix."""
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cable. Both ends carry packets of up to *mtu* octets."""

    a: End
    b: End
    mtu: int = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A switch inside a node, with the node's own addresses on it: the node's side of a subnet."""

    name: str
    addresses: tuple[InterfaceAddress, ...] = ()
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A static route: *via* a neighbour, or straight onto *interface*. With both, *via* is taken for
    a neighbour on *interface* whatever addresses that has (``onlink``).
    """

    to: Network
    via: Address | None = None
    interface: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine: a network namespace with a host name and an /etc of its own.

    A node that is no *fabric* starts as a real host does: duplicate address detection on, router
    advertisements
    accepted as *accept_ra* says (kernel ip-sysctl). Fabric (routers and servers of the cloud and
    the internet) has static
    addresses that are usable at once.
    """

    name: str
    hostname: str
    fabric: bool = False
    forwarding: bool = False
    accept_ra: int = 1
    loopback: tuple[InterfaceAddress, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    tuns: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    etc: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Files below /etc, besides those every node has."""
    nft: str = ""
    """The rules it starts with, in nft's language."""
    engine: bool = False
    """It runs containers: a /run and a /var/lib of its own, and the machine's cgroups in /sys."""
    trusts_authority: bool = False
    """Its programs trust the lab's own authority, and no other."""
    advertised: IPv6Address | None = None
    """The address it is to form from router advertisements, and with it a default route, before the
    lab is up.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """All nodes and links. Names of nodes are unique."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    def node(self, name: str) -> Node:
        """The node called *name*. Raises KeyError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A whole lab, before it runs: what is wired, which daemons run, and the inventory that
    describes it.
    """

    name: str
    topology: Topology
    daemons: tuple[Daemon, ...]
    inventory: Inventory

    def daemon(self, name: str) -> Daemon:
        """The daemon called *name*. Raises KeyError."""
        for daemon in self.daemons:
            if daemon.name == name:
                return daemon
        raise KeyError(name)
