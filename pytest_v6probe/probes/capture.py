"""What goes over the wire at a vantage while something happens there? A capture by its agent."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

from pytest_v6probe.agent import wire, wire_records
from pytest_v6probe.errors import DeadlinePassed, Unobserved
from pytest_v6probe.linux import bpf, netlink
from pytest_v6probe.probes import packets, replies

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.probes.packets import Packets
    from pytest_v6probe.result import Address
    from pytest_v6probe.vantage import Vantage

SNAP_BYTES = 96
"""Enough for the headers of IPv6 and TCP; what is said is nobody's business."""
MAX_BYTES = 16 << 20
FOR_S = 900.0
FETCH_S = 120.0
"""How long fetching what was seen may take."""
_PIECE_BYTES = 512 << 10
_GIVEN_UP = (KeyboardInterrupt, SystemExit, GeneratorExit)


class Capture:
    """A capture. When its ``with`` has ended, `packets` is what it saw; before, what it has so
    far.
    """

    def __init__(
        self,
        at: Vantage,
        recording: str,
        *,
        peers: frozenset[Address],
        own: frozenset[Address],
        asked: str,
    ) -> None:
        self.vantage = at.name
        self._at = at
        self._recording = recording
        self._peers = peers
        self._own = own
        self._asked = asked
        self._pcap: bytes | None = None
        self._ended = "asked"
        self._lost = 0
        self._found: Packets | None = None

    @property
    def packets(self) -> Packets:
        """What was seen, peer by peer. Raises Unobserved if it cannot be fetched, or is none."""
        if self._found is not None:
            return self._found
        found = packets.judge(
            self._at.name,
            self.pcap,
            peers=self._peers,
            own=self._own,
            asked=self._asked,
            ended=self._ended,
            lost=self._lost,
        )
        if self._pcap is not None:
            self._found = found
            self._at.witness(found)
        return found

    @property
    def pcap(self) -> bytes:
        """What was seen, as a pcap file has it. Raises Unobserved if it cannot be fetched."""
        return self._read() if self._pcap is None else self._pcap

    def save(self, file: Path) -> None:
        """Write what was seen as a pcap file, for Wireshark."""
        file.write_bytes(self.pcap)

    def end(self) -> None:
        """Stop, fetch what there is, and leave nothing behind. Raises Unobserved."""
        if self._pcap is not None:
            return
        try:
            said = _run(self._at, wire_records.stop_recording(self._recording))
            self._ended = str(said.fields.get("ended", "")) or "asked"
            self._lost = replies.octets(said, "lost") or 0
            self._pcap = self._read()
        finally:
            self.forget()

    def forget(self) -> None:
        """Have the agent delete it, running or not."""
        with suppress(Unobserved):
            self._at.agent.run([wire_records.stop_recording(self._recording, remove=True)])

    def _read(self) -> bytes:
        kept, end_s = b"", monotonic() + FETCH_S
        while monotonic() < end_s:
            asked = wire_records.recorded(self._recording, offset=len(kept), max_bytes=_PIECE_BYTES)
            piece = _run(self._at, asked).payload
            kept += piece
            if not piece or len(kept) > MAX_BYTES + _PIECE_BYTES:
                return kept
        raise DeadlinePassed(
            f"{self.vantage}: {len(kept)} octets of the capture came within {FETCH_S:g} s, not all",
            reason="deadline-passed",
            vantage=self.vantage,
        )


@contextmanager
def capture(
    at: Vantage,
    *,
    peers: Iterable[Address] | None = None,
    ports: Collection[int] = (),
    snap_bytes: int = SNAP_BYTES,
    max_bytes: int = MAX_BYTES,
    for_s: float = FOR_S,
) -> Iterator[Capture]:
    """Capture at *at*, on all its interfaces, while the block runs: packets of both families to and
    from *peers* (None: whoever there is), and to and from TCP and UDP *ports* if there are any.

    What was seen is written to a file if the test fails. The kernel filters; of each packet
    *snap_bytes* octets are kept, of all *max_bytes*, for *for_s* seconds at most. Raises Unobserved
    (``not-permitted``: the agent needs CAP_NET_RAW), ValueError for more peers or ports than a
    filter takes.
    """
    seen = _started(
        at,
        frozenset(peers) if peers is not None else None,
        ports,
        snap_bytes=snap_bytes,
        max_bytes=min(max_bytes, MAX_BYTES),
        for_s=for_s,
    )
    try:
        yield seen
    except (Unobserved, *_GIVEN_UP):
        seen.forget()
        raise
    except BaseException:  # a failed assertion, or what `pytest.fail` raises: it is evidence
        with suppress(Unobserved):
            seen.end()
        raise
    seen.end()


def _started(
    at: Vantage,
    wanted: frozenset[Address] | None,
    ports: Collection[int],
    *,
    snap_bytes: int,
    max_bytes: int,
    for_s: float,
) -> Capture:
    program = bpf.NOTHING if wanted == frozenset() else bpf.program(wanted or (), ports)
    own = _own(at) if not wanted else frozenset()
    operation = wire_records.record(
        "packets", for_s=for_s, max_bytes=max_bytes, filter=program, snap_bytes=snap_bytes
    )
    recording = str(_run(at, operation).fields.get("recording", ""))
    whom = "everybody" if wanted is None else f"{len(wanted)} addresses"
    asked = f"packets to and from {whom}{f', ports {sorted(ports)}' if ports else ''}"
    seen = Capture(at, recording, peers=wanted or frozenset(), own=own, asked=asked)
    at.keep(seen)
    return seen


def _own(at: Vantage) -> frozenset[Address]:
    """The addresses of the vantage, of both families."""
    dumps = [netlink.dump_links(), *(netlink.dump_addresses(family) for family in (6, 4))]
    reply = at.agent.run([wire.netlink(*dumps)])[0]
    try:
        found = netlink.read_addresses(reply.payload)
    except ValueError:
        return frozenset()
    return frozenset(entry.address for entry in found)


def _run(at: Vantage, operation: Operation) -> Reply:
    """Run one operation on the recorder. Raises Unobserved unless it did what it was asked."""
    reply = at.agent.run([operation])[0]
    if reply.outcome == "answered":
        return reply
    if reply.outcome == "not-permitted":
        raise Unobserved(
            f"{at.name}: its user may not capture packets: set `sudo = true` for this host, or give "
            "its python CAP_NET_RAW",
            reason="not-permitted",
            vantage=at.name,
        )
    raise Unobserved(
        f"{at.name}: the capture failed: {replies.said(reply)}",
        reason="capture-failed",
        vantage=at.name,
    )
