"""Does a capture have every packet that its filter takes, of both families, and no other?"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.utils import PcapReader

from pytest_v6probe.agent import wire_records
from pytest_v6probe.agent.client import Agent
from tests.unit.agent.world import World, advertise, begin, ended, finish, read

if TYPE_CHECKING:
    from scapy.packet import Packet

SEND = (
    "import socket,sys\n"
    "for host in ('::1', '127.0.0.1'):\n"
    "  s=socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)\n"
    "  s.bind((host, 4000))\n"
    "  for port, size in ((4000, 5), (4000, 1000), (4001, 7)): s.sendto(bytes(size), (host, port))\n"
)
RET, LOAD_BYTE, LOAD_HALF, JUMP_EQUAL = 0x06, 0x30, 0x28, 0x15


def program(*instructions: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("=HBBI", *one) for one in instructions)


IPV6_TO_4000 = program(
    (LOAD_BYTE, 0, 0, 0),
    (0x54, 0, 0, 0xF0),  # and
    (JUMP_EQUAL, 0, 3, 0x60),
    (LOAD_HALF, 0, 0, 42),
    (JUMP_EQUAL, 0, 1, 4000),
    (RET, 0, 0, 65535),
    (RET, 0, 0, 0),
)


def packets(octets: bytes) -> list[Packet]:
    """What scapy reads."""
    return list(PcapReader(BytesIO(octets)))


def datagrams(octets: bytes) -> list[tuple[str, int, int]]:
    """Source, destination port and size of every UDP datagram but the ICMP errors'."""
    return [
        (packet.src, packet[UDP].dport, packet[UDP].len - 8)
        for packet in packets(octets)
        if packet.payload.name == "UDP"
    ]


def send(world: World) -> None:
    world.sh(f'{world.python} -c "{SEND}"')


def capture(world: World, agent: Agent, **kwargs) -> bytes:
    recording = begin(agent, "packets", **kwargs)
    send(world)
    return finish(agent, recording)


def twice(*seen: tuple[str, int, int]) -> list[tuple[str, int, int]]:
    """The loopback sends a packet and receives it."""
    return [one for one in seen for _ in range(2)]


def test_a_capture_without_a_filter_has_both_families(world: World, recorder: Agent):
    octets = capture(world, recorder)
    assert datagrams(octets) == [
        *twice(("::1", 4000, 5), ("::1", 4000, 1000), ("::1", 4001, 7)),
        *twice(("127.0.0.1", 4000, 5), ("127.0.0.1", 4000, 1000), ("127.0.0.1", 4001, 7)),
    ]
    assert {type(packet) for packet in packets(octets)} == {IP, IPv6}


def test_the_kernel_filters_before_the_first_packet(world: World, recorder: Agent):
    octets = capture(world, recorder, filter=IPV6_TO_4000)
    assert datagrams(octets) == twice(("::1", 4000, 5), ("::1", 4000, 1000))
    assert len(packets(octets)) == 4


def test_packets_are_cut_at_their_limit_and_say_how_long_they_were(world: World, recorder: Agent):
    octets = capture(world, recorder, filter=IPV6_TO_4000, snap_bytes=60)
    assert struct.unpack_from("=IHHiIII", octets) == (0xA1B2C3D4, 2, 4, 0, 0, 60, 101)
    sizes = [(len(packet), packet.wirelen) for packet in packets(octets)]
    assert sizes == [(53, 53)] * 2 + [(60, 1048)] * 2


def test_a_filter_that_cuts_is_no_lie_about_the_length(world: World, recorder: Agent):
    cut = IPV6_TO_4000.replace(struct.pack("=I", 65535), struct.pack("=I", 48))
    octets = capture(world, recorder, filter=cut)
    sizes = [(len(packet), packet.wirelen) for packet in packets(octets)]
    assert sizes == [(48, 53)] * 2 + [(48, 1048)] * 2


def test_times_are_the_kernel_s_and_rise(world: World, recorder: Agent):
    before = float(world.sh("date +%s.%N"))
    times = [float(packet.time) for packet in packets(capture(world, recorder))]
    assert before < times[0] <= times[-1] < float(world.sh("date +%s.%N"))
    assert times == sorted(times)


def test_of_other_links_too_a_packet_begins_with_its_ip_header(link: World, recorder: Agent):
    recording = begin(recorder, "packets")
    sent = advertise(link)
    seen = [bytes(packet) for packet in packets(finish(recorder, recording))]
    assert seen.count(sent) == 2  # sent by one end, received by the other


def test_a_full_capture_ends_with_a_whole_packet(world: World, recorder: Agent):
    recording = begin(recorder, "packets", max_bytes=1 << 16)
    for _ in range(16):
        send(world)
    reply = ended(recorder, recording)
    assert reply.fields["ended"] == "full"
    assert (1 << 16) - 2500 < reply.fields["size_bytes"] <= 1 << 16
    assert all(len(packet) == packet.wirelen for packet in packets(reply.payload))


def test_a_capture_is_read_while_it_goes_on(world: World, recorder: Agent):
    recording = begin(recorder, "packets")
    assert len(read(recorder, recording).payload) == 24
    assert finish(recorder, recording) == read(recorder, recording).payload


def test_who_may_not_capture_is_told_so(world: World):
    agent = world.agent("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
    reply = agent.run([wire_records.record("packets", for_s=9, max_bytes=1 << 16)])[0]
    agent.close()
    assert (reply.outcome, reply.detail) == ("not-permitted", "EPERM")
    assert list(world.run.iterdir()) == []
