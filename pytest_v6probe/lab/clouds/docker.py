"""Which lab is "docker"? A region whose hosts run Docker Engines, two versions and two backends."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_v6probe.inventory.model import Container, Host, Inventory, Role
from pytest_v6probe.lab import anchor, cgroups, install
from pytest_v6probe.lab.clouds import aws, internet, offered, sudo, vpc
from pytest_v6probe.lab.clouds.vpc import Instance6, Vpc
from pytest_v6probe.lab.daemons import dockerd
from pytest_v6probe.lab.daemons import networkd as owner
from pytest_v6probe.lab.daemons.dockerd import Dockerd
from pytest_v6probe.lab.topology import Shape, Topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.daemon import Daemon

REGION = "us-east-1"
NATIVE = MappingProxyType({"com.docker.network.bridge.gateway_mode_ipv6": "nat-unprotected"})
"""What lets a container be reached at its own address since Engine 28, and its published port too:
https://docs.docker.com/engine/network/packet-filtering-firewalls/#gateway-modes
"""
ACCOUNTS = {
    "passwd": f"{anchor.PASSWD}{owner.USER}:x:{owner.USER_ID}:{owner.USER_ID}::/:/bin/false\n",
    "group": f"{anchor.GROUP}{owner.USER}:x:{owner.USER_ID}:\ndocker:x:996:\n",
}
"""Of the packages that its hosts have installed."""
NEWEST_FLAGS = ("--feature=time-namespaces=false",)
"""Debian 12's runc 1.1 knows no time namespaces (they came with 1.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One host, and the engine on it."""

    instance: Instance6
    delegated: IPv6Network
    """What the VPC routes to it, for its containers."""
    newest: bool = True
    """The newest release; otherwise Debian's."""
    config: Mapping[str, Any]
    """Its daemon.json, besides the prefix."""
    networkd: bool = False
    """systemd-networkd owns the router advertisements; otherwise the kernel does."""

    @property
    def name(self) -> str:
        """The host's name."""
        return self.instance.name

    @property
    def node(self) -> str:
        """The host's node."""
        return f"{REGION}/{self.name}"

    @property
    def daemon(self) -> str:
        """What the daemon is called."""
        return f"{self.node}/dockerd"

    @property
    def prefixes(self) -> tuple[IPv6Network, IPv6Network]:
        """The halves of the delegated prefix: the default bridge's, and that of the network web."""
        bridge, web = self.delegated.subnets()
        return bridge, web

    @property
    def web(self) -> IPv6Address:
        """The address of the container web."""
        return self.prefixes[1].network_address + 0x10

    @property
    def plain(self) -> IPv6Address:
        """The address of the container plain: the first that is free on the default bridge."""
        return self.prefixes[0].network_address + 2

    def daemon_json(self, **changes: Any) -> str:
        """The text of its daemon.json, with *changes*; a key whose value is None is not there."""
        keys = {"ipv6": True, "fixed-cidr-v6": str(self.prefixes[0]), **self.config, **changes}
        return json.dumps({key: value for key, value in keys.items() if value is not None})


def _engine(
    number: int,
    name: str,
    identity: str,
    token: str,
    *,
    accept_ra: int = 2,
    forwards: bool = False,
    newest: bool = True,
    networkd: bool = False,
    config: Mapping[str, Any] = MappingProxyType({}),
) -> Engine:
    delegated = IPv6Network(f"2600:1f18:d:f70c:{number:x}::/80")
    instance = Instance6(
        name=name,
        identity=identity,
        token=IPv6Address(token),
        ipv4=IPv4Address(f"169.254.40.{number}"),
        mac=f"0e:d0:c4:e2:00:{number:02x}",
        forwards=forwards,
        accept_ra=accept_ra,
        engine=True,
        delegated=delegated,
    )
    plain = Engine(
        instance=instance, delegated=delegated, newest=newest, networkd=networkd, config=config
    )
    files = {
        "resolv.conf": vpc.RESOLV,
        **sudo.files(anchor.LOGIN),
        **ACCOUNTS,
        "machine-id": f"{int(IPv6Address(token)):032x}\n",  # networkd makes its DHCP identity of it
        "docker/daemon.json": plain.daemon_json(),
    }
    return replace(plain, instance=replace(instance, files=MappingProxyType(files)))


