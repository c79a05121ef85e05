"""Which lab is "registry"? Docker Engines in a dual-stack subnet, registries on the internet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from types import MappingProxyType

from pytest_v6probe.inventory.model import Image, Inventory, Site
from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.clouds import (
    docker,
    internet,
    offered,
    registry_servers,
    registry_services,
    sudo,
    vpc,
)
from pytest_v6probe.lab.clouds.registry_servers import ECR, MIRROR, OWN, S3
from pytest_v6probe.lab.clouds.registry_services import INSECURE_PORT, MIRROR_PORT, OWN_PORT
from pytest_v6probe.lab.daemon import Daemon
from pytest_v6probe.lab.daemons.bind import Bind
from pytest_v6probe.lab.daemons.dockerd import Dockerd
from pytest_v6probe.lab.daemons.radvd import Radvd
from pytest_v6probe.lab.topology import Bridge, End, Link, Node, Route, Shape, Topology

REGION = "us-west-2"
ROUTER = f"{REGION}/router"
RESOLVER = f"{REGION}/resolver"
BLOCK = IPv6Network("2600:1f14:7a:5d00::/56")
SUBNET = IPv6Network("2600:1f14:7a:5d01::/64")
GATEWAY = IPv4Interface("172.31.16.1/20")
POOL = IPv4Network("34.216.64.0/24")
SECURE = f"{OWN.name}:{OWN_PORT}"
PLAIN = f"{OWN.name}:{INSECURE_PORT}"
MIRRORED = f"{MIRROR.name}:{MIRROR_PORT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHost:
    """A host with a private and a public IPv4 address, an IPv6 address, and an engine."""

    name: str
    token: IPv6Address
    private: IPv4Interface
    public: IPv4Address
    delegated: IPv6Network
    newest: bool = True

    @property
    def node(self) -> str:
        """Its node."""
        return f"{REGION}/{self.name}"

    @property
    def daemon(self) -> str:
        """What its engine is called."""
        return f"{self.node}/dockerd"

    @property
    def address(self) -> IPv6Address:
        """Its global IPv6 address."""
        return IPv6Address(int(SUBNET.network_address) | int(self.token))


DOCKER_1 = EngineHost(
    name="docker-1",
    token=IPv6Address("::81d3:5a0e:c7b2:4f96"),
    private=IPv4Interface("172.31.16.20/20"),
    public=IPv4Address("34.216.64.20"),
    delegated=IPv6Network("2600:1f14:7a:5d0c:1::/80"),
)
DOCKER_20 = EngineHost(
    name="docker-20",
    token=IPv6Address("::20c4:e69b:3d71:a058"),
    private=IPv4Interface("172.31.16.21/20"),
    public=IPv4Address("34.216.64.21"),
    delegated=IPv6Network("2600:1f14:7a:5d0c:2::/80"),
    newest=False,
)
HOSTS = (DOCKER_1, DOCKER_20)


def shape(name: str) -> Shape:
    """The lab as values; *name* is the lab's own."""
    hosts = tuple(_host(host) for host in HOSTS)
    outside = internet.nodes(((REGION, BLOCK, POOL),))
    return Shape(
        name="registry",
        topology=Topology(
            nodes=(_router(), *hosts, *outside, *registry_servers.nodes()),
            links=(*internet.links((REGION,)), *_links(), *registry_servers.links()),
        ),
        daemons=(
            *internet.daemons(registry_servers.zones()),
            *_daemons(name),
            *registry_services.daemons(),
        ),
        inventory=_inventory(name),
    )


def daemon_json(**changes: object) -> str:
    """The text of an engine's daemon.json, with *changes*."""
    mirrors, insecure = [f"https://{MIRRORED}"], [PLAIN]
    return json.dumps({"registry-mirrors": mirrors, "insecure-registries": insecure, **changes})


