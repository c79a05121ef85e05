"""Does the judge tell heard, ignored, useless and missing router advertisements apart?"""

from base64 import b64encode
from ipaddress import IPv6Address, IPv6Network

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes import ra_owner
from pytest_v6probe.probes.ra import RouterAdvertisements, judge
from tests.unit.probes.seen import GATEWAY, VANTAGE, default_route, link, netlink, ra_settings, seen

PREFIX = bytes.fromhex("0304 40c0 00015180 00003840 00000000") + IPv6Address("2001:db8::").packed
COUNTED = Reply(
    "answered", fields={"raw": False, "events": [], "counters": {"lo": [0, 0], "eth0": [4, 5]}}
)
SILENT = Reply("timed-out", fields={"raw": False, "events": [], "counters": {"eth0": [4, 4]}})
WITH_ROUTE, WITHOUT = netlink(link(), default_route()), netlink(link())


def raw(lifetime_s=1800, *, source="fe80::1%eth0", hop_limit=255):
    octets = bytes((134, 0, 0, 0, 64, 0)) + lifetime_s.to_bytes(2, "big") + bytes(8) + PREFIX
    event = {
        "t_s": 0.1,
        "kind": "ra",
        "payload": b64encode(octets).decode(),
        "from": source,
        "interface": "eth0",
        "hop_limit": hop_limit,
    }
    return Reply("answered", fields={"raw": True, "events": [event], "counters": {"eth0": [4, 5]}})


def found(verdict, **what):
    return RouterAdvertisements(
        vantage=VANTAGE, asked="router advertisements within 5 s", verdict=verdict, **what
    )


READ = {
    "interface": "eth0",
    "owner": "kernel",
    "prefixes": frozenset({IPv6Network("2001:db8::/64")}),
}


@pytest.mark.parametrize(
    ("watched", "routes", "settings", "expected"),
    [
        pytest.param(
            raw(),
            WITH_ROUTE,
            ra_settings(1),
            found("heard", routers=frozenset({GATEWAY}), **READ),
            id="read",
        ),
        pytest.param(
            raw(0), WITHOUT, ra_settings(1), found("lifetime-zero", **READ), id="read-lifetime-zero"
        ),
        pytest.param(
            raw(hop_limit=64),
            WITHOUT,
            ra_settings(1),
            found("invalid", interface="eth0", owner="kernel"),
            id="forwarded-from-elsewhere",
        ),
        pytest.param(
            raw(source="2001:db8::1"),
            WITHOUT,
            ra_settings(1),
            found("invalid", interface="eth0", owner="kernel"),
            id="from-a-global-address",
        ),
        pytest.param(
            COUNTED,
            WITH_ROUTE,
            ra_settings(1),
            found("heard", routers=frozenset({GATEWAY}), interface="eth0", owner="kernel"),
            id="counted",
        ),
        pytest.param(
            COUNTED,
            WITHOUT,
            ra_settings(1),
            found("lifetime-zero", interface="eth0", owner="kernel"),
            id="counted-and-no-route-came-of-it",
        ),
        pytest.param(
            COUNTED,
            WITHOUT,
            ra_settings(0),
            found("not-accepted", interface="eth0", owner="nobody"),
            id="accept-ra-off",
        ),
        pytest.param(
            COUNTED,
            WITHOUT,
            ra_settings(1, forwarding=1),
            found("not-accepted", interface="eth0", owner="nobody"),
            id="forwarding-overrules-1",
        ),
        pytest.param(
            COUNTED,
            WITH_ROUTE,
            ra_settings(2, forwarding=1),
            found("heard", routers=frozenset({GATEWAY}), interface="eth0", owner="kernel"),
            id="accept-ra-2-overrules-forwarding",
        ),
        pytest.param(SILENT, WITH_ROUTE, ra_settings(1), found("not-heard"), id="silence"),
        pytest.param(
            Reply("not-permitted"),
            WITHOUT,
            ra_settings(1),
            found("not-permitted"),
            id="may-not-listen",
        ),
    ],
)
def test_judge(watched, routes, settings, expected):
    assert judge(seen(watched, routes, settings), within_s=5) == expected


def test_the_lifetime_is_the_advertised_one_else_what_is_left_of_the_route():
    assert judge(seen(raw(), WITH_ROUTE, ra_settings(1)), within_s=5).lifetime_s == 1800
    assert judge(seen(COUNTED, WITH_ROUTE, ra_settings(1)), within_s=5).lifetime_s == 1800.0


@pytest.mark.parametrize(
    ("files", "owner"),
    [
        ({"/proc/sys/net/ipv6/conf/eth0/accept_ra": b"1\n"}, "unknown"),
        ({"/run/NetworkManager/devices/2": b"[device]\nmanaged=true\n"}, "unknown"),
        (
            {
                "/proc/sys/net/ipv6/conf/eth0/accept_ra": b"0\n",
                "/proc/sys/net/ipv6/conf/eth0/accept_ra_defrtr": b"1\n",
                "/proc/sys/net/ipv6/conf/eth0/forwarding": b"0\n",
                "/run/dhcpcd/pid": b"77\n",
            },
            "dhcpcd",
        ),
        ({"/run/systemd/netif/links/2": b"ADMIN_STATE=unmanaged\n"}, "unknown"),
        ({"/run/systemd/netif/links/3": b"ADMIN_STATE=configured\n"}, "unknown"),
        ({"/proc/sys/net/ipv6/conf/eth0/accept_ra": b"junk"}, "unknown"),
    ],
)
def test_the_owner_is_who_says_so(files, owner):
    assert ra_owner.owner(files, interface="eth0", index=2) == owner
