"""Does `linux.netlink` read what the kernel really sends? Compared with `ip -j` inside a private
namespace.
"""

import json
import os
import subprocess
import sys
from ipaddress import ip_address, ip_network

import pytest

from pytest_v6probe.linux import netlink
from pytest_v6probe.linux.routes import default_routes

WORLD = """
set -e
ip link set lo up
ip link add name one type veth peer name two
ip link set one mtu 1400
ip link set one up; ip link set two up
ip address add 2001:db8:1::1/64 dev one nodad
ip address add 2001:db8:2::1/64 dev one valid_lft 600 preferred_lft 0
ip address add 2001:db8:3::1/128 peer 2001:db8:3::2/64 dev one nodad
ip address add 198.51.100.1/24 dev one
ip address add 198.51.100.2/24 dev one
ip -6 route add default via fe80::1 dev one proto ra metric 100 expires 1800 pref high
ip -6 route add default via fe80::2 dev one proto static metric 300
ip -6 route add 2001:db8:aaaa::/48 nexthop via fe80::3 dev one nexthop via fe80::4 dev one
ip -6 route add unreachable 2001:db8:bbbb::/48
ip -6 route add blackhole 2001:db8:cccc::/48 table 77
ip -6 route add 2001:db8:dddd::/48 via fe80::5 dev one mtu 1280 src 2001:db8:1::1 pref low
ip -4 route add 203.0.113.0/24 via 198.51.100.9
ip -4 route add 192.0.2.0/24 via inet6 fe80::6 dev one
ip -4 route add prohibit 192.0.2.128/25
"""

ASK = """
import base64, json, socket, subprocess, sys
subprocess.run(["sh", "-c", sys.argv[1]], check=True)
octets = b""
for text in sys.argv[2:]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as door:
        door.send(base64.b64decode(text))
        done = False
        while not done:
            part = door.recv(1 << 17)
            octets += part
            kind, flags = part[4] | part[5] << 8, part[6] | part[7] << 8
            last = part[-20:]
            done = kind == 2 or not flags & 2 or (len(last) == 20 and last[4] == 3)
ip = lambda *words: json.loads(subprocess.run(["ip", "-j", *words], stdout=-1, check=True).stdout or "[]")
print(json.dumps({
    "octets": base64.b64encode(octets).decode(),
    "link": ip("-d", "link"), "address": ip("-N", "address"),
    "route6": ip("-6", "route", "show", "table", "all"),
    "route4": ip("-4", "route", "show", "table", "all"),
}))
"""


