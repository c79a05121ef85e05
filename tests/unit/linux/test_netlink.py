"""Does `linux.netlink` read recorded and hostile octets as it should?"""

import struct
from ipaddress import IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.linux import netlink
from pytest_v6probe.linux.addresses import InterfaceAddress
from pytest_v6probe.linux.links import Link
from pytest_v6probe.linux.nlmsg import Refused
from pytest_v6probe.linux.routes import Route

READERS = (
    netlink.read_links, netlink.read_addresses, netlink.read_routes,
    netlink.read_route_to,
)  # fmt: skip


def message(kind, body, *, flags=2, sequence=1):
    octets = struct.pack("<IHHII", 16 + len(body), kind, flags, sequence, 0) + body
    return octets + bytes(-len(octets) % 4)


def attribute(kind, value):
    return struct.pack("<HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def u32(number):
    return struct.pack("<I", number)


def link(index, name):
    return message(16, struct.pack("<BxHiII", 0, 1, index, 0x11043, 0) + attribute(3, name + b"\0"))


def route(*attributes, length=0, flags=0, **header):
    body = struct.pack("<BBBBBBBBI", 10, length, 0, 0, 254, 9, 0, 1, flags) + b"".join(attributes)
    return message(24, body, **header)


GATEWAY = attribute(5, IPv6Address("fe80::1").packed)
DONE = message(3, struct.pack("<i", 0))


def test_a_default_route_learned_by_ra_is_read_whole():
    expires = attribute(12, struct.pack("<IIiIIIII", 0, 0, 179_950, 0, 0, 0, 0, 0))
    octets = link(2, b"ens5") + DONE + route(
        GATEWAY, attribute(4, u32(2)), attribute(6, u32(1024)), expires, attribute(20, b"\3")
    )  # fmt: skip
    assert netlink.read_routes(octets) == (
        Route(
            destination=IPv6Network("::/0"), gateway=IPv6Address("fe80::1"), interface="ens5", index=2,
            protocol="ra", metric=1024, expires_s=1799.5, preference="low",
        ),
    )  # fmt: skip


def test_a_multipath_route_is_one_route_for_each_next_hop():
    def hop(index, last, flags=0):
        inner = attribute(5, IPv6Address(f"fe80::{last}").packed)
        return struct.pack("<HBBi", 8 + len(inner), flags, 0, index) + inner

    octets = route(attribute(9, hop(2, 1) + hop(3, 2, flags=1)))
    assert [(r.index, str(r.gateway), r.dead) for r in netlink.read_routes(octets)] == [
        (2, "fe80::1", False),
        (3, "fe80::2", True),
    ]


def test_an_interface_without_a_link_message_is_called_by_its_index():
    assert netlink.read_routes(route(GATEWAY, attribute(4, u32(7))))[0].interface == "7"


def test_a_decision_is_not_among_the_routes_of_a_dump():
    octets = route(GATEWAY) + route(
        GATEWAY, length=128, flags=0, sequence=netlink.ROUTE_TO_SEQUENCE
    )
    assert len(netlink.read_routes(octets)) == 1
    assert len(netlink.read_route_to(octets)) == 1


def test_an_address_is_read_with_its_wide_flags_and_lifetimes():
    body = struct.pack("<BBBBI", 10, 128, 0x80, 0, 2)
    body += attribute(1, IPv6Address("2600:1f18::1").packed)
    body += attribute(6, struct.pack("<IIII", 140, 0xFFFFFFFF, 0, 0)) + attribute(8, u32(0x200))
    assert netlink.read_addresses(link(2, b"ens5") + message(20, body)) == (
        InterfaceAddress(
            address=IPv6Address("2600:1f18::1"), prefix_length=128, interface="ens5", index=2,
            scope="global", flags=frozenset({"noprefixroute"}), valid_s=None, preferred_s=140,
        ),
    )  # fmt: skip


def test_a_link_is_read_whole():
    assert netlink.read_links(link(2, b"ens5")) == (
        Link(
            index=2, name="ens5", mtu_bytes=0, up=True, running=True, loopback=False, state="unknown",
        ),
    )  # fmt: skip


def refused(code, asked):
    original = struct.pack("<IHHII", 28, asked, 0x301, 1, 0)
    return message(2, struct.pack("<i", -code) + original, flags=0)


def test_a_refused_dump_is_not_an_empty_one():
    with pytest.raises(Refused, match="request 26: EPERM"):
        netlink.read_routes(refused(1, 26))


def test_a_dump_that_ended_with_an_error_is_refused():
    with pytest.raises(Refused, match="ENOBUFS"):
        netlink.read_addresses(message(3, struct.pack("<i", -105)))


def test_the_refusal_of_another_dump_concerns_its_own_reader_only():
    assert netlink.read_links(link(1, b"lo") + refused(1, 26))[0].name == "lo"


def test_an_acknowledgement_is_no_refusal():
    assert netlink.read_routes(refused(0, 26)) == ()


@pytest.mark.parametrize("reader", READERS)
def test_unknown_message_types_and_families_are_passed_over(reader):
    bridge = struct.pack("<BBBBBBBBI", 129, 0, 0, 0, 254, 9, 0, 1, 0)
    assert reader(message(4242, b"?" * 5) + message(24, bridge)) == ()


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x10\0\0", "header cut off"),
        (struct.pack("<IHHII", 400, 24, 0, 0, 0), "says it has 400 octets of 16"),
        (struct.pack("<IHHII", 4, 24, 0, 0, 0), "says it has 4 octets"),
        (message(24, b"\x0a\0"), "12 octets wanted"),
        (route(b"\xff\0\1\0"), "attribute"),
        (route(attribute(5, b"123")), "not permitted as an IPv6 address"),
        (route(length=129), "129"),
        (route(attribute(9, struct.pack("<HBBi", 0, 0, 0, 1))), "next hop of 0"),
        (route(attribute(18, b"\x63\0" + bytes(16))), "address family 99"),
        (route(attribute(15, b"\1")), "4 octets wanted"),
    ],
)
def test_malformed_octets_are_a_value_error_that_says_where(octets, why):
    with pytest.raises(ValueError, match=why):
        netlink.read_routes(octets)