DEBIAN = _engine(
    1,
    "docker-20",
    "i-02d5a17c84e6f9b30",
    "::20c4:7d1e:93ab:50f2",
    newest=False,
    config={"experimental": True, "ip6tables": True},
)
NEWEST = _engine(2, "docker-29", "i-0c29e5b7136fa8d42", "::29e8:41b6:0f7c:d935")
NFTABLES = _engine(
    3,
    "docker-29-nft",
    "i-09f17b2d58c3e6a04",
    "::29f7:c3a0:58d1:6be4",
    forwards=True,
    config={"firewall-backend": "nftables"},
)
NETWORKD = _engine(
    4,
    "docker-29-networkd",
    "i-0e6b83a49d1c75f20",
    "::29d0:be57:1c86:a43f",
    accept_ra=0,
    networkd=True,
)
NETWORKD_20 = _engine(
    5,
    "docker-20-networkd",
    "i-07a4c2e95f1b8d360",
    "::20d0:6f3b:a18e:c574",
    accept_ra=0,
    newest=False,
    networkd=True,
    config=DEBIAN.config,
)
NETWORKD_NFT = _engine(
    6,
    "docker-29-nft-networkd",
    "i-0b58d3f6027ea491c",
    "::29fd:0a7c:e245:b91d",
    accept_ra=0,
    forwards=True,
    networkd=True,
    config=NFTABLES.config,
)
ENGINES = (DEBIAN, NEWEST, NFTABLES, NETWORKD)
EVERY_ENGINE = (*ENGINES, NETWORKD_20, NETWORKD_NFT)
"""Each engine and backend, under each owner of router advertisements."""


def region(engines: tuple[Engine, ...]) -> Vpc:
    """The region that *engines* are in."""
    return Vpc(
        region=REGION,
        number=0,
        block=IPv6Network("2600:1f18:d:f700::/56"),
        pool=IPv4Network("3.208.64.0/24"),
        subnets=(("public", IPv6Network("2600:1f18:d:f70a::/64")),),
        instances=tuple(engine.instance for engine in engines),
        tokens="required",
        hop_limit=1,
    )


def shape(name: str, *, engines: tuple[Engine, ...] = ENGINES) -> Shape:
    """The lab as values; *name* is the lab's own."""
    east = region(engines)
    nodes = (*east.nodes(), *internet.nodes(((REGION, east.block, east.pool),)))
    links = (*internet.links((REGION,)), *east.links())
    return Shape(
        name="docker",
        topology=Topology(nodes=nodes, links=links),
        daemons=(*internet.daemons(), *east.daemons(), *_daemons(name, engines)),
        inventory=_inventory(name, east, engines),
    )


def _daemons(lab: str, engines: tuple[Engine, ...]) -> tuple[Daemon, ...]:
    owners = [
        owner.Networkd(
            name=f"{engine.node}/networkd",
            node=engine.node,
            link="eth0",
            token=engine.instance.token,
            ipv4=engine.instance.ipv4,
            routes=(IPv4Network(vpc.IMDS_IPV4),),
        )
        for engine in engines
        if engine.networkd
    ]
    return (*owners, *(_dockerd(lab, engine) for engine in engines))


def _dockerd(lab: str, engine: Engine) -> Dockerd:
    return started(
        lab,
        engine.node,
        newest=engine.newest,
        subnet=engine.prefixes[1],
        web=engine.web,
        own_resolver=engine.newest,
        network_options=NATIVE if engine.newest else dockerd.NO_OPTIONS,
    )


def started(lab: str, node: str, *, newest: bool, **contents: Any) -> Dockerd:
    """The engine on *node* of the lab called *lab*, the *newest* release or Debian's; *contents* are
    as `Dockerd` takes them.
    """
    release: dict[str, Any] = {}
    if newest:
        release = {"programs": install.directory("docker"), "flags": NEWEST_FLAGS}
    name, cgroup = f"{node}/dockerd", cgroups.name(lab)
    return Dockerd(name=name, node=node, cgroup=cgroup, **release, **contents)


def _inventory(name: str, region: Vpc, engines: tuple[Engine, ...]) -> Inventory:
    hosts = [offered.instance(region, engine.instance) for engine in engines]
    containers = [host for engine in engines for host in _containers(engine)]
    return Inventory(
        environment=offered.environment(name),
        hosts=(*hosts, offered.CLIENT, *containers),
        sites=aws.SITES,
        dockers=tuple(offered.engine(engine.node, engine.daemon) for engine in engines),
    )


def _containers(engine: Engine) -> tuple[Host, Host]:
    web = Container(name=dockerd.WEB, port=dockerd.PORT, published_port=dockerd.PUBLISHED_PORT)
    plain = Container(name=dockerd.PLAIN, helper_image=dockerd.PYTHON_IMAGE)
    shared: dict[str, Any] = {"region": REGION, "role": Role.CONTAINER, "behind": engine.name}
    return (
        Host(name=f"{engine.name}.{web.name}", container=web, address=engine.web, **shared),
        Host(name=f"{engine.name}.{plain.name}", container=plain, address=engine.plain, **shared),
    )
