"""What does every lab offer in its inventory? An environment, hosts over SSH, engines, a client."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_v6probe.inventory.model import Docker, Environment, Host, Login, Namespace, Role
from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.clouds import internet
from pytest_v6probe.lab.daemons import dockerd

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from pytest_v6probe.lab.clouds.vpc import Instance6, Vpc

RA_INTERVAL_S = 3.0
"""Several times radvd's interval here: what was not heard by then will not be."""

CLIENT = Host(
    name="client",
    role=Role.OUTSIDE,
    namespace=Namespace(name=internet.CLIENT),
    address=internet.CLIENT_IPV6,
)


def environment(lab: str) -> Environment:
    """The environment that the lab called *lab* is."""
    return Environment(name=f"lab-{lab}", cloud="aws", lab=lab, ra_interval_s=RA_INTERVAL_S)


def host(node: str, address: IPv6Address, *, sudo: bool = False) -> Host:
    """The host on *node*, which is called ``region/name``: the client logs in to its *address*."""
    region, _, name = node.partition("/")
    return Host(
        name=name,
        region=region,
        ssh=Login(user=anchor.LOGIN, host=address),
        via=Namespace(name=internet.CLIENT),
        management=Namespace(name=node),
        address=address,
        sudo=sudo,
    )


def instance(vpc: Vpc, instance: Instance6) -> Host:
    """The host that *instance* of *vpc* is; a private one is reached through web-1."""
    node = f"{vpc.region}/{instance.name}"
    known = replace(
        host(node, vpc.address(instance), sudo=instance.engine),
        resource_name=instance.resource_name,
        imds_tokens=vpc.tokens,
    )
    private = instance.subnet == "private"
    return replace(known, role=Role.EGRESS_ONLY, via="web-1") if private else known


def engine(node: str, daemon: str) -> Docker:
    """The engine on *node* that the lab runs as *daemon*."""
    restart = dockerd.home(daemon) / "restart"
    return Docker(host=node, restart=("sh", str(restart)), image=dockerd.PLAIN_IMAGE)
