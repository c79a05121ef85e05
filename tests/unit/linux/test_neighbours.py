"""Are neighbour proxy entries read, recorded and hostile?"""

import struct
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.linux import netlink
from pytest_v6probe.linux.neighbours import NeighbourProxy

ADDRESS = IPv6Address("2001:db8:1::77")


def message(kind, body, *, sequence=1):
    octets = struct.pack("<IHHII", 16 + len(body), kind, 2, sequence, 0) + body
    return octets + bytes(-len(octets) % 4)


def entry(*, flags=0x08, family=10, index=2, octets=ADDRESS.packed):
    head = struct.pack("<BxxxiHBB", family, index, 0, flags, 0)
    return message(28, head + struct.pack("<HH", 4 + len(octets), 1) + octets)


LINK = message(
    16,
    struct.pack("<BxHiII", 0, 1, 2, 0x11043, 0) + struct.pack("<HH", 9, 3) + b"eth0\0" + bytes(3),
)


def test_the_request_asks_for_proxies_alone():
    kind, flags = struct.unpack_from("<HH", netlink.dump_neighbour_proxies(), 4)
    body = netlink.dump_neighbour_proxies()[16:]
    assert (kind, flags, len(body), body[0], body[10]) == (30, 0x301, 12, 10, 0x08)


def test_a_proxied_address_is_read_with_the_name_of_its_link():
    expected = NeighbourProxy(address=ADDRESS, index=2, interface="eth0")
    assert netlink.read_neighbour_proxies(LINK + entry()) == (expected,)


@pytest.mark.parametrize("other", [{"flags": 0}, {"family": 2, "octets": bytes(4)}])
def test_ordinary_neighbours_are_not_among_them(other):
    assert netlink.read_neighbour_proxies(entry(**other)) == ()


@given(st.binary(max_size=80))
def test_hostile_octets_are_a_value_error(octets):
    try:
        found = netlink.read_neighbour_proxies(LINK + entry() + octets)
    except ValueError:
        return
    assert found[0].interface == "eth0"
