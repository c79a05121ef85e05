"""Does a batch travel in as few operations as it may, and do its replies find their places?"""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.agent import batch, wire
from pytest_v6probe.agent.wire import Reply

SERVER, OTHER = IPv6Address("fd00:ec2::253"), IPv6Address("fd00:ec2::254")


def questions(count: int, server: IPv6Address = SERVER) -> list[wire.Operation]:
    return [
        wire.udp(server, 53, struct.pack("!H", number % 65536) + b"?", match=2)
        for number in range(count)
    ]


def test_a_few_questions_travel_each_by_itself():
    assert [job.operation for job in batch.jobs(questions(7))] == questions(7)


def test_many_questions_to_one_server_travel_as_one_burst_whatever_lies_between():
    mixed = [
        wire.read("/proc/x"),
        *questions(4),
        wire.resolve("a.test"),
        *questions(4, OTHER),
        *questions(4),
        wire.udp(SERVER, 53, b"??", match=0),
    ]
    planned = batch.jobs(mixed)
    assert [(job.operation["op"], list(job.places)) for job in planned] == [
        ("read", [0]),
        ("resolve", [5]),
        ("udp", [6]),
        ("udp", [7]),
        ("udp", [8]),
        ("udp", [9]),
        ("udp", [14]),
        ("udp_burst", [1, 2, 3, 4, 10, 11, 12, 13]),
    ]
    assert planned[-1].operation["window"] == 64
    assert (
        planned[-1].operation["payload"]
        == wire.udp_burst(
            SERVER, 53, [struct.pack("!H", n) + b"?" for n in (0, 1, 2, 3, 0, 1, 2, 3)]
        )["payload"]
    )


@given(st.integers(min_value=0, max_value=1100))
def test_every_place_is_planned_once(count: int):
    planned = batch.jobs(questions(count))
    assert sorted(place for job in planned for place in job.places) == list(range(count))


def test_a_burst_of_one_is_taken_apart_as_well():
    last = batch.jobs(questions(513))[-1]
    reply = Reply("answered", wire.pack([b"\x02\x00!"]), fields=times(7))
    assert list(last.replies(reply)) == [
        (512, Reply("answered", b"\x02\x00!", elapsed_s=7e-6, fields={"strays": 0}))
    ]


def times(*us: int) -> dict[str, str]:
    return {"times_us": b64encode(struct.pack(f"!{len(us)}I", *us)).decode("ascii")}


def test_a_burst_s_own_end_is_the_outcome_of_the_unanswered():
    job = batch.jobs(questions(8))[0]
    answers = [b"a", b"", b"c", *[b""] * 5]
    replies = dict(
        job.replies(
            Reply(
                "refused",
                wire.pack(answers),
                elapsed_s=0.5,
                fields={**times(*range(8)), "detail": "ECONNREFUSED"},
            )
        )
    )
    assert replies[2] == Reply("answered", b"c", elapsed_s=2e-6, fields={"strays": 0})
    assert (
        replies[1]
        == replies[7]
        == Reply("refused", elapsed_s=0.5, fields={"strays": 0, "detail": "ECONNREFUSED"})
    )


@pytest.mark.parametrize(
    "reply",
    [
        Reply("answered", wire.pack([b"a"]), fields=times(*range(8))),
        Reply("answered", wire.pack([b"a"] * 8), fields=times(1)),
        Reply("answered", b"\x00"),
        Reply("answered", b"", fields={"times_us": "AAA"}),
    ],
)
def test_a_reply_that_does_not_fit_its_burst_is_refused(reply: Reply):
    job = batch.jobs(questions(8))[0]
    with pytest.raises(ValueError):
        list(job.replies(reply))


def test_the_time_of_a_batch_counts_queues_and_lanes():
    reads = [wire.read("/proc/x", timeout_s=2)] * 10
    assert batch.limit_s(batch.jobs(reads), 5, 1) == 10 * 2 / 5 + 2 + 1
    bursts = batch.jobs(questions(1024))
    assert [job.cost_s for job in bursts] == [24.0, 24.0]
    assert batch.limit_s(bursts, 64, 5) == 48 / 64 + 48 + 5
    assert batch.limit_s([], 64, 5) == 5


def test_an_operation_longer_than_a_line_is_refused():
    with pytest.raises(ValueError, match="octets"):
        batch.encoded(wire.stream("a.test", 80, send=bytes(7 << 20)), 1)
    assert json.loads(batch.encoded(wire.resolve("a.test"), 9))["id"] == 9
