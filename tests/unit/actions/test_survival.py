"""Does the judge tell a route that is renewed from one that is gone, dying, another one, or was
away?
"""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.actions.survival import RouteSurvival, Story, judge
from pytest_v6probe.linux import flight
from pytest_v6probe.probes import ra_owner_cures
from pytest_v6probe.result import Layer
from tests.unit.linux.flights import (
    GATEWAY,
    NOTHING,
    ROUTE,
    addressed,
    advertised,
    counted,
    end,
    linked,
    routed,
    setting,
    start,
)
from tests.unit.linux.flights import flight as recording
from tests.unit.probes.seen import default_route

OTHER = IPv6Address("fe80::66")
LASTING = default_route(expires_s=None)
STATIC = default_route(protocol=4, expires_s=None)


def left(expires_s, gateway="fe80::1", **how):
    return default_route(gateway, expires_s=expires_s, **how)


def story(owner="kernel", **more):
    return Story(
        vantage="docker-1", action="a restart", action_s=1.0, done_s=3.0, within_s=60.0, owner=owner, **more
    )  # fmt: skip


def found(verdict, *, after=GATEWAY, after_origin="ra", owner="kernel", cause=(), **more):
    return RouteSurvival(
        vantage="docker-1",
        asked="::/0 through a restart",
        verdict=verdict,
        **{
            "interface": "eth0",
            "owner": owner,
            "before_gateway": GATEWAY,
            "before_origin": "ra",
            "after_gateway": after,
            "after_origin": after_origin,
            "cause": cause,
            **more,
        },
    )


GONE = found("purged", after=None, after_origin="")
REMOVED = "default via fe80::1 dev eth0 removed by the kernel at t+0.22 s"
FORWARDING = "all.forwarding 0→1 at t+0.21 s while accept_ra=1 on eth0"
CASES = [
    pytest.param(
        (start(ROUTE), advertised(10.0), end(20.0, left(1790.0))),
        story(),
        found("renewed"),
        (None, 1790.0),
        id="the-kernel-took-an-advertisement",
    ),
    pytest.param(
        (start(ROUTE, raw=False), counted(10.0), end(20.0, left(1790.0))),
        story(),
        found("renewed"),
        (None, 1790.0),
        id="advertisements-are-only-counted",
    ),
    pytest.param(
        (start(LASTING), advertised(10.0), addressed(10.0, port=77), end(20.0, LASTING)),
        story("NetworkManager"),
        found("renewed", owner="NetworkManager"),
        (None, None),
        id="a-daemon-that-counts-the-lifetime-itself-set-an-address-anew",
    ),
    pytest.param(
        (start(LASTING), advertised(10.0), end(20.0, LASTING)),
        story("NetworkManager", owner_runs=True),
        found("renewed", owner="NetworkManager"),
        (None, None),
        id="a-daemon-that-leaves-no-trace-still-runs",
    ),
    pytest.param(
        (start(STATIC), end(20.0, STATIC)),
        story("nobody"),
        found(
            "renewed",
            owner="nobody",
            before_origin="static",
            after_origin="static",
            cause=("proto static never expires",),
        ),
        (None, None),
        id="a-static-route-needs-no-renewal",
    ),
    pytest.param(
        (
            start(ROUTE),
            setting(1.21, "eth0/forwarding", "1"),
            setting(1.21, "all/forwarding", "1"),
            routed(1.22, ROUTE, there=False),
            advertised(10.0),
            end(20.0, NOTHING),
        ),
        story(),
        found("purged", after=None, after_origin="", cause=(FORWARDING, REMOVED)),
        (None, None),
        id="forwarding-purged-it",
    ),
    pytest.param(
        (start(ROUTE), setting(1.21, "all/forwarding", "1"), routed(1.22, ROUTE, there=False)),
        story(),
        found("purged", after=None, after_origin="", cause=(FORWARDING, REMOVED)),
        (None, None),
        id="the-recording-was-cut-off",
    ),
    pytest.param(
        (
            start(ROUTE),
            advertised(5.0, 0),
            routed(5.0, ROUTE, there=False),
            end(20.0, NOTHING),
        ),
        story(),
        found(
            "purged",
            after=None,
            after_origin="",
            cause=(
                "fe80::1 advertised a router lifetime of 0 on eth0 at t+4.00 s",
                "default via fe80::1 dev eth0 removed by the kernel at t+4.00 s",
            ),
        ),
        (None, None),
        id="the-router-resigned",
    ),
    pytest.param(
        (
            start(ROUTE),
            setting(1.1, "eth0/accept_ra", "0"),
            advertised(10.0),
            end(20.0, left(1780.0)),
        ),
        story(),
        found("dying", cause=("accept_ra 1→0 on eth0 at t+0.10 s",)),
        (None, 1780.0),
        id="advertisements-come-and-the-kernel-does-not-take-them-any-more",
    ),
    pytest.param(
        (
            start(ROUTE),
            advertised(2.0),
            setting(2.5, "eth0/accept_ra", "0"),
            end(20.0, left(1782.0)),
        ),
        story(),
        found("dying", cause=("accept_ra 1→0 on eth0 at t+1.50 s",)),
        (None, 1782.0),
        id="an-advertisement-during-the-action-does-not-count",
    ),
    pytest.param(
        (
            start(ROUTE, settings={"eth0/forwarding": "1", "all/forwarding": "1"}),
            advertised(10.0),
            end(20.0, left(1780.0)),
        ),
        story(),
        found("dying", cause=("forwarding=1 since before the action, and accept_ra=1 on eth0",)),
        (None, 1780.0),
        id="it-was-dying-before",
    ),
    pytest.param(
        (start(ROUTE), end(21.0, left(1779.0))),
        story(),
        found(
            "dying", cause=("no router advertisement on eth0 in the 20 s since the action began",)
        ),
        (None, 1779.0),
        id="no-router-spoke",
    ),
    pytest.param(
        (start(ROUTE), advertised(10.0), end(20.0, left(1780.0))),
        story("systemd-networkd", owner_runs=True),
        found(
            "dying",
            owner="systemd-networkd",
            cause=("1 router advertisement on eth0 since the action began, and none was taken",),
        ),
        (None, 1780.0),
        id="the-daemon-runs-and-does-not-move-the-expiry",
    ),
    pytest.param(
        (start(LASTING), advertised(10.0), addressed(9.0, port=77), end(20.0, LASTING)),
        story("NetworkManager"),
        found(
            "dying",
            owner="NetworkManager",
            cause=("1 router advertisement on eth0 since the action began, and none was taken",),
        ),
        (None, None),
        id="the-daemon-did-nothing-after-the-advertisement",
    ),
    pytest.param(
        (start(left(15.0)), routed(15.0, left(15.0), there=False), end(20.0, NOTHING)),
        story(),
        found(
            "dying",
            after=None,
            after_origin="",
            cause=(
                "no router advertisement on eth0 in the 19 s since the action began",
                "default via fe80::1 dev eth0 removed by the kernel at t+14.00 s",
            ),
        ),
        (None, 0.0),
        id="it-died-meanwhile",
    ),
    pytest.param(
        (
            start(ROUTE),
            routed(2.0, default_route("fe80::66", metric=5), port=9),
            end(20.0, left(1780.0), left(1782.0, "fe80::66", metric=5)),
        ),
        story(),
        found(
            "replaced",
            after=OTHER,
            cause=(
                "default via fe80::66 dev eth0 proto ra set by a process (netlink port 9) at t+1.00 s",
            ),
        ),
        (None, 1782.0),
        id="another-gateway",
    ),
    pytest.param(
        (
            start(ROUTE),
            routed(2.0, ROUTE, there=False),
            routed(2.5, STATIC, port=9),
            end(20.0, STATIC),
        ),
        story(),
        found(
            "replaced",
            after_origin="static",
            cause=(
                "default via fe80::1 dev eth0 removed by the kernel at t+1.00 s",
                "default via fe80::1 dev eth0 proto static set by a process (netlink port 9) at t+1.50 s",
            ),
        ),
        (500.0, None),
        id="another-origin",
    ),
    pytest.param(
        (
            start(ROUTE),
            linked(2.0, up=False),
            routed(2.0, ROUTE, there=False),
            routed(3.25, ROUTE),
            advertised(3.25),
            end(20.0, left(1783.0)),
        ),
        story(),
        found(
            "lost-and-back",
            cause=(
                "eth0 went down at t+1.00 s",
                "default via fe80::1 dev eth0 removed by the kernel at t+1.00 s",
                "default via fe80::1 dev eth0 set by the kernel at t+2.25 s",
            ),
        ),
        (1250.0, 1783.0),
        id="lost-and-back",
    ),
    pytest.param(
        (start(NOTHING), end(20.0, NOTHING)),
        story(),
        found(
            "never-there",
            after=None,
            after_origin="",
            interface="",
            before_gateway=None,
            before_origin="",
        ),
        (None, None),
        id="never-there",
    ),
]


