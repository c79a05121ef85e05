"""What does every transport keep, whichever it is?"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from pytest_v6probe.agent import batch, client, wire
from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved

if TYPE_CHECKING:
    from tests.contract.conftest import Way

BIG = bytes(range(256)) * 4096


@pytest.fixture
def big_port() -> Iterator[int]:
    """A server that sends a mebibyte to everybody."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(BIG)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def big(port: int) -> wire.Operation:
    return wire.stream(
        "::1", port, until="eof", max_bytes=1 << 21, keep_bytes=1 << 20, timeout_s=20
    )


def scripted_big(operation: wire.Operation) -> dict[str, Any]:
    return {"outcome": "answered", "payload": BIG}


def failure(way: Way, kind: str, **kwargs: Any) -> Unobserved:
    with pytest.raises(Unobserved) as caught:
        way.open(kind, **kwargs)
    return caught.value


def test_an_agent_says_hello(way: Way):
    hello = way.open().hello
    assert set(hello) == {"python", "uid", "pid"}
    assert hello["python"].startswith("3.")


def test_a_reply_may_be_a_mebibyte(way: Way, big_port: int):
    replies = way.open(answer=scripted_big).run([big(big_port)] * 3)
    assert [(reply.outcome, reply.payload == BIG) for reply in replies] == [("answered", True)] * 3


def test_a_request_may_be_megabytes(way: Way):
    send = [wire.stream("::1", 1, send=bytes(3 << 20)) for _ in range(3)]
    replies = way.open(answer=lambda _: {"outcome": "refused"}).run(send)
    assert [reply.outcome for reply in replies] == ["refused"] * 3


def test_many_operations_go_at_once_and_keep_their_order(way: Way):
    names = [f"2001:db8::{number:x}" for number in range(1, 1500)]

    def answer(operation: wire.Operation) -> dict[str, Any]:
        return {"outcome": "answered", "addresses": [operation["host"]]}

    replies = way.open(answer=answer).run([wire.resolve(name) for name in names])
    assert [reply.fields["addresses"] for reply in replies] == [[name] for name in names]


def test_one_batch_follows_another(way: Way):
    agent = way.open(answer=lambda _: {"outcome": "answered", "addresses": ["::1"]})
    for _ in range(20):
        assert agent.run([wire.resolve("::1")])[0].fields == {"addresses": ["::1"]}


def test_noise_before_the_agent_is_passed_over(way: Way):
    assert way.open("noisy").run([wire.resolve("::1")])[0].outcome == "answered"


def test_an_agent_killed_half_way_is_named_and_the_next_batch_has_another(way: Way):
    alive: list[bool] = []

    def answer(operation: wire.Operation) -> dict[str, Any]:
        if not alive:
            raise EOFError
        return {"outcome": "answered"}

    agent = way.open(answer=answer)
    killer = Thread(target=kill_soon, args=(agent.hello["pid"],))
    killer.start()
    with pytest.raises(AgentUnusable) as caught:
        agent.run([wire.watch(groups=0, timeout_s=20)])
    killer.join()
    alive.append(True)
    assert caught.value.reason == "agent-died"
    assert "ended with 1 operations unanswered" in str(caught.value)
    assert agent.run([wire.resolve("::1")])[0].outcome == "answered"


def test_an_agent_that_ended_while_nothing_was_asked_is_replaced_at_once(way: Way):
    agent = way.open()
    first, channel = agent.hello["pid"], agent._channel
    assert channel is not None
    kill_soon(first)
    if first:
        heard = channel.receive(timeout_s=5)
    else:
        channel.close()
        heard = b""
    assert (heard, agent.run([wire.resolve("::1")])[0].outcome) == (b"", "answered")
    assert agent._channel is not channel


def kill_soon(pid: int) -> None:
    time.sleep(0.2)
    if pid:
        os.kill(pid, signal.SIGKILL)


def test_silence_is_bounded(way: Way):
    begun = time.monotonic()
    why = failure(way, "silent", timeout_s=1.0)
    assert isinstance(why, DeadlinePassed)
    assert "no hello within 1.0 s" in str(why)
    assert time.monotonic() - begun < 4


def test_an_agent_that_falls_silent_is_bounded(way: Way, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "SLACK_S", 0.5)
    agent = way.open(answer=lambda _: None)
    if agent.hello["pid"]:
        os.kill(agent.hello["pid"], signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(DeadlinePassed, match="1 of 1 operations are unanswered"):
        agent.run([wire.resolve("::1", timeout_s=0.1)])
    assert time.monotonic() - begun < 4
    if agent.hello["pid"]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(agent.hello["pid"], signal.SIGKILL)


@pytest.mark.parametrize(
    ("kind", "reason", "said"),
    [
        ("missing", "no-python3", "install Python 3.6 or newer"),
        ("too-old", "python-too-old", "python 3.5 is too old"),
        ("dying", "agent-died", "cannot allocate memory"),
    ],
)
def test_a_python_that_will_not_do_is_named_with_the_cure(
    way: Way, kind: str, reason: str, said: str
):
    why = failure(way, kind)
    assert isinstance(why, AgentUnusable)
    assert (why.reason, said in str(why)) == (reason, True)


def test_closing_the_channel_ends_the_program_even_while_it_works(way: Way):
    agent = way.open(answer=lambda _: None)
    channel, pid = agent._channel, agent.hello["pid"]
    assert channel is not None
    channel.send(batch.encoded(wire.watch(groups=0), 1).join((b"[", b"]\n")), timeout_s=5)
    time.sleep(0.1)
    channel.close()
    channel.close()
    assert not pid or gone_within(pid, 5)


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False
