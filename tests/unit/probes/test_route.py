"""Does the judge read the default route, its origin and its renewal?"""

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.route import DefaultRoute, judge
from pytest_v6probe.result import Layer
from tests.unit.probes.seen import (
    GATEWAY,
    VANTAGE,
    default_route,
    link,
    netlink,
    ra_settings,
    read,
    seen,
)

ROGUE = IPv6Address("fe80::bad")
KERNEL = ra_settings(1)


def found(verdict, **what):
    return DefaultRoute(vantage=VANTAGE, asked="::/0", verdict=verdict, **what)


BY_RA = {"gateway": GATEWAY, "gateways": frozenset({GATEWAY}), "interface": "eth0", "origin": "ra"}


@pytest.mark.parametrize(
    ("routes", "settings", "expected"),
    [
        pytest.param(
            netlink(link(), default_route()),
            KERNEL,
            found("present", **BY_RA, owner="kernel"),
            id="by-advertisement",
        ),
        pytest.param(
            netlink(link(), default_route(protocol=4, expires_s=None)),
            ra_settings(0),
            found("present", **{**BY_RA, "origin": "static"}, owner="nobody"),
            id="static",
        ),
        pytest.param(netlink(link()), KERNEL, found("absent"), id="no-default-route"),
        pytest.param(
            netlink(link(), default_route(), default_route("fe80::bad")),
            KERNEL,
            found(
                "several-routers",
                **{**BY_RA, "gateways": frozenset({GATEWAY, ROGUE})},
                owner="kernel",
            ),
            id="two-routers-on-one-link",
        ),
        pytest.param(
            netlink(link(), default_route(expires_s=-1)),
            KERNEL,
            found("expired", **BY_RA, owner="kernel"),
            id="expired",
        ),
        pytest.param(
            netlink(link(), default_route()),
            read(
                {
                    "/run/systemd/netif/links/2": "ADMIN_STATE=configured\n",
                    "/proc/sys/net/ipv6/conf/eth0/accept_ra": "0\n",
                    "/proc/sys/net/ipv6/conf/eth0/forwarding": "0\n",
                }
            ),
            found("present", **BY_RA, owner="systemd-networkd"),
            id="networkd-owns-it",
        ),
        pytest.param(Reply("answered", b"junk"), KERNEL, found("unreadable"), id="not-netlink"),
        pytest.param(Reply("timed-out"), KERNEL, found("timed-out"), id="no-answer"),
    ],
)
def test_judge(routes, settings, expected):
    assert judge(seen(routes, settings)) == expected


def at(expires_s, *, up_s="1000.00"):
    routes = netlink(link(), default_route(expires_s=expires_s))
    return judge(seen(routes, ra_settings(1, more={"/proc/uptime": f"{up_s} 0.00\n"})))


def test_a_later_expiry_is_a_renewal():
    assert at(1800, up_s="1010.00").renewed_since(at(1795))


def test_the_same_expiry_seen_later_is_none():
    assert not at(1785, up_s="1010.00").renewed_since(at(1795))
    assert not at(1785.05, up_s="1010.00").renewed_since(at(1795))


def test_an_absent_route_is_never_renewed():
    assert not judge(seen(netlink(link()), KERNEL)).renewed_since(at(1800))


@pytest.mark.parametrize(
    ("owner", "renewed"),
    [("systemd-networkd", True), ("NetworkManager", True), ("kernel", False), ("nobody", True)],
)
def test_a_route_without_expiry_is_kept_by_the_daemon_that_owns_it(owner, renewed):
    route = found("present", **BY_RA, owner=owner)
    assert route.renewed_since(at(1800)) is renewed


def test_a_second_router_is_the_fault_of_its_advertisement():
    assert found("several-routers", origin="ra").broken_layer is Layer.RA
    assert found("several-routers", origin="static").broken_layer is Layer.ROUTE
    assert found("absent").broken_layer is Layer.ROUTE
