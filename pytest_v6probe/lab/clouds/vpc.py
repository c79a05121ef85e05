"""What is one region of the lab made of? Router, subnets, VPC services, NAT64, and hosts."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.clouds import internet
from pytest_v6probe.lab.daemon import Daemon, Question
from pytest_v6probe.lab.daemons.bind import Bind
from pytest_v6probe.lab.daemons.chronyd import Chronyd
from pytest_v6probe.lab.daemons.imds import Imds, Instance
from pytest_v6probe.lab.daemons.radvd import Radvd
from pytest_v6probe.lab.daemons.sshd import Sshd
from pytest_v6probe.lab.daemons.tayga import Tayga
from pytest_v6probe.lab.topology import Bridge, End, Link, Network, Node, Route
from pytest_v6probe.rfc import rfc1035, rfc6052

if TYPE_CHECKING:
    from collections.abc import Mapping

RESOLVER = IPv6Address("fd00:ec2::253")
IMDS = IPv6Address("fd00:ec2::254")
IMDS_IPV4 = IPv4Address("169.254.169.254")
NTP = IPv6Address("fd00:ec2::123")
GATEWAY = IPv6Interface("fe80::1/64")
PREFIX = rfc6052.WELL_KNOWN_PREFIX
KEYS = Path(anchor.HOME, "keys")
LONGEST_INTERFACE = 15  # linux/if.h: IFNAMSIZ, without the NUL
CHRONY = f"server {NTP} prefer iburst minpoll 4 maxpoll 4\nmakestep 1.0 3\n"  # the talk
RESOLV = f"search ec2.internal\nnameserver {RESOLVER}\n"
HOST_FILES = MappingProxyType({"resolv.conf": RESOLV, "chrony.conf": CHRONY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance6:
    """An instance in an IPv6-only subnet. Its IPv4 address is link-local (amazon-ec2-utils#27)."""

    name: str
    identity: str
    token: IPv6Address
    ipv4: IPv4Address
    mac: str
    subnet: str = "public"
    forwards: bool = False
    accept_ra: int = 1
    engine: bool = False
    """It runs containers."""
    files: Mapping[str, str] = field(default_factory=lambda: HOST_FILES)
    """Files below its /etc."""
    delegated: IPv6Network | None = None
    """A prefix that the VPC routes to it, for containers."""

    @property
    def resource_name(self) -> str:
        """Its resource-based name."""
        return f"{self.identity}.ec2.internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """One region. *subnets* are the public one and, where there is one, the private (egress-only)
    one.
    """

    region: str
    number: int
    block: IPv6Network
    pool: IPv4Network
    subnets: tuple[tuple[str, IPv6Network], ...]
    instances: tuple[Instance6, ...]
    tokens: str = "optional"
    hop_limit: int = 2

    @property
    def router(self) -> str:
        """The node that is the VPC's fabric."""
        return f"{self.region}/router"

    def address(self, instance: Instance6) -> IPv6Address:
        """The global address of *instance*."""
        prefix = dict(self.subnets)[instance.subnet]
        return IPv6Address(int(prefix.network_address) | int(instance.token))

    def nodes(self) -> tuple[Node, ...]:
        """Router, hosts, and an idle neighbour on the public subnet, for faults."""
        rogue = Node(name=f"{self.region}/rogue", hostname="rogue", fabric=True, forwarding=True)
        return (self._router(), rogue, *(self._host(instance) for instance in self.instances))

    def links(self) -> tuple[Link, ...]:
        """From the subnets to the hosts."""
        rogue = Link(
            a=End(node=self.router, interface="rogue", bridge="public"),
            b=End(node=f"{self.region}/rogue", interface="eth0"),
        )
        return (
            rogue,
            *(
                Link(
                    a=End(
                        node=self.router,
                        interface=instance.name[:LONGEST_INTERFACE],
                        bridge=instance.subnet,
                    ),
                    b=End(
                        node=f"{self.region}/{instance.name}",
                        interface="eth0",
                        # the kernel refuses one where it handles no advertisements itself
                        token=instance.token if instance.accept_ra else None,
                        mac=instance.mac,
                        addresses=(IPv4Interface(instance.ipv4),),
                    ),
                )
                for instance in self.instances
            ),
        )

    def daemons(self) -> tuple[Daemon, ...]:
        """The VPC's services, and an SSH server on every instance."""
        name, node = self.region, self.router
        return (
            Radvd(name=f"{name}/radvd", node=node, links=self.subnets, rdnss=RESOLVER),
            Bind(
                name=f"{name}/resolver",
                node=node,
                addresses=(RESOLVER,),
                forwarders=(internet.ROOT_IPV6,),
                dns64=PREFIX,
                zones=MappingProxyType({"ec2.internal": self.names()}),
                asked=(internet.GOOGLE_NAME, "AAAA"),
            ),
            Imds(
                name=f"{name}/imds",
                node=node,
                addresses=(IMDS, IMDS_IPV4),
                tokens=self.tokens,
                hop_limit=self.hop_limit,
                instances=tuple(self._identity(instance) for instance in self.instances),
            ),
            Chronyd(name=f"{name}/chronyd", node=node, address=NTP),
            self._translator(),
            *(sshd(f"{name}/{instance.name}") for instance in self.instances),
        )

    def names(self, *, without_aaaa: str = "") -> str:
        """The zone ec2.internal; the instance called *without_aaaa* has no AAAA."""
        lines = [f"{instance.identity} 60 A {instance.ipv4}" for instance in self.instances]
        lines += [
            f"{instance.identity} 60 AAAA {self.address(instance)}"
            for instance in self.instances
            if instance.name != without_aaaa
        ]
        return internet.SOA + "\n".join(lines) + "\n"

    def _router(self) -> Node:
        via6, via4 = internet.uplink(self.number, 6, 1).ip, internet.uplink(self.number, 4, 1).ip
        routes = [
            Route(to=internet.DEFAULT_IPV6, via=via6),
            Route(to=internet.DEFAULT_IPV4, via=via4),
            Route(to=PREFIX, interface="nat64"),
            Route(to=self.pool, interface="nat64"),
        ]
        for instance in self.instances:
            routes.append(Route(to=IPv4Network(instance.ipv4), interface=instance.subnet))
            if instance.delegated is not None:
                routes.append(Route(to=instance.delegated, via=self.address(instance)))
        bridges = tuple(
            Bridge(
                name=name,
                addresses=(GATEWAY, IPv6Interface((prefix.network_address + 1, 64))),
                mac=f"0e:00:00:00:{self.number:02x}:{at:02x}",
            )
            for at, (name, prefix) in enumerate(self.subnets)
        )
        loopback = (
            IPv6Interface(RESOLVER),
            IPv6Interface(IMDS),
            IPv6Interface(NTP),
            IPv4Interface(IMDS_IPV4),
        )
        return Node(
            name=self.router,
            hostname="router",
            fabric=True,
            forwarding=True,
            loopback=loopback,
            bridges=bridges,
            tuns=("nat64",),
            routes=tuple(routes),
            nft=GATEWAY_RULES,
        )

    def _host(self, instance: Instance6) -> Node:
        return Node(
            name=f"{self.region}/{instance.name}",
            hostname=instance.resource_name,
            forwarding=instance.forwards,
            accept_ra=instance.accept_ra,
            engine=instance.engine,
            etc=instance.files,
            advertised=self.address(instance),
            routes=(Route(to=IPv4Network(IMDS_IPV4), interface="eth0"),),
        )

    def _translator(self) -> Tayga:
        embedded = rfc6052.embed(internet.ROOT_IPV4, PREFIX)
        beyond = Question(
            address=embedded,
            port=53,
            send=rfc1035.query(".", "SOA", id=0x7636),
            pattern=rb"v6\x85\x00",
            udp=True,
        )
        return Tayga(
            name=f"{self.region}/tayga",
            node=self.router,
            tun="nat64",
            prefix=PREFIX,
            own=self.pool.network_address + 1,
            pool=self.pool,
            beyond=beyond,
        )

    def _identity(self, instance: Instance6) -> Instance:
        address, mac = self.address(instance), instance.mac
        sources: list[Network] = [IPv6Network(address), IPv4Network(instance.ipv4)]
        sources += [instance.delegated] if instance.delegated is not None else []
        interface = f"meta-data/network/interfaces/macs/{mac}"
        document = (
            f'{{"instanceId": "{instance.identity}", "region": "{self.region}", '
            f'"availabilityZone": "{self.region}a", "version": "2017-09-30"}}'
        )
        paths = {
            "meta-data/ami-id": "ami-0c101f26f147fa7fd",
            "meta-data/hostname": instance.resource_name,
            "meta-data/instance-id": instance.identity,
            "meta-data/instance-type": "t3.micro",
            "meta-data/ipv6": str(address),
            "meta-data/local-hostname": instance.resource_name,
            "meta-data/mac": mac,
            f"{interface}/ipv6s": str(address),
            f"{interface}/mac": mac,
            f"{interface}/subnet-ipv6-cidr-blocks": str(dict(self.subnets)[instance.subnet]),
            f"{interface}/vpc-ipv6-cidr-blocks": str(self.block),
            "meta-data/placement/availability-zone": f"{self.region}a",
            "meta-data/placement/region": self.region,
            "dynamic/instance-identity/document": document,
        }
        return Instance(sources=tuple(sources), paths=tuple(paths.items()))


def sshd(node: str) -> Sshd:
    """The SSH server on *node*, with a host key of its own and the one user's key."""
    return Sshd(
        name=f"{node}/sshd",
        node=node,
        host_key=KEYS / node.replace("/", "-"),
        authorized_keys=KEYS / "user.pub",
    )


GATEWAY_RULES = """
table inet vpc {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state established,related accept
    iifname "wan" oifname "nat64" drop comment "a NAT gateway takes no connections from outside"
    jump egress_only
  }
  chain egress_only {
    iifname "wan" oifname "private" drop comment "an egress-only internet gateway"
  }
}
"""
