"""Does the judge tell how packets for an address get to the host in front of it?"""

import struct
from ipaddress import IPv6Address, IPv6Network

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.linux.netlink import ROUTE_TO_SEQUENCE
from pytest_v6probe.probes.neighbour_proxy import NeighbourProxy, neighbour_proxy
from tests.unit.linux.test_neighbours import entry
from tests.unit.probes.seen import VANTAGE, default_route, link, netlink, read, seen

ADDRESS = IPv6Address("2001:db8:1::77")
LINKS = link(2, "eth0") + link(3, "docker0")
CONF = "/proc/sys/net/ipv6/conf"


def attribute(kind, value):
    return struct.pack("<HH", 4 + len(value), kind) + value


def message(kind, body, sequence):
    return struct.pack("<IHHII", 16 + len(body), kind, 2, sequence, 0) + body


def route(prefix, index, *, sequence=1, gateway=b"", kind=1):
    network = IPv6Network(prefix)
    body = struct.pack("<BBBBBBBBI", 10, network.prefixlen, 0, 0, 254, 2, 0, kind, 0)
    body += attribute(1, network.network_address.packed) + attribute(4, struct.pack("<I", index))
    body += attribute(5, gateway) if gateway else b""
    return message(24, body, sequence)


def decided(index=3, **how):
    return route(f"{ADDRESS}/128", index, sequence=ROUTE_TO_SEQUENCE, **how)


def no_route():
    body = struct.pack("<i", -101) + struct.pack("<IHHII", 16, 26, 1, ROUTE_TO_SEQUENCE, 0)
    return message(2, body, ROUTE_TO_SEQUENCE)


def settings(proxy_ndp=0, forwarding=1, everywhere=0):
    return read(
        {
            f"{CONF}/eth0/proxy_ndp": f"{proxy_ndp}\n",
            f"{CONF}/eth0/forwarding": f"{forwarding}\n",
            f"{CONF}/all/proxy_ndp": f"{everywhere}\n",
        }
    )


ON_LINK = route("2001:db8:1::/64", 2)
BEHIND = route("2001:db8:1::40/122", 3)


@pytest.mark.parametrize(
    ("dump", "files", "verdict", "interface", "inside"),
    [
        (BEHIND + entry() + decided(), settings(1), "proxied", "eth0", "docker0"),
        (BEHIND + entry() + decided(), settings(everywhere=1), "proxied", "eth0", "docker0"),
        (BEHIND + entry() + decided(), settings(0), "proxy-off", "eth0", "docker0"),
        (BEHIND + entry() + decided(), settings(1, 0), "proxy-off", "eth0", "docker0"),
        (ON_LINK + BEHIND + decided(), settings(1), "unanswered", "eth0", "docker0"),
        (default_route() + BEHIND + decided(), settings(), "routed", "", "docker0"),
        (BEHIND + entry(index=3) + decided(), settings(1), "routed", "", "docker0"),
        (ON_LINK + decided(2, kind=2), settings(), "own", "", "eth0"),
        (decided(2, gateway=IPv6Address("fe80::1").packed), settings(), "elsewhere", "", "eth0"),
        (no_route(), settings(), "no-route", "", ""),
        (b"", settings(), "no-route", "", ""),
        (b"\0" * 20, settings(), "unreadable", "", ""),
    ],
)
def test_judge(dump, files, verdict, interface, inside):
    found = neighbour_proxy.ask(ADDRESS).judge(seen(netlink(LINKS, dump), files))
    assert found == NeighbourProxy(
        vantage=VANTAGE,
        asked=str(ADDRESS),
        verdict=verdict,
        interface=interface,
        inside=inside,
    )
    assert (found.known_cause is not None) == (verdict in {"proxy-off", "unanswered"})


def test_a_kernel_that_gives_no_answer_is_a_verdict():
    found = neighbour_proxy.ask(ADDRESS).judge(seen(Reply("timed-out"), settings()))
    assert found.verdict == "timed-out"
