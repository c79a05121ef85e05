"""Which packets pass this machine? The agent's capture: filtered in the kernel, bounded, in the
classic pcap format.
"""

import array
import socket
import struct
from time import time

from pytest_v6probe.agent.payload import octets_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytest_v6probe.agent.payload import Seen
    from pytest_v6probe.agent.payload_recorder import Record

ALL_PROTOCOLS = 3  # ETH_P_ALL of linux/if_ether.h
# asm-generic/socket.h and linux/if_packet.h
ATTACH_FILTER, RCVBUFFORCE, TIMESTAMP, SOL_PACKET, PACKET_STATISTICS = 26, 33, 29, 263, 6
QUEUE_BYTES, MOST_AT_ONCE = 8 << 20, 1024
NOTHING = struct.pack("=HBBI", 6, 0, 0, 0)  # BPF_RET: take no octet of any packet
LINKTYPE_RAW = 101  # tcpdump.org/linktypes.html: a packet begins with its IP header
IP_PROTOCOLS = {0x0800: 4, 0x86DD: 6}


def attach(sock: socket.socket, program: bytes) -> None:
    """Let the kernel take only what the classic BPF *program* takes."""
    kept = array.array("B", program)
    fprog = struct.pack("@HP", len(program) // 8, kept.buffer_info()[0])
    sock.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, fprog)


def whole_bytes(octets: "Any", version: int) -> int:
    """How long the packet says it is, of which *octets* may be only the beginning."""
    if version == 6 and len(octets) >= 6:
        return 40 + int(struct.unpack_from("!H", octets, 4)[0])
    if version == 4 and len(octets) >= 4:
        return int(struct.unpack_from("!H", octets, 2)[0])
    return len(octets)


class Packets:
    """Every IP packet that the filter takes, of all interfaces, as often as one of them sees it."""

    def __init__(self, record: "Record", op: "Seen") -> None:
        self.record = record
        self.due = record.until
        self.snap = min(op["snap_bytes"] or 65535, 65535)
        self.buffer = memoryview(bytearray(65536))
        program = octets_of(op["filter"])
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
        self.sock.setblocking(False)
        attach(self.sock, NOTHING)
        self.empty()
        self.sock.setsockopt(socket.SOL_SOCKET, TIMESTAMP, 1)
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, QUEUE_BYTES)
        except OSError:  # without CAP_NET_ADMIN
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)
        record.add(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, self.snap, LINKTYPE_RAW))
        self.sources = (self.sock,)
        attach(self.sock, program or struct.pack("=HBBI", 6, 0, 0, 0xFFFFFFFF))

    def empty(self) -> None:
        """Forget what came before there was a filter, as libpcap does."""
        try:
            while True:
                self.sock.recv_into(self.buffer)
        except BlockingIOError:
            pass

    def take(self, source: "Any") -> bool:
        """Write down what has come; might there be more?"""
        kept = bytearray()
        for _ in range(MOST_AT_ONCE):
            try:
                size, ancillary, _, came = source.recvmsg_into([self.buffer], 64)
            except BlockingIOError:
                break
            except OSError:  # a link went down (ENETDOWN): the others go on
                continue
            version = IP_PROTOCOLS.get(came[1])
            if version is None:
                continue
            octets = self.buffer[: min(size, self.snap)]
            packet = stamp(ancillary) + struct.pack(
                "=II", len(octets), max(size, whole_bytes(self.buffer[:size], version))
            )
            if len(kept) + len(packet) + len(octets) > self.record.room():
                self.record.why = self.record.why or "full"
                break
            kept += packet
            kept += octets
        self.record.add(bytes(kept))
        return bool(kept) and not self.record.why

    def look(self) -> None:
        """Nothing but packets is looked at."""

    def end(self) -> None:
        """Take what has come so far, and count what the kernel had no room for."""
        self.take(self.sock)
        statistics = self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self.record.lost = struct.unpack("=II", statistics)[1]


def stamp(ancillary: "Any") -> bytes:
    """When the kernel saw the packet, as pcap writes it."""
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, TIMESTAMP):
            return struct.pack("=II", *struct.unpack("@ll", value))
    now = time()
    return struct.pack("=II", int(now), int(now % 1 * 1e6))
