"""Which servers is an image pulled from, and where are they? Names, addresses, cables, zones."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.clouds import internet
from pytest_v6probe.lab.topology import Link, Node

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_v6probe.result import Address

SOA = internet.SOA.replace(" 300 ", " 0 ").replace("604800 60", "604800 0")
"""No resolver keeps an answer from these zones, nor the lack of one: a fault shows at once."""
RESOLV = f"nameserver {internet.ROOT_IPV6}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One machine on the internet: its node, its name in *zone*, its addresses in a /64 and a /24 of
    their own.
    """

    node: str
    label: str
    zone: str
    ipv6: IPv6Address
    ipv4: IPv4Address | None = None

    @property
    def name(self) -> str:
        """Its DNS name."""
        return f"{self.label}.{self.zone}"

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All that it has."""
        return (self.ipv6,) if self.ipv4 is None else (self.ipv6, self.ipv4)

    @property
    def certificate(self) -> Certificate:
        """The right one for its name."""
        return Certificate(name=self.name)

    @property
    def gateways(self) -> tuple[str, ...]:
        """The core's addresses on its link."""
        ours = [str(IPv6Network((self.ipv6, 64), strict=False).network_address + 254)]
        if self.ipv4 is not None:
            ours.append(str(IPv4Network((self.ipv4, 24), strict=False).network_address + 254))
        return tuple(ours)

    def records(self, *, without_aaaa: bool = False) -> str:
        """Its lines of the zone."""
        lines = [] if without_aaaa else [f"{self.label} 0 AAAA {self.ipv6}\n"]
        return "".join([*lines, *([f"{self.label} 0 A {self.ipv4}\n"] if self.ipv4 else [])])


OWN = Server(
    node="docker-registry",
    label="docker-registry",
    zone="example.com",
    ipv6=IPv6Address("2001:db8::1"),
)  # the talk: IPv6 only
HUB = Server(
    node="hub",
    label="registry-1",
    zone="docker.io",
    ipv6=IPv6Address("2600:1f18:2148:bc02:5b1e:9c30:8d4a:77f1"),
    ipv4=IPv4Address("44.208.254.194"),
)
HUB_TOKENS = Server(
    node="hub-auth",
    label="auth",
    zone="docker.io",
    ipv6=IPv6Address("2600:1f18:2148:bc03:a4d7:1f62:c95b:3e08"),
    ipv4=IPv4Address("98.85.153.80"),
)
HUB_BLOBS = Server(
    node="hub-blobs",
    label="production.cloudflare",
    zone="docker.com",
    ipv6=IPv6Address("2606:4700::6810:62d7"),
    ipv4=IPv4Address("104.16.98.215"),
)
ECR = Server(
    node="ecr-public",
    label="ecr-public",
    zone="aws.com",
    ipv6=IPv6Address("2600:1f70:8000:400:6e3b:92d5:170c:a8f4"),
    ipv4=IPv4Address("52.46.144.19"),
)
ECR_BLOBS = Server(
    node="cloudfront",
    label="d5l0dvt14r5h8",
    zone="cloudfront.net",
    ipv6=IPv6Address("2600:9000:2017:a200:10:1eec:7a40:93a1"),
    ipv4=IPv4Address("18.160.10.27"),
)
S3 = Server(
    node="s3",
    label="s3.dualstack.us-west-2",
    zone="amazonaws.com",
    ipv6=IPv6Address("2600:1fa0:4080:1b20:34da:b0a8::"),
    ipv4=IPv4Address("52.218.176.168"),
)
MIRROR = Server(
    node="mirror",
    label="mirror",
    zone="example.com",
    ipv6=IPv6Address("2001:db8:5:1::5000"),
    ipv4=IPv4Address("198.51.100.50"),
)
SERVERS = (OWN, HUB, HUB_TOKENS, HUB_BLOBS, ECR, ECR_BLOBS, S3, MIRROR)


def nodes() -> tuple[Node, ...]:
    """A node for each."""
    return tuple(
        Node(
            name=server.node,
            hostname=server.node,
            fabric=True,
            routes=internet.defaults(*server.gateways),
            trusts_authority=True,
            etc=MappingProxyType({"resolv.conf": RESOLV}),
        )
        for server in SERVERS
    )


def links() -> tuple[Link, ...]:
    """A cable from the core to each."""
    return tuple(
        internet.cable(
            internet.CORE,
            server.node,
            _with_length(server.gateways),
            _with_length(map(str, server.addresses)),
        )
        for server in SERVERS
    )


def zones(*, without_aaaa: Collection[str] = ()) -> dict[str, str]:
    """The zones that their names are in, with no AAAA for those of the nodes *without_aaaa*."""
    texts: dict[str, str] = {}
    for server in SERVERS:
        before = texts.get(server.zone, SOA)
        lines = server.records(without_aaaa=server.node in without_aaaa)
        texts[server.zone] = before + lines
    texts["amazonaws.com"] += _compute()
    return texts


def _compute() -> str:
    """The IPv4-only site of `internet`, whose name is in the same zone as S3's."""
    label = internet.COMPUTE_NAME.removesuffix(".amazonaws.com")
    return f"{label} 0 A {internet.COMPUTE_IPV4}\n"


def _with_length(addresses: Collection[str] | map[str]) -> tuple[str, ...]:
    return tuple(f"{address}/{64 if ':' in address else 24}" for address in addresses)
