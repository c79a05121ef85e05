"""How are a cluster's nodes wired? A router with the cloud's services, the control plane, the nodes."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.lab.clouds import balancers, internet
from pytest_v6probe.lab.clouds.cluster_plan import CONTROL, IPV6
from pytest_v6probe.lab.clouds.vpc import GATEWAY, PREFIX
from pytest_v6probe.lab.daemon import Question
from pytest_v6probe.lab.daemons.bind import Bind
from pytest_v6probe.lab.daemons.containerd import CNI, conflist
from pytest_v6probe.lab.daemons.radvd import Radvd
from pytest_v6probe.lab.daemons.tayga import Tayga
from pytest_v6probe.lab.topology import Bridge, End, Link, Node, Route, Topology
from pytest_v6probe.rfc import rfc1035, rfc6052

if TYPE_CHECKING:
    from pytest_v6probe.lab.clouds.cluster_plan import Member, Plan, Range
    from pytest_v6probe.lab.daemon import Daemon
    from pytest_v6probe.lab.topology import InterfaceAddress

ROUTER, CONTROL_NAME, LINK = "router", "control", "eth0"
POOL = IPv4Network("3.208.64.0/24")
BRIDGE = "nodes"
RULES = """
table inet cloud {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state established,related accept
    iifname "wan" oifname "nat64" drop comment "a NAT gateway takes no connections from outside"
  }
  chain outward {
    type nat hook postrouting priority 100; policy accept;
    oifname "wan" ip saddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } masquerade
    oifname "wan" ip6 saddr fc00::/7 masquerade
  }
}
"""


def topology(plan: Plan) -> Topology:
    """The internet and the region of *plan*."""
    beyond = internet.nodes(((plan.region, plan.block, POOL),))
    members = tuple(_member(plan, member) for member in plan.members)
    return Topology(
        nodes=(*(_knowing(plan, node) for node in beyond), _router(plan), _control(plan), *members),
        links=(*internet.links((plan.region,)), *_links(plan)),
    )


def daemons(plan: Plan) -> tuple[Daemon, ...]:
    """What the router runs."""
    node = plan.node(ROUTER)
    resolver = Bind(
        name=plan.node("resolver"),
        node=node,
        addresses=(plan.ipv6.resolver, plan.ipv4.resolver),
        forwarders=(internet.ROOT_IPV6,),
        dns64=PREFIX if plan.translated else None,
        asked=(internet.GOOGLE_NAME, "AAAA"),
    )
    return (
        Radvd(name=plan.node("radvd"), node=node, links=((BRIDGE, IPv6Network(plan.ipv6.link)),)),
        resolver,
        *((_translator(plan),) if plan.translated else ()),
    )


def pod_routes(plan: Plan, *, but: str = "") -> tuple[Route, ...]:
    """To the pods of every node, except for the one called *but*, through the node."""
    return tuple(
        Route(to=prefix, via=member.address(prefix.version), interface=LINK)
        for member in plan.members
        if member.name != but
        for prefix in member.pods
    )


def _knowing(plan: Plan, node: Node) -> Node:
    """*node*; the core knows the way to the nodes' IPv4 addresses as well."""
    if node.name != internet.CORE:
        return node
    way = Route(to=plan.ipv4.link, via=internet.uplink(0, 4, 2).ip)
    return replace(node, routes=(*node.routes, way))


def _router(plan: Plan) -> Node:
    known = (plan.ipv6, plan.ipv4)
    routes = [
        Route(to=internet.DEFAULT_IPV6, via=internet.uplink(0, 6, 1).ip),
        Route(to=internet.DEFAULT_IPV4, via=internet.uplink(0, 4, 1).ip),
        *(replace(route, interface="") for route in pod_routes(plan)),
    ]
    if plan.translated:
        routes += [Route(to=net, interface="nat64") for net in (PREFIX, POOL)]
    return Node(
        name=plan.node(ROUTER),
        hostname=ROUTER,
        fabric=True,
        forwarding=True,
        loopback=tuple(_alone(one) for one in known if one.resolver != one.on_link(1)),
        bridges=(
            Bridge(
                name=BRIDGE,
                addresses=(GATEWAY, *(_own(one, 1) for one in known)),
                mac="0e:c8:05:7e:01:01",
            ),
        ),
        tuns=("nat64",) if plan.translated else (),
        routes=tuple(routes),
        nft=RULES + balancers.rules(plan),
    )


def _control(plan: Plan) -> Node:
    gateways = (str(one.on_link(1)) for one in (plan.ipv6, plan.ipv4))
    return Node(
        name=plan.node(CONTROL_NAME),
        hostname=CONTROL_NAME,
        fabric=True,
        routes=(*internet.defaults(*gateways), *pod_routes(plan)),
        etc=MappingProxyType({"resolv.conf": _resolv(plan)}),
    )


def _member(plan: Plan, member: Member) -> Node:
    """A host that forwards for its pods, and goes on heeding router advertisements."""
    out = Route(to=internet.DEFAULT_IPV4, via=plan.ipv4.on_link(1))
    return Node(
        name=plan.node(member.name),
        hostname=member.name,
        forwarding=True,
        accept_ra=2,
        engine=True,
        advertised=member.ipv6,
        routes=(out, *pod_routes(plan, but=member.name)),
        etc=MappingProxyType(
            {
                "resolv.conf": _resolv(plan),
                "machine-id": f"{int(member.ipv6):032x}\n",
                CNI: conflist(member.pods),
            }
        ),
    )


def _links(plan: Plan) -> tuple[Link, ...]:
    addresses = tuple(_own(one, CONTROL) for one in (plan.ipv6, plan.ipv4))
    control = End(node=plan.node(CONTROL_NAME), interface=LINK, addresses=addresses)
    ends = {CONTROL_NAME: control}
    for member in plan.members:
        ends[member.name] = End(
            node=plan.node(member.name),
            interface=LINK,
            token=member.token,
            mac=member.mac,
            addresses=(IPv4Interface((member.ipv4, plan.ipv4.link.prefixlen)),),
        )
    return tuple(
        Link(a=End(node=plan.node(ROUTER), interface=name, bridge=BRIDGE), b=end)
        for name, end in ends.items()
    )


def _translator(plan: Plan) -> Tayga:
    beyond = Question(
        address=rfc6052.embed(internet.ROOT_IPV4, PREFIX),
        port=53,
        send=rfc1035.query(".", "SOA", id=0x7636),
        pattern=rb"v6\x85\x00",
        udp=True,
    )
    return Tayga(
        name=plan.node("tayga"),
        node=plan.node(ROUTER),
        tun="nat64",
        prefix=PREFIX,
        own=POOL.network_address + 1,
        pool=POOL,
        beyond=beyond,
    )


def _resolv(plan: Plan) -> str:
    """The resolver of the cluster's primary family: pods of a cluster with one reach no other."""
    primary = plan.ipv6 if plan.families[0] == IPV6 else plan.ipv4
    return f"nameserver {primary.resolver}\n"


def _own(known: Range, number: int) -> InterfaceAddress:
    return _interface(known, known.on_link(number), known.link.prefixlen)


def _alone(known: Range) -> InterfaceAddress:
    return _interface(known, known.resolver, known.link.max_prefixlen)


def _interface(known: Range, address: object, length: int) -> InterfaceAddress:
    kind = IPv6Interface if known.link.version == 6 else IPv4Interface
    return kind(f"{address}/{length}")
