"""Is each capture of a failing test in a file of its own, for its user alone, or is it said why
not?
"""

import struct

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.report import captured

EMPTY = struct.pack("<IIII", 0, 0, 0, 40)
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 96, 101) + EMPTY
LARGE = PCAP + 60 * EMPTY


class Traffic:
    """A capture."""

    def __init__(self, vantage="us-east-1/web-1", pcap=PCAP):
        self.vantage, self.pcap = vantage, pcap


class Gone(Traffic):
    """A capture whose vantage is gone."""

    def __init__(self):
        self.vantage = "web-2"

    @property
    def pcap(self):
        raise Unobserved("web-2: agent died", reason="agent-died")


def test_each_capture_has_a_file_that_only_its_user_reads(tmp_path):
    lines = captured.written([Traffic(), Traffic("../../x y", LARGE)], lambda: tmp_path)
    first, second = tmp_path / "1-us-east-1_web-1.pcap", tmp_path / "2-.._.._x_y.pcap"
    assert lines == [f"{first} (1 packet, 0.0 kB)", f"{second} (61 packets, 1.0 kB)"]
    assert (first.read_bytes(), second.read_bytes()) == (PCAP, LARGE)
    assert [file.stat().st_mode & 0o777 for file in (first, second)] == [0o600, 0o600]


def test_what_cannot_be_fetched_is_said_and_the_rest_is_kept(tmp_path):
    lines = captured.written([Gone(), Traffic("a")], lambda: tmp_path)
    assert lines == [
        "none of web-2: web-2: agent died",
        f"{tmp_path / '2-a.pcap'} (1 packet, 0.0 kB)",
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["2-a.pcap"]


def test_a_file_that_is_there_is_not_followed(tmp_path):
    (tmp_path / "1-a.pcap").symlink_to(tmp_path / "elsewhere")
    (line,) = captured.written([Traffic("a")], lambda: tmp_path)
    assert line.startswith("none of a: [Errno 17] File exists")
    assert not (tmp_path / "elsewhere").exists()


def test_without_a_folder_the_failure_says_so():
    def full():
        raise OSError(28, "No space left on device")

    assert captured.written([Traffic()], full) == [
        "none: OSError: [Errno 28] No space left on device"
    ]
