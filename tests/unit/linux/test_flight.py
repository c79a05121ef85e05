"""Is a flight recording read into what happened, whatever state its file is in?"""

from __future__ import annotations

import json
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.linux import flight
from pytest_v6probe.linux.flight import (
    AddressChange,
    Advertisement,
    LinkChange,
    Look,
    RouteChange,
    Setting,
)
from pytest_v6probe.linux.routes import Route
from tests.unit.linux import flights
from tests.unit.linux.flights import GATEWAY, LEFT, ROUTE
from tests.unit.probes.seen import default_route

DEFAULT = next(iter(flight.read(flights.flight(flights.start(ROUTE))).start.routes))


def events(*lines):
    return flight.read(flights.flight(flights.start(ROUTE), *lines)).events


def test_a_start_says_how_everything_was():
    timeline = flight.read(flights.flight(flights.start(ROUTE)))
    assert (timeline.up_s, timeline.clock_s, timeline.raw, timeline.end) == (
        1000.0,
        1.7e9,
        True,
        None,
    )
    assert timeline.start.t_s == 0.0
    assert (DEFAULT.gateway, DEFAULT.interface, DEFAULT.protocol) == (GATEWAY, "eth0", "ra")
    assert timeline.sysctls["eth0.accept_ra"] == "1"
    assert timeline.setting_at("all.forwarding", 9.0) == "0"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            flights.routed(1.5, ROUTE, there=False),
            RouteChange(t_s=1.5, route=DEFAULT, there=False),
            id="a-route-goes",
        ),
        pytest.param(
            flights.routed(1.5, ROUTE, port=77, flags=0x100),
            RouteChange(t_s=1.5, route=DEFAULT, there=True, port=77, replaces=True),
            id="a-process-replaces-a-route",
        ),
        pytest.param(
            flights.setting(2.0, "all/forwarding", "1\n"),
            Setting(t_s=2.0, name="all.forwarding", value="1"),
            id="a-sysctl",
        ),
        pytest.param(
            flights.advertised(3.0, 600),
            Advertisement(t_s=3.0, interface="eth0", router=GATEWAY, lifetime_s=600),
            id="an-advertisement",
        ),
        pytest.param(
            flights.counted(3.0), Advertisement(t_s=3.0, interface="eth0"), id="one-only-counted"
        ),
        pytest.param(
            flights.linked(4.0, up=False),
            LinkChange(t_s=4.0, interface="eth0", up=False),
            id="a-link",
        ),
        pytest.param(
            flights.addressed(5.0, 7),
            AddressChange(t_s=5.0, interface="eth0", port=7),
            id="an-address",
        ),
    ],
)
def test_a_line_is_an_event(line, expected):
    assert events(line) == (expected,)


def test_a_router_that_repeats_itself_still_says_its_lifetime():
    heard = events(flights.advertised(1.0, 600), flights.advertised(2.0, None))
    assert [ra.lifetime_s for ra in heard] == [600, 600]


def test_an_end_says_what_is_left():
    timeline = flight.read(flights.flight(flights.start(ROUTE), flights.end(60.0, LEFT, lost=2)))
    assert timeline.end is not None
    assert (timeline.end.t_s, timeline.end.routes[0].expires_s, timeline.lost) == (60.0, 1700.0, 2)


def test_an_end_without_room_for_its_routes_is_no_end():
    assert flight.read(flights.flight(flights.start(ROUTE), flights.end(60.0))).end is None


def test_routes_are_replayed():
    other = default_route("fe80::2", protocol=4, expires_s=None, metric=99)
    timeline = flight.read(
        flights.flight(
            flights.start(ROUTE),
            flights.routed(1.0, ROUTE, there=False),
            flights.routed(2.0, other),
        )
    )
    held = [[str(route.gateway) for route in timeline.defaults_at(t)] for t in (0.5, 1.5, 2.5)]
    assert held == [["fe80::1"], [], ["fe80::2"]]
    assert [left for _, left in timeline.walk()] == [0, 1]


def test_a_route_that_replaces_another_leaves_one():
    other = default_route("fe80::2")
    timeline = flight.read(
        flights.flight(flights.start(ROUTE), flights.routed(1.0, other, flags=0x100))
    )
    assert [route.gateway for route in timeline.defaults_at(9.0)] == [IPv6Address("fe80::2")]


def test_what_came_later_can_be_left_out():
    timeline = flight.read(
        flights.flight(
            flights.start(ROUTE),
            flights.routed(1.0, ROUTE, there=False),
            flights.routed(5.0, ROUTE),
            flights.end(6.0, LEFT),
        )
    )
    assert (len(timeline.until(2.0).events), timeline.until(2.0).end) == (1, None)
    assert timeline.until(5.5).end == timeline.end


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'"text"',
        b"{}",
        b'{"kind":"netlink","t_s":1}',
        b'{"kind":"netlink","t_s":1,"payload":"////"}',
        b'{"kind":"ra","t_s":1,"interface":"eth0","from":"nobody","hop_limit":255}',
        b'{"kind":"ra","t_s":1,"interface":"eth0","from":"fe80::1","hop_limit":64,"payload":"hgAA"}',
        b'{"kind":"sysctl","t_s":1,"name":"/etc/passwd","value":"x"}',
        b'{"kind":"end","t_s":[],"routes":7}',
        b"[" * 100000,
        b"\xff\xfe",
    ],
    ids=range(12),
)
def test_a_line_that_makes_no_sense_is_counted_and_passed_over(line):
    timeline = flight.read(flights.flight(flights.start(ROUTE), line, flights.counted(3.0)))
    assert (timeline.unreadable, len(timeline.events)) == (1, 1)


def test_a_line_that_is_still_being_written_is_passed_over():
    whole = flights.flight(flights.start(ROUTE), flights.counted(1.0), flights.counted(2.0))
    timeline = flight.read(whole[:-9])
    assert (len(timeline.events), timeline.unreadable) == (1, 1)


@pytest.mark.parametrize("octets", [b"", b"\n", b"{}", b"null\n", b'{"kind":"start"}'])
def test_what_does_not_begin_with_a_start_is_refused(octets):
    with pytest.raises(ValueError, match="not a flight recording"):
        flight.read(octets)


@given(st.binary(max_size=200))
def test_no_octets_behind_a_start_end_the_reader(octets):
    timeline = flight.read(flights.flight(flights.start(ROUTE)) + octets)
    assert isinstance(timeline.start, Look)


@given(
    st.dictionaries(
        st.sampled_from(
            ["kind", "t_s", "payload", "port", "from", "interface", "routes", "name", "value"]
        ),
        st.one_of(
            st.sampled_from(["netlink", "sysctl", "ra", "ra-counted", "end", "lost"]),
            st.integers(),
            st.text(max_size=20),
            st.none(),
            st.lists(st.integers(), max_size=3),
        ),
    )
)
def test_no_object_behind_a_start_ends_the_reader(said):
    timeline = flight.read(flights.flight(flights.start(ROUTE)) + json.dumps(said).encode())
    assert all(isinstance(route, Route) for route in timeline.start.routes)
