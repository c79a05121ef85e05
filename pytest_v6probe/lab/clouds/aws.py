"""Which lab is "aws"? The talk's: an IPv6-only VPC, a second region, and an internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from pytest_v6probe.inventory.model import Host, Inventory, Namespace, Role, Site
from pytest_v6probe.lab.clouds import internet, offered
from pytest_v6probe.lab.clouds.vpc import HOST_FILES, Instance6, Vpc
from pytest_v6probe.lab.topology import End, Link, Node, Route, Shape, Topology

WEB_1 = Instance6(
    name="web-1",
    identity="i-097019ae9f2908087",
    token=IPv6Address("::8204:7788:7feb:7892"),
    ipv4=IPv4Address("169.254.118.19"),
    mac="0e:c5:6a:2f:70:0b",
)  # names and addresses: the talk
PRIVATE_1 = Instance6(
    name="private-1",
    identity="i-0b1d6c4f3a2e59871",
    token=IPv6Address("::5b9e:13c0:42d7:9a61"),
    ipv4=IPv4Address("169.254.86.203"),
    mac="0e:3d:91:4c:18:65",
    subnet="private",
)
ECS_1 = Instance6(
    name="ecs-1",
    identity="i-0f5f622b322259b4d",
    token=IPv6Address("::6928:7603:2e2f:37ba"),
    ipv4=IPv4Address("169.254.31.77"),
    mac="0e:7a:f4:05:d2:39",
    forwards=True,
    accept_ra=2,
    delegated=IPv6Network("2600:1f18:d:f70c:dd3d::/80"),
)
WEST_1 = Instance6(
    name="web-1",
    identity="i-04a8e21c97d35f6b0",
    token=IPv6Address("::d1c9:6ee4:807a:2f35"),
    ipv4=IPv4Address("169.254.204.142"),
    mac="02:b8:57:e1:6c:9d",
)

EAST = Vpc(
    region="us-east-1",
    number=0,
    block=IPv6Network("2600:1f18:d:f700::/56"),
    pool=IPv4Network("3.208.64.0/24"),
    subnets=(
        ("public", IPv6Network("2600:1f18:d:f70a::/64")),
        ("private", IPv6Network("2600:1f18:d:f70b::/64")),
    ),
    instances=(WEB_1, PRIVATE_1, ECS_1),
)
WEST = Vpc(
    region="us-west-2",
    number=1,
    block=IPv6Network("2600:1f14:2e:9c00::/56"),
    pool=IPv4Network("34.208.64.0/24"),
    subnets=(("public", IPv6Network("2600:1f14:2e:9c01::/64")),),
    instances=(WEST_1,),
    tokens="required",
)
VPCS = (EAST, WEST)

TASK = "us-east-1/task-1"
TASK_GATEWAY = IPv6Interface("2600:1f18:d:f70c:dd3d::1/80")
TASK_ADDRESS = IPv6Interface("2600:1f18:d:f70c:dd3d:242:ac11:2/80")


def shape(name: str) -> Shape:
    """The lab as values; *name* is the lab's own, for its inventory."""
    regions = tuple(vpc.region for vpc in VPCS)
    task = Node(
        name=TASK,
        hostname="task-1",
        accept_ra=0,
        etc=HOST_FILES,
        routes=(Route(to=internet.DEFAULT_IPV6, via=TASK_GATEWAY.ip),),
    )
    inside = Link(
        a=End(node="us-east-1/ecs-1", interface="task-1", addresses=(TASK_GATEWAY,)),
        b=End(node=TASK, interface="eth0", addresses=(TASK_ADDRESS,)),
    )
    nodes = (
        *(node for vpc in VPCS for node in vpc.nodes()),
        task,
        *internet.nodes(tuple((vpc.region, vpc.block, vpc.pool) for vpc in VPCS)),
    )
    links = (*internet.links(regions), *(link for vpc in VPCS for link in vpc.links()), inside)
    daemons = (*internet.daemons(), *(daemon for vpc in VPCS for daemon in vpc.daemons()))
    return Shape(
        name="aws",
        topology=Topology(nodes=nodes, links=links),
        daemons=daemons,
        inventory=_inventory(name),
    )


def _inventory(name: str) -> Inventory:
    hosts = (
        offered.instance(EAST, WEB_1),
        offered.instance(EAST, PRIVATE_1),
        offered.instance(EAST, ECS_1),
        Host(
            name="task-1",
            region="us-east-1",
            role=Role.NESTED,
            namespace=Namespace(name=TASK),
            behind="ecs-1",
            address=TASK_ADDRESS.ip,
        ),
        offered.instance(WEST, WEST_1),
        offered.CLIENT,
    )
    return Inventory(environment=offered.environment(name), hosts=hosts, sites=SITES)


def _site(name: str, families: tuple[str, ...], ipv4: IPv4Address) -> Site:
    return Site(
        name=name,
        url=f"http://{name}/",
        families=families,
        ipv4_addresses=frozenset({ipv4}),
        large_url=f"http://{name}/large.bin",
    )


SITES = (
    _site(internet.GOOGLE_NAME, ("ipv4", "ipv6"), internet.GOOGLE_IPV4),
    _site(internet.COMPUTE_NAME, ("ipv4",), internet.COMPUTE_IPV4),
    Site(name=internet.HTTPS_NAME, url=f"https://{internet.HTTPS_NAME}/", families=("ipv6",)),
)
"""What every region asks of the internet."""
