"""Does the judge say who handles router advertisements, where two do, and why nobody does?"""

from __future__ import annotations

import tomllib
from base64 import b64decode
from pathlib import Path

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes import ra_owner, ra_owner_cures
from pytest_v6probe.probes.ra_owner import RaOwner, judge
from tests.unit.probes.seen import (
    VANTAGE,
    default_route,
    link,
    netlink,
    ra_settings,
    seen,
)

RECORDED = tomllib.loads(Path(__file__).with_name("recorded_owners.toml").read_text())
EXPIRING, LASTING = default_route(), default_route(expires_s=None)
NETWORK = "/run/systemd/network/10-eth0.network"
NETWORKD = {
    "/run/systemd/netif/links/2": f"ADMIN_STATE=configured\nNETWORK_FILE={NETWORK}\n",
}
MANAGED = {"/run/NetworkManager/devices/2": "[device]\nmanaged=true\n"}
DHCPCD = {"/run/dhcpcd/eth0.pid": "77\n"}
IFUPDOWN = {
    "/run/network/ifstate": "lo=lo\neth0=eth0\n",
    "/etc/network/interfaces": "# hand-made\nauto eth0\n  iface eth0 inet6 auto\n",
}


def found(verdict, *owners, accept_ra=1, forwarding=0, manager="kernel"):
    return RaOwner(
        vantage=VANTAGE,
        asked="who handles router advertisements",
        verdict=verdict,
        owners=owners,
        interface="eth0",
        accept_ra=accept_ra,
        forwarding=forwarding,
        manager=manager,
    )


def one(owner, **how):
    return found("one-owner", owner, **{"manager": owner, **how})


@pytest.mark.parametrize(
    ("settings", "route", "files", "expected"),
    [
        pytest.param((1, 0), EXPIRING, {}, one("kernel"), id="kernel"),
        pytest.param((2, 1), EXPIRING, {}, one("kernel", accept_ra=2, forwarding=1), id="kernel-forwarding"),
        pytest.param((2, 0), EXPIRING, IFUPDOWN, one("ifupdown", accept_ra=2), id="ifupdown"),
        pytest.param((0, 1), EXPIRING, NETWORKD, one("systemd-networkd", accept_ra=0, forwarding=1), id="networkd"),
        pytest.param((0, 0), LASTING, MANAGED, one("NetworkManager", accept_ra=0), id="network-manager"),
        pytest.param((0, 0), LASTING, DHCPCD, one("dhcpcd", accept_ra=0), id="dhcpcd"),
        pytest.param((1, 0), EXPIRING, MANAGED, one("kernel", manager="NetworkManager"), id="network-manager-ignores-them"),
        pytest.param(
            (2, 1), EXPIRING, NETWORKD,
            found("two-owners", "kernel", "systemd-networkd", accept_ra=2, forwarding=1, manager="systemd-networkd"),
            id="accept_ra-2-beside-networkd",
        ),
        pytest.param(
            (1, 0), LASTING, MANAGED,
            found("two-owners", "kernel", "NetworkManager", manager="NetworkManager"),
            id="the-kernel-beside-network-manager",
        ),
        pytest.param(
            (0, 0), LASTING, {**NETWORKD, **MANAGED},
            found("two-owners", "systemd-networkd", "NetworkManager", accept_ra=0, manager="systemd-networkd"),
            id="two-daemons",
        ),
        pytest.param((1, 1), EXPIRING, {}, found("nobody", forwarding=1), id="forwarding"),
        pytest.param((1, 1), EXPIRING, IFUPDOWN, found("nobody", forwarding=1, manager="ifupdown"), id="forwarding-and-ifupdown"),
        pytest.param((0, 0), EXPIRING, {}, found("nobody", accept_ra=0), id="off"),
        pytest.param(
            (0, 0), EXPIRING, {**NETWORKD, NETWORK: "[Network]\nIPv6AcceptRA=no\n"},
            found("nobody", accept_ra=0, manager="systemd-networkd"),
            id="networkd-told-not-to",
        ),
        pytest.param(
            (0, 0), EXPIRING, {**NETWORKD, NETWORK: "[Network]\nIPForward = ipv6\n"},
            found("nobody", accept_ra=0, manager="systemd-networkd"),
            id="networkd-forwards-by-its-own-files",
        ),
        pytest.param(
            (0, 0), EXPIRING,
            {**NETWORKD, NETWORK: "[Network]\nIPForward=yes\n", "/etc/systemd/network/10-eth0.network.d/a.conf": "[Network]\nIPv6AcceptRA=yes\n"},
            one("systemd-networkd", accept_ra=0),
            id="a-drop-in-tells-it-to",
        ),
        pytest.param(
            (0, 0), EXPIRING, {"/run/systemd/netif/links/2": "ADMIN_STATE=unmanaged\n"},
            found("nobody", accept_ra=0),
            id="networkd-does-not-manage-it",
        ),
    ],
)  # fmt: skip
def test_judge(settings, route, files, expected):
    accept_ra, forwarding = settings
    told = ra_settings(accept_ra, forwarding, files)
    assert judge(seen(netlink(link(), route), told)) == expected


