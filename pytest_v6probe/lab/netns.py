"""How are links, addresses and routes laid? Door of pyroute2, imported only inside the keeper."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from ipaddress import IPv6Interface, ip_address
from typing import TYPE_CHECKING, Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.lab.topology import (
        Bridge,
        End,
        InterfaceAddress,
        Link,
        Node,
        Route,
        Topology,
    )

INET, INET6 = 2, 10
NO_DAD = 0x02  # linux/if_addr.h: IFA_F_NODAD
NO_LINK_LOCAL = 1  # linux/if_link.h: IN6_ADDR_GEN_MODE_NONE
ON_LINK = 4  # linux/rtnetlink.h: RTNH_F_ONLINK
SCOPE_LINK = 253  # linux/rtnetlink.h: RT_SCOPE_LINK
MAIN_TABLE, BY_ADVERTISEMENT = 254, 9  # linux/rtnetlink.h: RT_TABLE_MAIN, RTPROT_RA


class Wires:
    """The links, addresses and routes of every node, each through a netlink socket in its
    namespace.

    Every method raises LabError that names the node if the kernel refuses.
    """

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._netlink: dict[str, IPRoute] = {}
        for name, pid in pids.items():
            with kernel.network_of(pid):
                self._netlink[name] = IPRoute()

    def lay(self, topology: Topology) -> None:
        """Make everything that *topology* declares."""
        for node in topology.nodes:
            self._raise_own(node)
        for link in topology.links:
            self._connect(link)
        for link in topology.links:
            for end in (link.b, link.a):
                self._dress(end, fabric=topology.node(end.node).fabric)
        for node in topology.nodes:
            for route in node.routes:
                self.add_route(node.name, route)

    def add_route(self, node: str, route: Route) -> None:
        """Add or replace a static route."""
        self._change(node, "replace", route)

    def delete_route(self, node: str, route: Route) -> None:
        """Take a static route away."""
        self._change(node, "del", route)

    def add_address(
        self, node: str, interface: str, address: InterfaceAddress, *, no_dad: bool = False
    ) -> None:
        """Put *address* on *interface*. With *no_dad* it is usable at once, whoever else has it."""
        more: dict[str, Any] = {}
        if no_dad and isinstance(address, IPv6Interface):
            more["flags"] = NO_DAD
        if address.version == 4 and address.ip.is_link_local:
            more["scope"] = SCOPE_LINK  # as DHCP clients mark 169.254.0.0/16
        with _named(f"{node}: {address} on {interface}"):
            self._netlink[node].addr("replace", **self._spelt(node, interface, address), **more)

    def delete_address(self, node: str, interface: str, address: InterfaceAddress) -> None:
        """Take *address* off *interface*; nothing happens if it is not there."""
        with _named(f"{node}: no {address} on {interface}", but=errno.EADDRNOTAVAIL):
            self._netlink[node].addr("del", **self._spelt(node, interface, address))

    def delete_learned_default(self, node: str) -> None:
        """Delete the IPv6 default routes of *node* that router advertisements made."""
        netlink = self._netlink[node]
        with _named(f"{node}: no default route", but=errno.ESRCH):
            learned = netlink.get_routes(family=INET6, table=MAIN_TABLE, proto=BY_ADVERTISEMENT)
            for route in learned:
                if not route.get("dst"):
                    via = {"gateway": route.get("gateway"), "oif": route.get("oif")}
                    netlink.route("del", family=INET6, dst="::/0", **via)

    def flush_neighbours(self, node: str) -> None:
        """Forget which link-layer addresses the neighbours of *node* have."""
        netlink = self._netlink[node]
        for family in (INET6, INET):
            for entry in netlink.get_neighbours(family=family):
                address = entry.get("dst")
                if address and not ip_address(address).is_multicast:
                    with _named(f"{node}: neighbour {address}", but=errno.ENOENT):
                        netlink.neigh("del", family=family, ifindex=entry["ifindex"], dst=address)

    def _index(self, node: str, interface: str) -> int:
        found = list(self._netlink[node].link_lookup(ifname=interface))
        if not found:
            raise LabError(f"{node} has no interface {interface}")
        return int(found[0])

    def _spelt(self, node: str, interface: str, address: InterfaceAddress) -> dict[str, Any]:
        index = self._index(node, interface)
        return {"index": index, "address": str(address.ip), "prefixlen": address.network.prefixlen}

    def _raise_own(self, node: Node) -> None:
        netlink = self._netlink[node.name]
        with _named(node.name):
            netlink.link("set", index=1, state="up")
            for bridge in node.bridges:
                self._bridge(node.name, bridge)
            for tun in node.tuns:
                with kernel.network_of(self._pids[node.name]):
                    netlink.link("add", ifname=tun, kind="tuntap", mode="tun")
                netlink.link("set", index=self._index(node.name, tun), state="up")
        for address in node.loopback:
            self.add_address(node.name, "lo", address)

    def _bridge(self, node: str, bridge: Bridge) -> None:
        netlink = self._netlink[node]
        mac = {"address": bridge.mac} if bridge.mac else {}
        netlink.link("add", ifname=bridge.name, kind="bridge", br_mcast_snooping=0, **mac)
        index = self._index(node, bridge.name)
        netlink.link("set", index=index, **_inet6("IFLA_INET6_ADDR_GEN_MODE", NO_LINK_LOCAL))
        netlink.link("set", index=index, state="up")
        for address in bridge.addresses:
            self.add_address(node, bridge.name, address, no_dad=True)

    def _connect(self, link: Link) -> None:
        """Make a pair of veth devices, each end in its own namespace from the start."""
        ends = []
        for end in (link.a, link.b):
            mac = {"address": end.mac} if end.mac else {}
            ends.append({"ifname": end.interface, "net_ns_pid": self._pids[end.node], **mac})
        a, b = ends
        with _named(f"{link.a.node}/{link.a.interface} to {link.b.node}/{link.b.interface}"):
            self._netlink[link.a.node].link("add", kind="veth", peer=b, **a)
            for end in (link.a, link.b):
                index = self._index(end.node, end.interface)
                self._netlink[end.node].link("set", index=index, mtu=link.mtu)

    def _dress(self, end: End, *, fabric: bool) -> None:
        netlink, index = self._netlink[end.node], self._index(end.node, end.interface)
        with _named(f"{end.node}/{end.interface}"):
            if end.bridge:
                own = _inet6("IFLA_INET6_ADDR_GEN_MODE", NO_LINK_LOCAL)
                netlink.link("set", index=index, **own)
                netlink.link("set", index=index, master=self._index(end.node, end.bridge))
            if end.token is not None:
                netlink.link("set", index=index, **_inet6("IFLA_INET6_TOKEN", str(end.token)))
            netlink.link("set", index=index, state="up")
        for address in end.addresses:
            self.add_address(end.node, end.interface, address, no_dad=fabric)

    def _change(self, node: str, verb: str, route: Route) -> None:
        family = INET6 if route.to.version == 6 else INET
        more: dict[str, Any] = {}
        if route.via is not None:
            more["gateway"] = str(route.via)
        elif family == INET:
            more["scope"] = SCOPE_LINK
        if route.interface:
            more["oif"] = self._index(node, route.interface)
            if route.via is not None:  # it is a neighbour before the prefix of the link is known
                more["flags"] = ON_LINK
        with _named(f"{node}: {verb} the route to {route.to}"):
            self._netlink[node].route(verb, family=family, dst=str(route.to), **more)


@contextmanager
def _named(what: str, *, but: int = 0) -> Iterator[None]:
    """Rename the kernel's refusal to a LabError about *what*; the errno *but* is no refusal."""
    try:
        yield
    except NetlinkError as why:
        if why.code != but:
            raise LabError(f"{what}: {why}") from why


def _inet6(attribute: str, value: object) -> dict[str, Any]:
    return {"IFLA_AF_SPEC": {"attrs": [("AF_INET6", {"attrs": [(attribute, value)]})]}}
