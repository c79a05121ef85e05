"""Does the flight recorder see what happens to a host's IPv6, and in which order?"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from pytest_v6probe.agent.client import Agent
from tests.unit.agent.world import World, advertise, begin, ended, eventually, finish, lines, read

SYSCTLS = "/proc/sys/net/ipv6/conf/"
DELROUTE, NETCONF = 25, 80
Line = dict[str, Any]


def default_routes(world: World) -> str:
    return world.sh("ip -6 route show default")


def message(line: Line) -> tuple[int, bytes]:
    """The type and the body of the first message of a netlink line."""
    octets = b64decode(line["payload"])
    return struct.unpack_from("=H", octets, 4)[0], octets[16:]


def first(seen: list[Line], holds: Callable[[Line], bool]) -> int:
    return next(at for at, line in enumerate(seen) if holds(line))


def deletes_default(line: Line) -> bool:
    return line["kind"] == "netlink" and (
        message(line)[0] == DELROUTE and message(line)[1][:2] == b"\x0a\x00"
    )


def test_forwarding_purges_the_route_of_an_advertisement_and_the_record_tells_why(
    link: World, recorder: Agent
):
    advertise(link)
    eventually(lambda: "via fe80::1" in default_routes(link))
    recording = begin(recorder, "flight")
    link.sh(f"echo 1 > {SYSCTLS}all/forwarding")
    seen = lines(finish(recorder, recording))
    assert default_routes(link) == ""
    start, end = seen[0], seen[-1]
    assert start["sysctls"][SYSCTLS + "near/accept_ra"] == "1"
    told = first(seen, lambda line: line["kind"] == "netlink" and message(line)[0] == NETCONF)
    changed = first(seen, lambda line: line.get("name") == SYSCTLS + "all/forwarding")
    purged = first(seen, deletes_default)
    assert told < changed < purged
    assert seen[changed]["value"] == "1"
    assert seen[purged]["port"] == 0
    assert (
        start["sysctls"][SYSCTLS + "near/forwarding"],
        end["sysctls"][SYSCTLS + "near/forwarding"],
    ) == ("0", "1")
    gateway = bytes.fromhex("fe800000000000000000000000000001")
    assert gateway in b64decode(start["routes"])
    assert gateway not in b64decode(end["routes"])


def test_every_advertisement_is_noted_and_only_news_is_repeated(link: World, recorder: Agent):
    recording = begin(recorder, "flight")
    long = advertise(link)
    advertise(link)
    short = advertise(link, lifetime_s=30)
    heard = [line for line in lines(finish(recorder, recording)) if line["kind"] == "ra"]
    times = [line.pop("t_s") for line in heard]
    assert times == sorted(times)
    common = {"kind": "ra", "from": "fe80::1", "interface": "near", "hop_limit": 255}
    payloads = [b64decode(line.pop("payload")) if "payload" in line else b"" for line in heard]
    assert heard == [common] * 3
    assert payloads == [long[40:], b"", short[40:]]


def test_without_the_right_to_hear_advertisements_they_are_counted(link: World):
    agent = link.agent("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
    recording = begin(agent, "flight")
    for _ in range(2):
        advertise(link)
    seen = lines(finish(agent, recording))
    agent.close()
    counted = [line for line in seen if line["kind"].startswith("ra")]
    assert seen[0]["raw"] is False
    assert {(line["kind"], line["interface"]) for line in counted} == {("ra-counted", "near")}
    assert sum(line["count"] for line in counted) == 2


def test_a_sysctl_of_which_the_kernel_says_nothing_is_noted(link: World, recorder: Agent):
    recording = begin(recorder, "flight")
    link.sh(f"echo 2 > {SYSCTLS}near/accept_ra")
    eventually(
        lambda: (
            b'"near/accept_ra"' in read(recorder, recording).payload.replace(SYSCTLS.encode(), b"")
        )
    )
    changes = [line for line in lines(finish(recorder, recording)) if line["kind"] == "sysctl"]
    assert [(line["name"], line["value"]) for line in changes] == [
        (SYSCTLS + "near/accept_ra", "2")
    ]


def test_an_interface_that_comes_later_is_watched_too_even_one_of_the_same_name(
    world: World, recorder: Agent
):
    recording = begin(recorder, "flight")
    for value in ("0", "2"):
        world.sh(
            f"ip link add late type veth peer name tail; sleep 0.3;"
            f"echo {value} > {SYSCTLS}late/accept_ra; sleep 0.3; ip link del late"
        )
    changes = [line for line in lines(finish(recorder, recording)) if line["kind"] == "sysctl"]
    values = [line["value"] for line in changes if line["name"] == SYSCTLS + "late/accept_ra"]
    assert values == ["1", "0", "1", "2"]


def test_a_full_file_has_its_end_and_no_octet_too_many(world: World, recorder: Agent):
    recording = begin(recorder, "flight", max_bytes=1 << 16)
    world.sh("ip link add near type veth peer name far")
    world.sh("for i in $(seq 1300 1400); do echo link set near mtu $i; done | ip -batch -")
    reply = ended(recorder, recording)
    assert reply.fields["ended"] == "full"
    assert reply.fields["size_bytes"] <= 1 << 16
    seen = lines(reply.payload)
    assert (seen[0]["kind"], seen[-1]["kind"], seen[-1]["why"]) == ("start", "end", "full")
    assert seen[-1]["sysctls"][SYSCTLS + "near/forwarding"] == "0"


def test_of_many_routes_the_default_ones_are_told_first_and_the_bounds_hold(
    world: World, recorder: Agent
):
    world.sh(
        "for i in $(seq 60); do echo link add n$i type veth peer name f$i; done | ip -batch -;"
        "for i in $(seq 3000); do echo route add unreachable fd00::$i; done | ip -6 -batch -"
    )
    world.sh("ip -6 route add fe00::/8 dev lo; ip -6 route add default dev lo metric 4242")
    recording = begin(recorder, "flight", max_bytes=1 << 17)
    whole = finish(recorder, recording)
    start, end = lines(whole)[0], lines(whole)[-1]
    assert len(whole) <= 1 << 17
    assert len(start["sysctls"]) == 492
    for routes in (start["routes"], end["routes"]):
        assert 0 < len(b64decode(routes)) <= (1 << 17) / 6
        assert struct.pack("=HHI", 8, 6, 4242) in b64decode(routes)[:400]
    assert (end["kind"], end["why"], end["lost"]) == ("end", "asked", 0)
