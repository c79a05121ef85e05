"""Is what a failing test captured kept as a file that the failure names?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_v6probe.probes import packets

SOURCE = """
import struct
from ipaddress import ip_address
import pytest
from pytest_v6probe import capture
from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.errors import Unobserved

PACKET = bytes([0x60]) + bytes(7) + ip_address("2001:db8::a").packed + ip_address("2001:db8::b").packed
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 96, 101) + 2 * (
    struct.pack("<IIII", 0, 0, 40, 40) + PACKET
)

class Recorder:
    def run(self, operations):
        return [self.reply(operation) for operation in operations]

    def reply(self, operation):
        if operation["op"] == "recorded":
            return Reply("answered", PCAP[operation["offset"]:])
        return Reply("answered", fields={"recording": "ab12", "ended": "asked", "lost": 0})

    def close(self):
        pass

class Gone(Recorder):
    def reply(self, operation):
        if operation["op"] in {"stop_recording", "recorded"}:
            raise Unobserved("it is gone", reason="agent-died")
        return super().reply(operation)

@pytest.fixture
def recorder(ec2_host):
    ec2_host.close()
    ec2_host.connect = Recorder
    return ec2_host

def test_behind(recorder):
    with capture(recorder):
        pass
    assert recorder is None

def test_within(recorder):
    with capture(recorder):
        assert recorder is None

def test_passing(recorder):
    with capture(recorder):
        pass

def test_gone(recorder):
    recorder.connect = Gone
    with capture(recorder):
        assert recorder is None
"""
ONE = ("--v6-region", "us-west-2", "--basetemp", "kept")


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "with-workers"])
@pytest.mark.parametrize("name", ["test_behind", "test_within"])
def test_a_failing_test_leaves_a_file_that_is_a_capture(run, name, options):
    result = run(SOURCE, "-k", name, *ONE, *options)
    result.assert_outcomes(failed=1)
    (named,) = re.findall(
        r"^pcap       (\S+) \(2 packets, 0.1 kB\)$", result.stdout.str(), re.MULTILINE
    )
    file = Path(named)
    ends = [(str(packet.source), str(packet.target)) for packet in packets.read(file.read_bytes())]
    assert ends == 2 * [("2001:db8::a", "2001:db8::b")]
    assert (file.name, file.stat().st_mode & 0o777) == ("1-us-west-2_web-1.pcap", 0o600)
    assert file.parent.name.startswith(f"v6probe-{name}")


def test_a_passing_test_leaves_nothing(run, pytester):
    run(SOURCE, "-k", "test_passing", *ONE).assert_outcomes(passed=1)
    assert list(pytester.path.rglob("*.pcap")) == []
    assert list(pytester.path.glob("kept/*")) == []


def test_a_capture_that_cannot_be_fetched_does_not_hide_the_failure(run, pytester):
    result = run(SOURCE, "-k", "test_gone", *ONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*assert * is None", "pcap       none of us-west-2/web-1: it is gone"]
    )
    assert list(pytester.path.rglob("*.pcap")) == []
