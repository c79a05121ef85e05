"""What is beyond the cloud? A core router, name servers, three web sites, a client at home."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemons.bind import NO_ZONES, Bind
from pytest_v6probe.lab.daemons.nginx import Nginx
from pytest_v6probe.lab.topology import End, Link, Node, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.daemon import Daemon
    from pytest_v6probe.result import Address

CORE, CARRIER, DNS, GOOGLE, COMPUTE, CLIENT = (
    "core",
    "carrier",
    "dns",
    "google",
    "compute",
    "client",
)

GOOGLE_NAME = "www.google.com"
GOOGLE_IPV6 = IPv6Address("2607:f8b0:4004:c17::6a")  # the talk: ping -6 www.google.com
GOOGLE_IPV4 = IPv4Address("142.251.16.106")  # bl-in-f106.1e100.net
HTTPS_NAME = "ipv6.google.com"
HTTPS_IPV6 = IPv6Address("2607:f8b0:4004:c17::8b")  # it has no A record
HTTPS = "google-https"
COMPUTE_NAME = "ec2-44-210-107-93.compute-1.amazonaws.com"
COMPUTE_IPV4 = IPv4Address("44.210.107.93")  # the talk: 64:ff9b::2cd2:6b5d
ROOT_IPV6 = IPv6Address("2001:503:ba3e::2:30")  # a.root-servers.net
ROOT_IPV4 = IPv4Address("198.41.0.4")
CLIENT_IPV6 = IPv6Address("2001:db8:c1::10")
DEFAULT_IPV6, DEFAULT_IPV4 = IPv6Network("::/0"), IPv4Network("0.0.0.0/0")
SMALL_MTU = 1400
"""Of the link between the core and the IPv4-only site: path MTU discovery has something to
discover.
"""

PAGE = "<!doctype html><title>It works</title><p>Served from {name}.</p>\n"
SOA = (
    "@ 300 SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 60\n"
    "@ 300 NS a.root-servers.net.\n"
)


def nodes(vpcs: tuple[tuple[str, IPv6Network, IPv4Network], ...]) -> tuple[Node, ...]:
    """The nodes; *vpcs* are region, IPv6 block and translator's IPv4 pool of every cloud region
    that the core reaches.
    """
    inward = [
        Route(to=block, via=uplink(number, 6, 2).ip) for number, (_, block, _) in enumerate(vpcs)
    ]
    inward += [
        Route(to=pool, via=uplink(number, 4, 2).ip) for number, (_, _, pool) in enumerate(vpcs)
    ]
    inward.append(Route(to=IPv4Network("44.210.107.0/24"), via=IPv4Address("52.93.255.2")))
    return (
        Node(name=CORE, hostname="core", fabric=True, forwarding=True, routes=tuple(inward)),
        Node(
            name=CARRIER,
            hostname="carrier",
            fabric=True,
            forwarding=True,
            routes=(Route(to=DEFAULT_IPV4, via=IPv4Address("52.93.255.1")),),
        ),
        _server(DNS, "2001:503:ba3e::1", "198.41.0.1"),
        _server(GOOGLE, "2607:f8b0:4004:c17::1", "142.251.16.1"),
        _server(COMPUTE, "", "44.210.107.1"),
        Node(
            name=CLIENT,
            hostname="client",
            routes=defaults("2001:db8:c1::1", "203.0.113.1"),
            accept_ra=0,
            etc=MappingProxyType(
                {"resolv.conf": f"nameserver {ROOT_IPV6}\nnameserver {ROOT_IPV4}\n"}
            ),
        ),
    )


def links(vpcs: tuple[str, ...]) -> tuple[Link, ...]:
    """The cables of the core; *vpcs* are the regions, each with a node ``REGION/router``."""
    upward = [
        Link(
            a=End(
                node=CORE, interface=region, addresses=(uplink(number, 6, 1), uplink(number, 4, 1))
            ),
            b=End(
                node=f"{region}/router",
                interface="wan",
                addresses=(uplink(number, 6, 2), uplink(number, 4, 2)),
            ),
        )
        for number, region in enumerate(vpcs)
    ]
    return (
        *upward,
        cable(
            CORE,
            DNS,
            ("2001:503:ba3e::1/64", "198.41.0.1/24"),
            (f"{ROOT_IPV6}/64", f"{ROOT_IPV4}/24"),
        ),
        cable(
            CORE,
            GOOGLE,
            ("2607:f8b0:4004:c17::1/64", "142.251.16.1/24"),
            (f"{GOOGLE_IPV6}/64", f"{GOOGLE_IPV4}/24", f"{HTTPS_IPV6}/64"),
        ),
        cable(
            CORE,
            CLIENT,
            ("2001:db8:c1::1/64", "203.0.113.1/24"),
            (f"{CLIENT_IPV6}/64", "203.0.113.10/24"),
        ),
        cable(CORE, CARRIER, ("52.93.255.1/30",), ("52.93.255.2/30",), mtu=SMALL_MTU),
        cable(CARRIER, COMPUTE, ("44.210.107.1/24",), (f"{COMPUTE_IPV4}/24",)),
    )


def uplink(number: int, version: int, end: int) -> IPv4Interface | IPv6Interface:
    """The address of one end (1: the core's, 2: the region's) of the uplink of region *number*."""
    if version == 6:
        return IPv6Interface(f"2001:db8:ff:{number + 1:x}::{end}/64")
    return IPv4Interface(
        f"52.93.{number}.{end}/30"
    )  # global, or RFC 6052 §3.1 forbids its translation


def daemons(more: Mapping[str, str] = NO_ZONES) -> tuple[Daemon, ...]:
    """Name server and web sites; the name server has *more* zones than these."""
    return (
        Bind(
            name=DNS,
            node=DNS,
            addresses=(ROOT_IPV6, ROOT_IPV4),
            zones=MappingProxyType({**zones(), **more}),
        ),
        Nginx(
            name=GOOGLE,
            node=GOOGLE,
            addresses=(GOOGLE_IPV6, GOOGLE_IPV4),
            page=PAGE.format(name=GOOGLE_NAME),
        ),
        Nginx(
            name=HTTPS,
            node=GOOGLE,
            addresses=(HTTPS_IPV6,),
            page=PAGE.format(name=HTTPS_NAME),
            certificate=Certificate(name=HTTPS_NAME),
        ),
        Nginx(
            name=COMPUTE,
            node=COMPUTE,
            addresses=(COMPUTE_IPV4,),
            page=PAGE.format(name=COMPUTE_NAME),
        ),
    )


def zones() -> dict[str, str]:
    """The zones of the name server, by origin."""
    text = "v=spf1 include:_spf.lab.invalid a mx " + "x" * 160
    many = "\n".join(f'microsoft 300 TXT "{number:02d} {text}"' for number in range(16))
    some = "\n".join(f'google 300 TXT "{number:02d} {text}"' for number in range(4))
    pool = "\n".join(f"pool 300 A 44.210.{number}.10" for number in range(60))
    com = (
        f"{SOA}www.google 300 A {GOOGLE_IPV4}\nwww.google 300 AAAA {GOOGLE_IPV6}\n"
        f"google 300 A {GOOGLE_IPV4}\ngoogle 300 AAAA {GOOGLE_IPV6}\n"
        f"ipv6.google 300 AAAA {HTTPS_IPV6}\n"
        f"{COMPUTE_NAME.removesuffix('.com')} 300 A {COMPUTE_IPV4}\n"
        f"alias 300 CNAME {COMPUTE_NAME}.\nexample 300 A {COMPUTE_IPV4}\n{pool}\n{some}\n{many}\n"
    )
    root = (
        f"{SOA}com. 300 NS a.root-servers.net.\n"
        f"a.root-servers.net. 300 A {ROOT_IPV4}\na.root-servers.net. 300 AAAA {ROOT_IPV6}\n"
        "ipv4only.arpa. 300 A 192.0.0.170\nipv4only.arpa. 300 A 192.0.0.171\n"
    )  # RFC 7050 §8.2
    reverse = (
        f"{SOA}{COMPUTE_IPV4.reverse_pointer}. 300 PTR {COMPUTE_NAME}.\n"
        f"{GOOGLE_IPV4.reverse_pointer}. 300 PTR bl-in-f106.1e100.net.\n"
    )
    reverse6 = f"{SOA}{GOOGLE_IPV6.reverse_pointer}. 300 PTR bl-in-f106.1e100.net.\n"
    return {"": root, "com": com, "in-addr.arpa": reverse, "ip6.arpa": reverse6}


def _server(name: str, gateway6: str, gateway4: str) -> Node:
    return Node(name=name, hostname=name, fabric=True, routes=defaults(gateway6, gateway4))


def defaults(*gateways: str) -> tuple[Route, ...]:
    """Default routes via *gateways*, of whatever family each is."""
    vias: list[Address] = [ip_address(gateway) for gateway in gateways if gateway]
    return tuple(
        Route(to=ip_network("::/0" if via.version == 6 else "0.0.0.0/0"), via=via) for via in vias
    )


def cable(a: str, b: str, at_a: tuple[str, ...], at_b: tuple[str, ...], *, mtu: int = 1500) -> Link:
    """From *a*, where it is called *b*, to eth0 of *b*."""
    return Link(
        a=End(node=a, interface=b, addresses=tuple(ip_interface(text) for text in at_a)),
        b=End(node=b, interface="eth0", addresses=tuple(ip_interface(text) for text in at_b)),
        mtu=mtu,
    )
