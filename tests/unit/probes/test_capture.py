"""Is a capture started before, ended after and removed, whatever happens within?"""

import struct
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

import pytest

from pytest_v6probe.agent import wire_records
from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.errors import DeadlinePassed, Unobserved
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.linux import bpf
from pytest_v6probe.probes.capture import capture
from pytest_v6probe.result import Finding, Traffic
from pytest_v6probe.vantage import Vantage

PEER = ip_address("2600:1f18::b")
HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 96, 101)
PACKET = bytes([0x60]) + bytes(7) + ip_address("2600::a").packed + PEER.packed
PCAP = HEAD + struct.pack("<IIII", 0, 0, 40, 40) + PACKET


class Recorder:
    """An agent that records: it has *pcap*, in pieces of 50 octets."""

    def __init__(self, pcap=PCAP, *, start=None, ended="asked"):
        self.pcap, self.ended = pcap, ended
        self.start = start or Reply("answered", fields={"recording": "ab12"})
        self.asked: list[dict[str, Any]] = []

    def run(self, operations):
        self.asked += operations
        return [self.reply(operation) for operation in operations]

    def reply(self, operation):
        if operation["op"] == "record":
            return self.start
        if operation["op"] == "recorded":
            piece = self.pcap[operation["offset"] :][:50]
            return Reply("answered", piece, fields={"size_bytes": len(self.pcap)})
        return Reply("answered", fields={"ended": self.ended, "lost": 0})

    @property
    def kinds(self):
        return [operation["op"] for operation in self.asked]


def vantage(agent: Any, witnessed: list, kept: list | None = None) -> Vantage:
    return Vantage(
        name="here",
        keep=(kept if kept is not None else []).append,
        region="",
        host=Host(name="here"),
        connect=lambda: agent,
        prefixes=lambda _: frozenset(),
        witness=witnessed.append,
    )


def test_what_was_seen_is_told_once_and_can_be_kept(tmp_path):
    agent = Recorder()
    witnessed: list[Finding] = []
    with capture(vantage(agent, witnessed), peers=[PEER], ports=(443,)) as seen:
        assert seen.packets.verdict == "ipv6-only"
        assert witnessed == []
    assert seen.packets.ipv6_packets == 1
    assert witnessed == [seen.packets]
    seen.save(tmp_path / "x.pcap")
    assert (tmp_path / "x.pcap").read_bytes() == PCAP
    started = wire_records.record(
        "packets",
        for_s=900.0,
        max_bytes=16 << 20,
        filter=bpf.program([PEER], (443,)),
        snap_bytes=96,
    )
    assert agent.asked[0] == started
    assert agent.asked[-1] == wire_records.stop_recording("ab12", remove=True)


def test_nobody_to_look_for_is_nothing_seen_and_not_everybody():
    agent = Recorder(HEAD)
    with capture(vantage(agent, []), peers=[]) as seen:
        pass
    expected = wire_records.record(
        "packets", for_s=900.0, max_bytes=16 << 20, filter=bpf.NOTHING, snap_bytes=96
    )
    assert agent.asked[1] == expected
    assert seen.packets.verdict == "nothing-seen"


def test_a_capture_that_filled_up_is_truncated():
    with capture(vantage(Recorder(ended="full"), []), peers=[PEER]) as seen:
        pass
    assert seen.packets.verdict == "truncated"


def test_a_failure_within_leaves_nothing_behind():
    agent = Recorder()
    with pytest.raises(ZeroDivisionError), capture(vantage(agent, []), peers=[PEER]):
        raise ZeroDivisionError
    assert agent.asked[-1] == wire_records.stop_recording("ab12", remove=True)


@pytest.mark.parametrize(
    ("outcome", "reason", "words"),
    [("not-permitted", "not-permitted", "sudo = true"), ("error", "capture-failed", "failed")],
)
def test_without_the_right_to_it_is_unobserved(outcome, reason, words):
    at = vantage(Recorder(start=Reply(outcome)), [])
    with pytest.raises(Unobserved, match=words) as unobserved, capture(at, peers=[PEER]):
        pass
    assert unobserved.value.reason == reason


def fail():
    pytest.fail("on purpose")


def wrong():
    raise AssertionError


@pytest.mark.parametrize("failing", [fail, wrong])
def test_what_was_seen_before_a_failure_within_is_evidence(failing):
    agent = Recorder()
    kept: list[Traffic] = []
    with suppress(pytest.fail.Exception, AssertionError), capture(vantage(agent, [], kept)):
        failing()
    asked = list(agent.kinds)
    assert [(seen.vantage, seen.pcap) for seen in kept] == [("here", PCAP)]
    assert agent.kinds == asked


def test_evidence_of_a_capture_that_goes_on_is_what_there_is_so_far():
    agent = Recorder()
    kept: list[Traffic] = []
    with capture(vantage(agent, [], kept)):
        so_far, asked = kept[0].pcap, list(agent.kinds)
    assert (so_far, asked.count("stop_recording")) == (PCAP, 0)


class Lost(Recorder):
    """An agent that is gone once it records."""

    def reply(self, operation):
        if operation["op"] == "stop_recording":
            raise Unobserved("gone", reason="agent-died")
        return super().reply(operation)


def test_what_cannot_be_fetched_hides_no_failure():
    with pytest.raises(AssertionError), capture(vantage(Lost(), []), peers=[PEER]):
        raise AssertionError


@pytest.mark.parametrize("why", [KeyboardInterrupt(), Unobserved("gone", reason="agent-died")])
def test_what_nobody_will_read_is_not_fetched(why):
    agent = Recorder()
    with pytest.raises(type(why)), capture(vantage(agent, []), peers=[PEER]):
        raise why
    assert agent.kinds.count("recorded") == 0
    assert agent.asked[-1] == wire_records.stop_recording("ab12", remove=True)


def test_fetching_has_a_deadline_in_all(monkeypatch):
    monkeypatch.setattr("pytest_v6probe.probes.capture.FETCH_S", 0.0)
    agent = Recorder()
    with (
        pytest.raises(DeadlinePassed, match="0 octets of the capture came within 0 s"),
        capture(vantage(agent, []), peers=[PEER]),
    ):
        pass
    assert agent.asked[-1] == wire_records.stop_recording("ab12", remove=True)
