"""Which addresses do a cluster's nodes, pods and services have? Arithmetic on what is declared."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from pytest_v6probe.lab.topology import Network
from pytest_v6probe.result import Address

IPV6, IPV4 = "ipv6", "ipv4"
CONTROL, FIRST_NODE = 2, 3
"""The last numbers of addresses: the gateway has 1."""
API, DNS = 1, 10
"""Which addresses of a range of services these have, as kubeadm gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Addresses of one family: of the link that the nodes are on, of pods (*node_length* is that of
    one node's prefix), and of services.
    """

    link: Network
    pods: Network
    node_length: int
    services: Network
    resolver: Address
    """Where the nodes are told to ask for names."""

    def on_link(self, number: int) -> Address:
        """The address with that *number* on the nodes' link."""
        return self.link.network_address + number

    def pods_of(self, at: int) -> Network:
        """The prefix of the pods of the node with the index *at*."""
        size = self.pods.max_prefixlen - self.node_length
        first = int(self.pods.network_address) + ((at + 1) << size)
        kind = IPv6Network if self.pods.version == 6 else IPv4Network
        return kind((first, self.node_length))

    def service(self, number: int) -> Address:
        """The address with that *number* among the services'."""
        return self.services.network_address + number


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One node."""

    name: str
    mac: str
    token: IPv6Address
    ipv6: IPv6Address
    ipv4: IPv4Address
    pods: tuple[Network, ...]
    """Its prefixes for pods: of each family of the cluster, the primary one first."""
    internal: tuple[Address, ...]
    """Its own addresses in the same order."""

    def address(self, version: int) -> Address:
        """Its address of one family."""
        return self.ipv6 if version == 6 else self.ipv4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A cluster in one region. Its nodes have addresses of both families, whatever *families* its
    pods and services have.
    """

    shape: str
    cloud: str
    region: str
    ipv6: Range
    ipv4: Range
    families: tuple[str, ...] = (IPV6, IPV4)
    """The primary one first."""
    block: IPv6Network
    """What the internet routes to the region."""
    translated: bool = False
    """DNS64 and NAT64 are behind."""
    count: int = 2
    """How many nodes."""
    proxy: str = "nftables"
    """The mode of kube-proxy: that, or ``iptables``."""
    metallb: bool = False
    """MetalLB gives its services external addresses."""
    policies: bool = False
    """kube-router enforces network policies on its nodes."""
    istio: bool = False
    """Istio runs in it, and a mesh with sidecars."""

    @property
    def ranges(self) -> tuple[Range, ...]:
        """Those of the cluster's families, the primary one's first."""
        return tuple(self.ipv6 if family == IPV6 else self.ipv4 for family in self.families)

    @property
    def services(self) -> tuple[Network, ...]:
        """The ranges of its services."""
        return tuple(known.services for known in self.ranges)

    @property
    def pods(self) -> tuple[Network, ...]:
        """The ranges of its pods."""
        return tuple(known.pods for known in self.ranges)

    @property
    def dns(self) -> tuple[Address, ...]:
        """The addresses of its DNS."""
        return tuple(known.service(DNS) for known in self.ranges)

    @property
    def control(self) -> tuple[Address, ...]:
        """The addresses of the node that its control plane runs on, of every family."""
        others = (known for known in (self.ipv6, self.ipv4) if known not in self.ranges)
        return tuple(known.on_link(CONTROL) for known in (*self.ranges, *others))

    @property
    def server(self) -> str:
        """The URL of its API server."""
        address = self.control[0]
        return f"https://{f'[{address}]' if address.version == 6 else address}:6443"

    def node(self, name: str) -> str:
        """The lab's node called *name* in this region."""
        return f"{self.region}/{name}"

    @property
    def members(self) -> tuple[Member, ...]:
        """Its nodes."""
        return tuple(self._member(at) for at in range(self.count))

    def _member(self, at: int) -> Member:
        number = FIRST_NODE + at
        return Member(
            name=f"node-{at + 1}",
            mac=f"0e:c8:05:7e:00:{at + 1:02x}",
            token=IPv6Address(number),
            ipv6=IPv6Address(int(self.ipv6.on_link(number))),
            ipv4=IPv4Address(int(self.ipv4.on_link(number))),
            pods=tuple(known.pods_of(at) for known in self.ranges),
            internal=tuple(known.on_link(number) for known in self.ranges),
        )
