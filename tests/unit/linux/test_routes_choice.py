"""Does `linux.routes` choose as Linux does?"""

from ipaddress import ip_network

from pytest_v6probe.linux.routes import Route, default_routes


def route(text, **fields):
    values = {"gateway": None, "interface": "eth0", "index": 2, "protocol": "static"} | fields
    return Route(destination=ip_network(text), **values)


WIDE = route("2001:db8::/32")
DEAR, CHEAP = route("::/0", metric=1024), route("::/0", metric=100)
HIGH, LOW = (
    route("::/0", metric=100, preference="high"),
    route("::/0", metric=100, preference="low"),
)
WORLD = (DEAR, LOW, CHEAP, HIGH, WIDE)


def test_default_routes_are_of_one_family_and_the_main_table_and_forward():
    unreachable = route("::/0", type="unreachable", metric=0xFFFFFFFF)
    other_table, ipv4 = route("::/0", table=77), route("0.0.0.0/0")
    world = (unreachable, other_table, ipv4, *WORLD)
    assert default_routes(world) == (HIGH, CHEAP, LOW, DEAR)
    assert default_routes(world, version=4) == (ipv4,)


def test_only_a_route_to_everything_is_a_default_route():
    assert [r.is_default for r in (DEAR, WIDE)] == [True, False]
