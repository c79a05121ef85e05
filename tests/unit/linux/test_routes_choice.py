"""Does `linux.routes` choose as Linux does?"""

from ipaddress import ip_address, ip_network

import pytest

from pytest_v6probe.linux.routes import TABLE_LOCAL, Route, best, default_routes


def route(text, **fields):
    values = {"gateway": None, "interface": "eth0", "index": 2, "protocol": "static"} | fields
    return Route(destination=ip_network(text), **values)


LOCAL = route("2001:db8::1/128", table=TABLE_LOCAL, type="local", metric=0)
WIDE, NARROW = route("2001:db8::/32"), route("2001:db8:1::/48", metric=9000)
DEAR, CHEAP = route("::/0", metric=1024), route("::/0", metric=100)
HIGH, LOW = (
    route("::/0", metric=100, preference="high"),
    route("::/0", metric=100, preference="low"),
)
NOWHERE = route("2001:db8:2::/48", type="unreachable")
ELSEWHERE = route("2001:db8:3::/48", table=77)
DEAD = route("2001:db8:4::/48", dead=True)
THROWN = route("2001:db8:5::/48", table=TABLE_LOCAL, type="throw")
WORLD = (DEAR, LOW, CHEAP, HIGH, WIDE, NARROW, LOCAL, NOWHERE, ELSEWHERE, DEAD, THROWN)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("2001:db8::1", LOCAL), ("2001:db8:1::1", NARROW), ("2001:db8:2::1", NOWHERE),
        ("2001:db8:3::1", WIDE), ("2001:db8:4::1", WIDE), ("2001:db8:5::1", WIDE), ("2a00::1", HIGH),
        ("192.0.2.1", None),
    ],
)  # fmt: skip
def test_longest_prefix_then_metric_then_preference_decide(target, expected):
    assert best(WORLD, ip_address(target)) == expected


def test_no_route_is_none():
    assert best((), ip_address("2001:db8::1")) is None


def test_default_routes_are_of_one_family_and_the_main_table_and_forward():
    unreachable = route("::/0", type="unreachable", metric=0xFFFFFFFF)
    other_table, ipv4 = route("::/0", table=77), route("0.0.0.0/0")
    world = (unreachable, other_table, ipv4, *WORLD)
    assert default_routes(world) == (HIGH, CHEAP, LOW, DEAR)
    assert default_routes(world, version=4) == (ipv4,)


def test_only_a_route_to_everything_is_a_default_route():
    assert [r.is_default for r in (DEAR, WIDE)] == [True, False]