def test_an_address_message_without_address_or_with_a_wild_prefix_is_malformed():
    head = struct.pack("<BBBBI", 10, 200, 0, 0, 2)
    with pytest.raises(ValueError, match="without an address"):
        netlink.read_addresses(message(20, head))
    with pytest.raises(ValueError, match="prefix length 200"):
        netlink.read_addresses(message(20, head + attribute(1, bytes(16))))


def test_another_ip_version_than_4_or_6_is_refused():
    with pytest.raises(ValueError, match="IP version 5"):
        netlink.dump_routes(5)


@given(st.binary(max_size=400))
def test_any_octets_are_read_or_a_value_error(octets):
    assert all(_read_or_refused(reader, octets) for reader in READERS)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([2, 3, 16, 20, 24, 68]),
            st.binary(max_size=90),
            st.sampled_from([1, 0x7636]),
        ),
        max_size=4,
    )
)
def test_any_bodies_of_known_messages_are_read_or_a_value_error(parts):
    octets = b"".join(message(kind, body, sequence=sequence) for kind, body, sequence in parts)
    assert all(_read_or_refused(reader, octets) for reader in READERS)


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=40)), max_size=6), st.booleans())
def test_any_attributes_of_routes_and_addresses_are_read_or_a_value_error(pairs, is_route):
    rest = b"".join(attribute(kind, value) for kind, value in pairs)
    octets = route(rest) if is_route else message(20, struct.pack("<BBBBI", 10, 64, 0, 0, 2) + rest)
    assert all(_read_or_refused(reader, octets) for reader in READERS)


def _read_or_refused(reader, octets):
    try:
        return isinstance(reader(octets), tuple)
    except ValueError:
        return True


@pytest.mark.parametrize("address", ["2001:db8::1", "192.0.2.1"])
def test_a_question_for_a_route_carries_the_whole_address(address):
    octets = netlink.route_to(ip_address(address))
    assert octets.endswith(ip_address(address).packed)
    assert len(octets) == int.from_bytes(octets[:4], "little")
