"""Are a container's frames taken apart wherever they are cut, and is a hostile one harmless?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.transport.docker.frames import Frames
from tests.unit.transport.docker.played import frame

FRAMES = st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=40)), max_size=6)


@given(FRAMES, st.integers(1, 30))
def test_every_octet_comes_from_its_stream_wherever_the_frames_are_cut(sent, size):
    octets = b"".join(frame(stream, part) for stream, part in sent)
    frames = Frames()
    got = {0: b"", 1: b"", 2: b"", 3: b""}
    for at in range(0, len(octets), size):
        for stream, part in frames.parts(octets[at : at + size]):
            got[stream] += part
    assert got == {key: b"".join(part for stream, part in sent if stream == key) for key in got}


def test_a_frame_of_four_gibibytes_is_handed_on_as_it_comes():
    frames = Frames()
    head = b"\1\0\0\0\xff\xff\xff\xff"
    assert list(frames.parts(head + b"abc")) == [(1, b"abc")]
    assert list(frames.parts(b"d" * 10)) == [(1, b"d" * 10)]


@pytest.mark.parametrize("octets", [b"HTTP/1.1 200 OK", b"\4\0\0\0\0\0\0\1", b"\1\0\1\0\0\0\0\1"])
def test_what_is_no_frame_is_said_to_be_none(octets):
    with pytest.raises(ValueError, match="does not begin a frame"):
        list(Frames().parts(octets))