@pytest.fixture(scope="module")
def world():
    if os.geteuid() != 0:
        pytest.skip("a network namespace of one's own needs root")
    from base64 import b64decode, b64encode

    asked = [
        netlink.dump_links(), netlink.dump_addresses(6), netlink.dump_addresses(4),
        netlink.dump_routes(6), netlink.dump_routes(4),
        netlink.route_to(ip_address("2001:db8:ffff::1")), netlink.route_to(ip_address("2001:db8:bbbb::1")),
        netlink.route_to(ip_address("203.0.113.7")), netlink.route_to(ip_address("8.8.8.8")),
        netlink.route_to(ip_address("192.0.2.129")),
    ]  # fmt: skip
    run = subprocess.run(
        [
            "unshare",
            "-n",
            sys.executable,
            "-I",
            "-c",
            ASK,
            WORLD,
            *(b64encode(a).decode() for a in asked),
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=30,
    )
    seen = json.loads(run.stdout)
    return seen | {"octets": b64decode(seen["octets"])}


def test_links_are_those_that_ip_shows(world):
    ours = [
        (
            link.index,
            link.name,
            link.mtu_bytes,
            link.up,
            link.running,
            link.loopback,
            link.state,
            link.kind,
        )
        for link in netlink.read_links(world["octets"])
    ]
    theirs = [
        (
            link["ifindex"], link["ifname"], link["mtu"], "UP" in link["flags"], "LOWER_UP" in link["flags"],
            "LOOPBACK" in link["flags"], link["operstate"].lower(),
            link.get("linkinfo", {}).get("info_kind", ""),
        )
        for link in world["link"]
    ]  # fmt: skip
    assert ours == theirs
    assert len(ours) >= 3


def test_addresses_are_those_that_ip_shows(world):
    flags = {"permanent", "tentative", "dadfailed", "deprecated", "temporary", "nodad", "secondary"}
    ours = {
        (
            a.interface,
            str(a.address),
            a.prefix_length,
            frozenset(a.flags & flags),
            a.valid_s is None,
            a.preferred_s == 0,
        )
        for a in netlink.read_addresses(world["octets"])
    }
    theirs = {
        (
            link["ifname"], a["local"], a["prefixlen"],
            frozenset(({"permanent"} if not a.get("dynamic") else set()) | {f for f in flags if a.get(f)}),
            a["valid_life_time"] == 0xFFFFFFFF, a["preferred_life_time"] == 0,
        )
        for link in world["address"]
        for a in link["addr_info"]
    }  # fmt: skip
    assert ours == theirs


def test_the_lifetime_of_an_address_is_in_seconds(world):
    (address,) = (
        a for a in netlink.read_addresses(world["octets"]) if str(a.address) == "2001:db8:2::1"
    )
    assert address.valid_s is not None
    assert 590 <= address.valid_s <= 600


def test_a_deprecated_address_is_not_usable_and_a_permanent_one_is(world):
    usable = {str(a.address): a.usable for a in netlink.read_addresses(world["octets"])}
    assert usable["2001:db8:1::1"]
    assert not usable["2001:db8:2::1"]


def _theirs(rows, version):
    """`ip -j route` rows as comparable tuples, one for each next hop."""
    anywhere = "::/0" if version == 6 else "0.0.0.0/0"
    for row in rows:
        text = anywhere if row["dst"] == "default" else row["dst"]
        table = {"local": 255, "main": 254, "default": 253}.get(row.get("table", "main"))
        for hop in row.get("nexthops", [row]):
            yield (
                ip_network(text), hop.get("gateway") or hop.get("via", {}).get("host"), hop.get("dev", ""),
                row.get("protocol", "boot"), int(row["table"]) if table is None else table,
                row.get("metric", 0), row.get("pref"), row.get("type", "unicast"), row.get("prefsrc"),
                next((m["mtu"] for m in row.get("metrics", []) if "mtu" in m), None), "expires" in row,
            )  # fmt: skip


def _ours(octets, version):
    for r in netlink.read_routes(octets):
        if r.destination.version == version:
            yield (
                r.destination, r.gateway and str(r.gateway), r.interface, r.protocol, r.table, r.metric,
                r.preference, r.type, r.source and str(r.source), r.mtu_bytes,
                r.expires_s is not None,
            )  # fmt: skip


@pytest.mark.parametrize("version", [6, 4])
def test_routes_are_those_that_ip_shows(world, version):
    ours = sorted(_ours(world["octets"], version), key=repr)
    theirs = sorted(_theirs(world[f"route{version}"], version), key=repr)
    assert ours == theirs
    assert len(ours) > 5


def test_default_routes_come_best_first_with_their_origin_and_lifetime(world):
    first, second = default_routes(netlink.read_routes(world["octets"]))
    assert (str(first.gateway), first.protocol, first.metric, first.preference) == (
        "fe80::1", "ra", 100, "high",
    )  # fmt: skip
    assert first.expires_s is not None
    assert 1790 <= first.expires_s <= 1800
    assert (str(second.gateway), second.protocol, second.metric, second.expires_s) == (
        "fe80::2", "static", 300, None,
    )  # fmt: skip


def test_the_kernels_decisions_are_routes_or_the_errno_that_says_why_not(world):
    decisions = netlink.read_route_to(world["octets"])
    assert [d if isinstance(d, str) else (str(d.gateway), d.interface) for d in decisions] == [
        ("fe80::1", "one"), "EHOSTUNREACH", ("198.51.100.9", "one"), "ENETUNREACH", "EACCES",
    ]  # fmt: skip


def test_pyroute2_reads_the_same_octets_the_same_way(world):
    from pyroute2.netlink.rtnl.marshal import MarshalRtnl

    theirs = [
        (m.get_attr("RTA_GATEWAY"), m.get_attr("RTA_OIF"), m["proto"], m.get_attr("RTA_PRIORITY"))
        for m in MarshalRtnl().parse(world["octets"])
        if m["header"]["type"] == 24 and m["header"]["sequence_number"] == 1
        and not m.get_attr("RTA_MULTIPATH") and m["dst_len"] == 0 and m["type"] == 1
    ]  # fmt: skip
    ours = [
        (str(r.gateway), r.index, {"ra": 9, "static": 4}[r.protocol], r.metric)
        for r in default_routes(netlink.read_routes(world["octets"]))
    ]
    assert ours == theirs
