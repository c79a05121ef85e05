"""How is a flight recording had from a host that may be lost meanwhile? By its own way, then by the
management path.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_v6probe.agent import wire, wire_records
from pytest_v6probe.errors import AgentUnusable, Unobserved
from pytest_v6probe.linux import flight, netlink, routes
from pytest_v6probe.linux.flight import Look, Timeline
from pytest_v6probe.probes import replies

if TYPE_CHECKING:
    from pytest_v6probe.agent.client import Agent
    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.vantage import Vantage

MAX_BYTES = 8 << 20
PART_BYTES = 512 << 10
UPTIME = "/proc/uptime"


class Recording:
    """A flight recording that goes on at a host. It is collected piece by piece."""

    def __init__(self, host: Vantage, name: str) -> None:
        self._host = host
        self._name = name
        self._octets = b""
        self._other: Agent | None = None

    @classmethod
    def start(cls, host: Vantage, *, for_s: float) -> Recording:
        """Start a recorder at *host*; it listens when this returns. Raises Unobserved."""
        asked = wire_records.record("flight", for_s=for_s, max_bytes=MAX_BYTES)
        reply = host.agent.run([asked])[0]
        name = reply.fields.get("recording")
        if reply.outcome != "answered" or not isinstance(name, str):
            raise _unusable(host, f"no flight recorder: {replies.said(reply)}")
        recording = cls(host, name)
        try:
            recording.timeline()
        except BaseException:
            recording.close()
            raise
        return recording

    def now_s(self) -> float:
        """The present instant, in the recording's time. Raises Unobserved."""
        return self._since(self._ask(wire.read(UPTIME))[0])

    def timeline(self) -> Timeline:
        """What was recorded so far. Raises Unobserved if it cannot be had."""
        self._fetch()
        return self._read()

    def look(self) -> Timeline:
        """The same, with the routes as they are now for its end. Raises Unobserved."""
        timeline = self.timeline()
        dump = wire.netlink(netlink.dump_links(), netlink.dump_routes(6))
        seen, uptime = self._ask(dump, wire.read(UPTIME))
        try:
            found = routes.default_routes(netlink.read_routes(seen.payload))
        except ValueError as why:
            raise _unusable(self._host, f"its routes cannot be read: {why}") from why
        return timeline.ending(Look(t_s=self._since(uptime), routes=found))

    def finish(self) -> Timeline:
        """End the recorder and read the whole. Raises Unobserved."""
        self._ask(wire_records.stop_recording(self._name))
        return self.timeline()

    def close(self) -> None:
        """End the recorder and delete its file, where the host can be reached."""
        with suppress(Unobserved):
            self._ask(wire_records.stop_recording(self._name, remove=True))
        if self._other is not None:
            self._other.close()
            self._other = None

    def _read(self) -> Timeline:
        try:
            return flight.read(self._octets)
        except ValueError as why:
            raise _unusable(self._host, str(why)) from why

    def _since(self, reply: Reply) -> float:
        try:
            return float(replies.files(reply)[UPTIME].split()[0]) - self._read().up_s
        except (KeyError, IndexError, ValueError) as why:
            raise _unusable(self._host, f"no uptime: {replies.said(reply)}") from why

    def _fetch(self) -> None:
        while True:
            asked = wire_records.recorded(
                self._name, offset=len(self._octets), max_bytes=PART_BYTES
            )
            reply = self._ask(asked)[0]
            if reply.outcome != "answered":
                raise _unusable(self._host, f"its recording is lost: {replies.said(reply)}")
            self._octets += reply.payload
            size = replies.octets(reply, "size_bytes") or 0
            if not reply.payload or len(self._octets) >= min(size, MAX_BYTES):
                return

    def _ask(self, *operations: Operation) -> list[Reply]:
        """By the host's own way; once that is lost, by the other."""
        if self._other is None:
            try:
                return self._host.agent.run(operations)
            except Unobserved:
                if self._host.manage is None:
                    raise
            self._other = self._host.management()
        return self._other.run(operations)


def _unusable(host: Vantage, why: str) -> AgentUnusable:
    return AgentUnusable(f"{host.name}: {why}", reason="no-recording", vantage=host.name)