@pytest.mark.parametrize("row", RECORDED.values(), ids=RECORDED)
def test_real_programs_are_told_by_what_they_leave_behind(row):
    told = ra_settings(row["accept_ra"], row["forwarding"], row["files"])
    settings = {key: row[key] for key in ("accept_ra", "forwarding", "manager")}
    expected = found(row["verdict"], *row["owners"], **settings)
    assert judge(seen(netlink(link(), b64decode(row["routes"])), told)) == expected


def test_the_interface_may_be_named_or_is_the_one_that_leads_out():
    replies = netlink(link(), link(3, "eth1"), default_route()), ra_settings(1)
    assert judge(seen(*replies)).interface == "eth0"
    named = judge(seen(*replies), interface="eth1")
    assert (named.interface, named.verdict) == ("eth1", "unreadable")
    assert judge(seen(*replies), interface="eth9").verdict == "no-interface"


def test_without_a_default_route_it_is_the_first_that_is_up():
    assert judge(seen(netlink(link(4, "eth0")), ra_settings(1, 1))) == found("nobody", forwarding=1)
    assert judge(seen(netlink(), ra_settings(1))).verdict == "no-interface"


@pytest.mark.parametrize(
    ("conf", "owners"),
    [
        ("", ("dhcpcd",)),
        ("denyinterfaces veth*, eth0\n", ()),
        ("allowinterfaces eth1 eth2\n", ()),
        ("allowinterfaces eth*\n", ("dhcpcd",)),
        ("noipv6rs\ninterface eth0\n  ipv6rs\n", ("dhcpcd",)),
        ("interface eth0\nnoipv6rs # not here\ninterface eth1\nipv6rs\n", ()),
        ("ssid home\nnoipv6rs\n", ("dhcpcd",)),
        ("ipv4only\n", ()),
        ("interface\nnoipv6rs\n", ("dhcpcd",)),
        ("\udcff\n,,\n", ("dhcpcd",)),
    ],
    ids=range(10),
)
def test_dhcpcd_does_what_its_file_says(conf, owners):
    files = {
        "/run/dhcpcd/pid": b"77\n",
        "/etc/dhcpcd.conf": conf.encode("utf-8", "surrogateescape"),
    }
    files |= {
        "/proc/sys/net/ipv6/conf/eth0/accept_ra": b"0\n",
        "/proc/sys/net/ipv6/conf/eth0/forwarding": b"1\n",
    }
    assert ra_owner.owners(files, (), interface="eth0", index=2) == owners


def test_a_second_metric_is_not_the_kernels_though_it_expires():
    newer = netlink(link(), EXPIRING, default_route(metric=1002))
    two = found("two-owners", "kernel", "dhcpcd", manager="dhcpcd")
    assert judge(seen(newer, ra_settings(1, 0, DHCPCD))) == two


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [(Reply("timed-out"), "timed-out"), (Reply("answered", b"\x01"), "unreadable")],
    ids=["silent", "garbage"],
)
def test_a_kernel_that_cannot_be_read_is_said(reply, verdict):
    assert judge(seen(reply, ra_settings(1))).verdict == verdict


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (found("two-owners", "kernel", "systemd-networkd"), "net.ipv6.conf.eth0.accept_ra=0"),
        (found("two-owners", "ifupdown", "dhcpcd"), "accept_ra 0"),
        (
            found("two-owners", "systemd-networkd", "NetworkManager"),
            "ipv6.method ignore && nmcli device set eth0 managed no",
        ),
        (found("two-owners", "systemd-networkd", "dhcpcd"), "dhcpcd --rebind eth0"),
        (found("nobody", forwarding=1), "net.ipv6.conf.eth0.accept_ra=2"),
        (found("nobody", accept_ra=0), "net.ipv6.conf.eth0.accept_ra=1"),
        (found("nobody", forwarding=1, manager="ifupdown"), "accept_ra 2"),
        (found("nobody", accept_ra=0, manager="ifupdown"), "accept_ra 2"),
        (found("nobody", manager="systemd-networkd"), "IPv6AcceptRA=yes"),
        (found("nobody", manager="NetworkManager"), "ipv6.method auto"),
        (found("nobody", manager="dhcpcd"), "ipv6rs"),
    ],
    ids=range(11),
)
def test_the_cure_is_that_of_the_owner(finding, words):
    known = finding.known_cause
    assert known is not None
    assert words in known[1]
    assert "eth0" in known[0]


def test_a_daemon_that_left_them_to_the_kernel_is_named_besides_why_the_kernel_stopped():
    finding = found("nobody", forwarding=1, manager="dhcpcd")
    assert finding.known_cause == (
        "accept_ra=1 and forwarding=1 on eth0: the kernel ignores router advertisements, and removed "
        "its default route when forwarding was turned on; dhcpcd manages eth0 and takes none",
        ra_owner_cures.keep("dhcpcd", "eth0"),
    )


def test_one_owner_needs_no_cure():
    assert (one("kernel").known_cause, one("kernel").owner) == (None, "kernel")
    assert found("two-owners", "kernel", "dhcpcd").owner == ""


@pytest.mark.parametrize("owner", ["systemd-networkd", "NetworkManager", "dhcpcd"])
def test_accept_ra_2_is_no_cure_beside_a_daemon(owner):
    assert "never accept_ra=2 beside it" in ra_owner_cures.keep(owner, "eth0")
    assert "accept_ra=2" in ra_owner_cures.keep("kernel", "eth0")