def _router() -> Node:
    subnet = Bridge(
        name="public",
        addresses=(vpc.GATEWAY, IPv6Interface((SUBNET.network_address + 1, 64)), GATEWAY),
        mac="02:00:00:00:00:01",
    )
    routes = [
        Route(to=internet.DEFAULT_IPV6, via=internet.uplink(0, 6, 1).ip),
        Route(to=internet.DEFAULT_IPV4, via=internet.uplink(0, 4, 1).ip),
        *(Route(to=host.delegated, via=host.address) for host in HOSTS),
    ]
    return Node(
        name=ROUTER,
        hostname="router",
        fabric=True,
        forwarding=True,
        loopback=(IPv6Interface(vpc.RESOLVER),),
        bridges=(subnet,),
        routes=tuple(routes),
        nft=_translation(),
    )


def _translation() -> str:
    """An internet gateway gives each private IPv4 address a public one of its own."""
    out = "".join(f"    ip saddr {host.private.ip} snat to {host.public}\n" for host in HOSTS)
    back = "".join(f"    ip daddr {host.public} dnat to {host.private.ip}\n" for host in HOSTS)
    return (
        "table ip gateway {\n"
        "  chain out {\n    type nat hook postrouting priority srcnat;\n"
        f'    oifname != "wan" accept\n{out}  }}\n'
        f"  chain back {{\n    type nat hook prerouting priority dstnat;\n{back}  }}\n}}\n"
    )


def _host(host: EngineHost) -> Node:
    files = {
        "resolv.conf": f"nameserver {vpc.RESOLVER}\n",
        "docker/daemon.json": daemon_json(),
        **sudo.files(anchor.LOGIN),
    }
    return Node(
        name=host.node,
        hostname=host.name,
        accept_ra=2,  # an engine turns forwarding on; this lab is not about that
        engine=True,
        trusts_authority=True,
        etc=MappingProxyType(files),
        advertised=host.address,
        routes=(Route(to=internet.DEFAULT_IPV4, via=GATEWAY.ip),),
    )


def _links() -> tuple[Link, ...]:
    return tuple(
        Link(
            a=End(node=ROUTER, interface=host.name, bridge="public"),
            b=End(
                node=host.node,
                interface="eth0",
                token=host.token,
                mac=f"02:d0:c4:e2:00:{number:02x}",
                addresses=(host.private,),
            ),
        )
        for number, host in enumerate(HOSTS, 1)
    )


def _daemons(lab: str) -> tuple[Daemon, ...]:
    return (
        Radvd(name=f"{REGION}/radvd", node=ROUTER, links=(("public", SUBNET),), rdnss=vpc.RESOLVER),
        Bind(
            name=RESOLVER,
            node=ROUTER,
            addresses=(vpc.RESOLVER,),
            forwarders=(internet.ROOT_IPV6,),
            asked=(internet.GOOGLE_NAME, "AAAA"),
        ),
        *(vpc.sshd(host.node) for host in HOSTS),
        *(_dockerd(lab, host) for host in HOSTS),
    )


def _dockerd(lab: str, host: EngineHost) -> Dockerd:
    web = host.delegated.network_address + 0x10
    return docker.started(lab, host.node, newest=host.newest, subnet=host.delegated, web=web)


def _inventory(name: str) -> Inventory:
    hosts = [offered.host(host.node, host.address, sudo=True) for host in HOSTS]
    return Inventory(
        environment=offered.environment(name),
        hosts=(*hosts, offered.CLIENT),
        sites=(Site(name=S3.name, url=f"http://{S3.name}/", families=("ipv4", "ipv6")),),
        dockers=tuple(offered.engine(host.node, host.daemon) for host in HOSTS),
        images=(
            Image(reference=f"{SECURE}/alpine:latest", push=True),
            Image(reference=f"{PLAIN}/alpine:latest", push=True, insecure=True),
            Image(reference="alpine:latest", mirror=MIRRORED),
            Image(reference=f"{ECR.name}/docker/library/alpine:latest"),
        ),
    )
