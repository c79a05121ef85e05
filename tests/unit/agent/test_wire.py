"""Do operations and replies survive the wire, and does nonsense not?"""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.result import Endpoint

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.lists(st.binary(max_size=300)))
def test_what_is_packed_is_unpacked(parts: list[bytes]):
    assert wire.unpack(wire.pack(parts)) == parts


@pytest.mark.parametrize("packed", [b"\x00", b"\x00\x02a", b"\x00\x01a\x00"])
def test_packed_octets_that_end_inside_a_part_are_refused(packed: bytes):
    with pytest.raises(ValueError, match="inside a part"):
        wire.unpack(packed)


def test_a_reply_is_read_whole():
    message = {
        "id": 3,
        "outcome": "answered",
        "payload": "aGk=",
        "local": ["fe80::1%eth0", 5],
        "remote": ["::1", 53],
        "elapsed_s": 0.5,
        "strays": 2,
    }
    assert wire.reply(message) == Reply(
        "answered",
        b"hi",
        Endpoint(IPv6Address("fe80::1%eth0"), 5),
        Endpoint(IPv6Address("::1"), 53),
        0.5,
        {"strays": 2},
    )


@given(
    st.dictionaries(st.sampled_from(["outcome", "payload", "local", "remote", "elapsed_s"]), JSON)
    | JSON
)
def test_a_reply_that_makes_no_sense_is_a_value_error_at_most(message: object):
    try:
        read = wire.reply(message)  # type: ignore[arg-type]  # what a broken agent may send
    except ValueError:
        return
    assert isinstance(read.outcome, str)