@pytest.mark.parametrize(("lines", "told", "expected", "numbers"), CASES)
def test_judge(lines, told, expected, numbers):
    judged = judge(flight.read(recording(*lines)), told)
    assert judged == expected
    assert (judged.gap_ms, judged.expires_s) == numbers


def test_a_recording_that_was_cut_off_goes_by_its_events():
    whole = recording(start(ROUTE), advertised(10.0))
    assert judge(flight.read(whole), story()).verdict == "renewed"


@pytest.mark.parametrize(
    ("verdict", "layer"), [("dying", Layer.RA), ("purged", Layer.ROUTE), ("replaced", Layer.ROUTE)]
)
def test_a_route_that_nothing_renews_is_a_matter_of_advertisements(verdict, layer):
    assert found(verdict).broken_layer is layer


@pytest.mark.parametrize(
    ("finding", "known"),
    [
        (found("renewed"), None),
        (
            found("purged", cause=(FORWARDING, REMOVED)),
            (FORWARDING, ra_owner_cures.keep("kernel", "eth0")),
        ),
        (
            found("purged", cause=(FORWARDING,), owner="ifupdown"),
            (FORWARDING, ra_owner_cures.keep("ifupdown", "eth0")),
        ),
        (found("purged", cause=(REMOVED,)), (REMOVED, "")),
        (
            found("dying", cause=("none was taken",), owner="systemd-networkd"),
            ("none was taken", ra_owner_cures.keep("systemd-networkd", "eth0")),
        ),
        (found("never-there"), ("the default route: never-there", "")),
    ],
    ids=["renewed", "kernel", "ifupdown", "by-a-process", "networkd", "never-there"],
)
def test_the_cure_is_that_of_the_owner(finding, known):
    assert finding.known_cause == known


def test_a_hostile_number_of_changes_is_judged_in_time():
    flaps = [routed(1.1 + i / 1000, ROUTE, there=bool(i % 2)) for i in range(4000)]
    judged = judge(flight.read(recording(start(ROUTE), *flaps, end(20.0, left(1790.0)))), story())
    assert (judged.verdict, len(judged.cause)) == ("lost-and-back", 8)
