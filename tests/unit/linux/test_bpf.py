"""Does the kernel's filter take the packets of the peers and ports, and no others?"""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment

from pytest_v6probe.linux import bpf

A6, B6 = "2600:1f18::a", "2600:1f18::b"
A4, B4 = "198.51.100.1", "203.0.113.2"


def takes(program: bytes, packet: bytes, protocol: int):
    """Run the program as linux/net/core/filter.c would; a load beyond the end takes nothing."""
    steps = list(struct.iter_unpack("=HBBI", program))
    a = x = at = 0
    while True:
        code, yes, no, k = steps[at]
        at += 1
        size = {0x00: 4, 0x08: 2, 0x10: 1}.get(code & 0x18, 0)
        if code in {0x20, 0x28, 0x30, 0x48}:
            if k == 0xFFFFF000:
                a = protocol
                continue
            start = k + (x if code == 0x48 else 0)
            if start + size > len(packet):
                return False
            a = int.from_bytes(packet[start : start + size], "big")
        elif code == 0xB1:
            x = 4 * (packet[k] & 0xF)
        elif code == 0x05:
            at += k
        elif code == 0x15:
            at += yes if a == k else no
        elif code == 0x45:
            at += yes if a & k else no
        elif code == 0x06:
            return k > 0
        else:
            pytest.fail(f"unknown instruction {code:#x}")


def seen(program: bytes, packet):
    return takes(program, bytes(packet), 0x86DD if isinstance(packet, IPv6) else 0x0800)


@pytest.mark.parametrize(
    ("packet", "taken"),
    [
        pytest.param(IPv6(src=A6, dst=B6) / TCP(dport=443), True, id="from-a-peer"),
        pytest.param(IPv6(src=B6, dst=A6) / UDP(dport=53), True, id="to-a-peer-any-protocol"),
        pytest.param(IPv6(src=B6, dst=B6) / TCP(dport=443), False, id="others"),
        pytest.param(IP(src=B4, dst=A4) / TCP(dport=443), True, id="ipv4-to-a-peer"),
        pytest.param(IP(src=A4, dst=B4) / ICMP(), True, id="ipv4-icmp-from-a-peer"),
        pytest.param(IP(src=B4, dst=B4) / TCP(dport=443), False, id="other-ipv4"),
    ],
)
def test_peers_of_both_families(packet, taken):
    program = bpf.program([ip_address(A6), ip_address(A4)])
    assert seen(program, packet) is taken


@pytest.mark.parametrize(
    ("packet", "taken"),
    [
        pytest.param(IPv6() / TCP(sport=443, dport=1), True, id="from-the-port"),
        pytest.param(IPv6() / UDP(sport=1, dport=443), True, id="to-the-port"),
        pytest.param(IPv6() / TCP(sport=1, dport=2), False, id="other-ports"),
        pytest.param(IPv6() / ICMPv6EchoRequest(), False, id="no-ports"),
        pytest.param(IPv6() / IPv6ExtHdrFragment(offset=9) / b"x", True, id="a-fragment"),
        pytest.param(IP(options=b"\1" * 8) / TCP(dport=443), True, id="ipv4-with-options"),
        pytest.param(IP() / TCP(sport=1, dport=2), False, id="ipv4-other-ports"),
        pytest.param(IP(frag=7, proto=6) / b"x", True, id="an-ipv4-fragment"),
        pytest.param(IP() / ICMP(), False, id="ipv4-no-ports"),
    ],
)
def test_ports_of_both_families(packet, taken):
    assert seen(bpf.program(ports=(80, 443)), packet) is taken


def test_without_peers_and_ports_all_of_ip_is_taken_and_nothing_else():
    program = bpf.program()
    assert seen(program, IPv6() / ICMPv6EchoRequest())
    assert seen(program, IP() / ICMP())
    assert not takes(program, b"\x60" * 60, 0x0806)


def test_a_peer_of_one_family_leaves_the_other_out():
    program = bpf.program([ip_address(A6)])
    assert not seen(program, IP(src=A4, dst=A4) / TCP())


ADDRESSES = st.lists(
    st.builds(IPv6Address, st.integers(0, 2**128 - 1))
    | st.builds(IPv4Address, st.integers(0, 2**32 - 1)),
    max_size=bpf.MAX_ADDRESSES,
)
PORTS = st.sets(st.integers(1, 65535), max_size=bpf.MAX_PORTS)


@given(ADDRESSES, PORTS)
def test_every_program_is_one_that_the_kernel_takes(addresses, ports):
    steps = list(struct.iter_unpack("=HBBI", bpf.program(addresses, ports)))
    assert 0 < len(steps) <= 4096
    assert steps[-1][0] == 0x06
    for at, (code, yes, no, k) in enumerate(steps):
        if code == 0x05:
            assert at + 1 + k < len(steps)
        if code in {0x15, 0x45}:
            assert at + 1 + max(yes, no) < len(steps)


@given(ADDRESSES.filter(len), st.data())
def test_every_peer_is_found_wherever_it_stands_in_the_program(addresses, data):
    peer = data.draw(st.sampled_from(addresses))
    program = bpf.program(addresses)
    if isinstance(peer, IPv6Address):
        header = struct.pack("!IHBB", 6 << 28, 0, 59, 64) + bytes(16) + peer.packed
        assert takes(program, header, 0x86DD)
    else:
        assert takes(program, bytes([0x45]) + bytes(11) + peer.packed + bytes(4), 0x0800)


@pytest.mark.parametrize(
    ("addresses", "ports"),
    [
        ([IPv4Address(n) for n in range(129)], ()),
        ((), range(1, 34)),
        ((), (0,)),
        ((), (65536,)),
    ],
)
def test_too_many_and_impossible_ones_are_refused(addresses, ports):
    with pytest.raises(ValueError, match=r"addresses|ports"):
        bpf.program(addresses, ports)


def test_the_kernel_takes_the_longest_program():
    import socket

    peers = [IPv6Address(n << 64 | n) for n in range(bpf.MAX_ADDRESSES)]
    program = bpf.program(peers, range(1, 33))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        import ctypes

        kept = ctypes.create_string_buffer(program)
        fprog = struct.pack("@HP", len(program) // 8, ctypes.addressof(kept))
        sock.setsockopt(socket.SOL_SOCKET, 26, fprog)
        assert sock.fileno() >= 0
