"""How does a batch travel? Which operations go together, how long they may take, and whose reply is
whose.
"""

from __future__ import annotations

import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from pytest_v6probe.agent.wire import Operation, Reply, pack, unpack

FEWEST_FOR_A_BURST = 8
MOST_IN_A_BURST = 512
"""Answers of up to 2 kB each then fit into MAX_REPLY_BYTES."""
WINDOW = 64
MAX_LINE_BYTES = 8 << 20
"""The longest line the agent takes."""


@dataclass(slots=True)
class Job:
    """One operation as it is sent, and the places in the batch that its reply fills.

    *made* is true of a burst that was made here: its reply is taken apart again.
    """

    operation: Operation
    places: Sequence[int]
    made: bool = False

    @property
    def cost_s(self) -> float:
        """The longest it may run, once it does: a burst's time limit is for each datagram."""
        timeout_s = float(self.operation["timeout_s"])
        if self.operation["op"] != "udp_burst":
            return timeout_s
        count = len(self.places) if self.made else len(unpack(b64decode(self.operation["payload"])))
        return timeout_s * (ceil(count / self.operation["window"]) or 1)

    def replies(self, reply: Reply) -> Iterator[tuple[int, Reply]]:
        """Each place with its reply. Raises ValueError if *reply* is not one to this job."""
        if not self.made:
            return iter([(self.places[0], reply)])
        return zip(
            self.places, _split(reply, len(self.places), self.operation["timeout_s"]), strict=True
        )


def jobs(operations: Sequence[Operation]) -> list[Job]:
    """Plan a batch: UDP questions to the same server travel as bursts, one burst after another."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, operation in enumerate(operations):
        if operation["op"] == "udp" and operation["match"] == 2:
            key = (
                operation["server"],
                operation["port"],
                operation["scope"],
                operation["timeout_s"],
            )
            groups.setdefault(key, []).append(place)
    bursts = [places for places in groups.values() if len(places) >= FEWEST_FOR_A_BURST]
    taken = {place for places in bursts for place in places}
    planned = [
        Job(operation, (place,)) for place, operation in enumerate(operations) if place not in taken
    ]
    for places in bursts:
        for first in range(0, len(places), MOST_IN_A_BURST):
            some = places[first : first + MOST_IN_A_BURST]
            planned.append(Job(_burst([operations[place] for place in some]), some, made=True))
    return planned


def limit_s(planned: Sequence[Job], concurrency: int, slack_s: float) -> float:
    """How long *planned* may take altogether: no schedule of an agent that keeps its word is
    slower.

    Jobs of one lane run one after another; a greedy schedule on m machines ends within the total
    divided by m plus the longest (R. L. Graham, 1969).
    """
    lanes: dict[Any, float] = {}
    for number, job in enumerate(planned):
        lane = job.operation.get("lane", number)
        lanes[lane] = lanes.get(lane, 0.0) + job.cost_s
    return sum(lanes.values()) / concurrency + max(lanes.values(), default=0.0) + slack_s


def encoded(operation: Operation, number: int) -> bytes:
    """One operation as the agent reads it. Raises ValueError for one longer than a line may be."""
    octets = json.dumps({**operation, "id": number}, separators=(",", ":")).encode("ascii")
    if len(octets) > MAX_LINE_BYTES - 2:
        raise ValueError(f"an operation of {len(octets)} octets; the agent takes {MAX_LINE_BYTES}")
    return octets


def _burst(alike: Sequence[Operation]) -> Operation:
    questions = pack([b64decode(operation["payload"]) for operation in alike])
    lane = f"{alike[0]['server']} {alike[0]['port']} {alike[0]['scope']}"
    return {
        **alike[0],
        "op": "udp_burst",
        "payload": b64encode(questions).decode("ascii"),
        "window": WINDOW,
        "lane": lane,
    }


def _split(reply: Reply, count: int, timeout_s: float) -> list[Reply]:
    """Take a burst's reply apart: one reply for each question, in order."""
    answers = unpack(reply.payload) if reply.payload else [b""] * count
    times_us = array("I", b64decode(reply.fields.get("times_us", "")) or bytes(4 * count))
    if array("H", [1]).tobytes() == b"\x01\x00":
        times_us.byteswap()
    if len(answers) != count or len(times_us) != count:
        raise ValueError(f"{len(answers)} answers and {len(times_us)} times to {count} questions")
    silent = Reply(
        "timed-out" if reply.outcome == "answered" else reply.outcome,
        b"",
        reply.local,
        reply.remote,
        timeout_s if reply.outcome in ("answered", "timed-out") else reply.elapsed_s,
        {"strays": 0, **_said(reply)},
    )
    fields = {"strays": 0}
    return [
        Reply("answered", answer, reply.local, reply.remote, time_us / 1e6, fields)
        if answer
        else silent
        for answer, time_us in zip(answers, times_us, strict=True)
    ]


def _said(reply: Reply) -> dict[str, str]:
    return {"detail": reply.detail} if reply.detail else {}
