"""Does the judge see a path MTU black hole, and in which direction?"""

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.pmtu import PADDING_BYTES, Pmtu, judge, pmtu
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes.seen import LOCAL, VANTAGE, answered, seen

REMOTE = "64:ff9b::2cd2:6b5d"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"
SMALL = answered(HEAD, REMOTE, 80, connect_s=0.01)
UP = answered(HEAD, REMOTE, 80, connect_s=0.01, path_mtu=1420)
LARGE = answered(HEAD, REMOTE, 80, connect_s=0.01, path_mtu=1500, received_bytes=200043)
LOST_UP = Reply("timed-out", fields={"connect_s": 0.01, "path_mtu": 1500})
HALF = Reply("timed-out", HEAD, fields={"connect_s": 0.01, "received_bytes": 43})


@pytest.mark.parametrize(
    ("replies", "verdict"),
    [
        pytest.param((SMALL, UP, LARGE), "whole", id="all-through"),
        pytest.param((SMALL, UP, Reply("too-large", HEAD)), "whole", id="more-than-was-wanted"),
        pytest.param((SMALL, LOST_UP, LARGE), "black-hole-up", id="up"),
        pytest.param((SMALL, UP, HALF), "black-hole-down", id="down"),
        pytest.param((SMALL, LOST_UP, HALF), "black-hole", id="both"),
        pytest.param(
            (Reply("refused"), Reply("refused"), Reply("refused")), "refused", id="nothing-at-all"
        ),
        pytest.param((LOST_UP, LOST_UP, HALF), "unanswered", id="even-the-small-one"),
    ],
)
def test_the_verdict(replies, verdict):
    assert judge(seen(*replies), asked="x", name="x.example", secure=False).verdict == verdict


def test_the_whole_finding():
    found = judge(seen(SMALL, UP, LARGE), asked="http://x/", name="x.example", secure=False)
    assert found == Pmtu(
        vantage=VANTAGE,
        asked="full-size packets to and from http://x/",
        verdict="whole",
        name_asked="x.example",
        local=LOCAL,
        remote=Endpoint(IPv6Address(REMOTE), 80),
        path=Path.NAT64,
    )
    assert (found.path_mtu, found.down_bytes, found.whole) == (1420, 200043, True)


def test_a_black_hole_is_the_path_mtus_and_a_refusal_tcps():
    black = judge(seen(SMALL, UP, HALF), asked="x", name="x.example", secure=False)
    shut = judge(seen(*[Reply("refused")] * 3), asked="x", name="x.example", secure=False)
    assert (black.broken_layer, shut.broken_layer) == (Layer.PATH_MTU, Layer.TCP)


def test_the_request_up_fills_more_than_two_packets():
    small, up, down = pmtu.ask("http://x.example/", large_url="http://x.example/large").operations
    assert len(up["send"]) * 3 // 4 > PADDING_BYTES > 2 * 1440
    assert len(small["send"]) * 3 // 4 < 500
    assert down["max_bytes"] > 200_000
