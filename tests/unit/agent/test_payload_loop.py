"""Does the agent keep its bounds: so many at once, one of a lane, lines of a length, and its end?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_v6probe.agent import batch, bootstrap, wire
from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.errors import AgentUnusable
from pytest_v6probe.transport.descriptors import DescriptorChannel
from pytest_v6probe.transport.local import LocalTransport


@pytest.fixture
def narrow() -> Iterator[Agent]:
    """An agent that runs two operations at once."""
    agent = open_agent(LocalTransport(), python=sys.executable, concurrency=2)
    yield agent
    agent.close()


@pytest.fixture
def channel() -> Iterator[DescriptorChannel]:
    """An agent that has said hello, without its client."""
    argv = bootstrap.command(sys.executable, nonce="abc", concurrency=4)
    made = LocalTransport().start(argv, timeout_s=5)
    assert isinstance(made, DescriptorChannel)
    made.send(bootstrap.payload(), timeout_s=5)
    hello = b""
    while not hello.endswith(b"}\n"):
        hello += made.receive(timeout_s=5)
    assert hello.startswith(b"\nv6probe:abc:")
    yield made
    made.close()


def child() -> int:
    """The process that was started last from here; numbers begin anew when there are no more."""
    return max(
        (
            int(pid)
            for task in Path("/proc/self/task").iterdir()
            for pid in (task / "children").read_text(encoding="ascii").split()
        ),
        key=started,
    )


def started(pid: int) -> int:
    """When a process was started, in clock ticks since boot (proc_pid_stat(5), field 22)."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return int(stat.rpartition(")")[2].split()[19])


def waiting(seconds: float, **more: str) -> wire.Operation:
    return {**wire.watch(groups=0, timeout_s=seconds), **more}


def elapsed(agent: Agent, operations: list[wire.Operation]) -> float:
    begun = time.monotonic()
    agent.run(operations)
    return time.monotonic() - begun


def test_no_more_than_so_many_run_at_once(narrow: Agent):
    assert 0.59 < elapsed(narrow, [waiting(0.2)] * 6) < 1.5


def test_operations_of_a_lane_follow_one_another_and_others_pass_them(narrow: Agent):
    begun = time.monotonic()
    lane = [waiting(0.2, lane="x")] * 3
    replies = narrow.run([*lane, wire.resolve("::1")])
    assert 0.59 < time.monotonic() - begun < 1.5
    assert [reply.outcome for reply in replies] == ["timed-out"] * 3 + ["answered"]
    assert elapsed(narrow, [{"op": "nothing", "timeout_s": 1, "lane": "x"}, *lane[:1]]) < 1


def test_time_in_the_queue_is_not_the_operation_s_own(narrow: Agent):
    replies = narrow.run([waiting(0.3)] * 4)
    assert all(0.29 < reply.elapsed_s < 0.5 for reply in replies)


def test_a_line_without_an_end_ends_the_agent(channel: DescriptorChannel):
    with suppress(AgentUnusable):
        for _ in range(9):
            channel.send(b"x" * (1 << 20), timeout_s=5)
    assert channel.receive(timeout_s=5) == b""
    assert "more was asked than an agent takes" in channel.last_words()


def test_too_many_operations_end_the_agent(channel: DescriptorChannel):
    line = b"[" + b",".join([batch.encoded(waiting(60), 1)] * 66000) + b"]\n"
    with suppress(AgentUnusable):
        channel.send(line, timeout_s=10)
    assert channel.receive(timeout_s=10) == b""


def test_an_agent_nobody_reads_from_is_bounded_and_ends_with_its_channel(
    channel: DescriptorChannel,
):
    page = Path("/proc/kallsyms")
    many = (
        b"[" + b",".join([batch.encoded(wire.read(str(page), max_bytes=500000), 1)] * 60) + b"]\n"
    )
    channel.send(many, timeout_s=5)
    pid = child()
    time.sleep(1)
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    assert int(status.partition("VmRSS:")[2].split()[0]) < 40_000
    channel.close()
    assert not Path(f"/proc/{pid}").exists()
