"""Does the client keep order, limits and names of errors, whatever the agent does?"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address
from threading import Thread

import pytest

from pytest_v6probe.agent import bootstrap, wire
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.transport.fake import FakeTransport

SERVER = IPv6Address("fd00:ec2::253")


class Scripted:
    """A transport whose program says what it is told to, octet for octet; after its hello, once it
    is asked.
    """

    def __init__(self, *said: bytes | Callable[[str], bytes], words: str = "") -> None:
        self.name = "scripted"
        self.said, self.words, self.starts, self.closed = said, words, 0, 0

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Scripted:
        self.starts += 1
        self.argv = tuple(argv)
        self.left = [octets(argv[5]) if callable(octets) else octets for octets in self.said]
        self.shipped, self.asked = False, False
        return self

    def send(self, octets: bytes, *, timeout_s: float) -> None:
        self.shipped, self.asked = True, self.shipped

    def receive(self, *, timeout_s: float) -> bytes:
        greeted = any(map(callable, self.said[: len(self.said) - len(self.left)]))
        if not self.left or (greeted and not self.asked):
            raise DeadlinePassed("silence", reason="deadline-passed")
        return self.left.pop(0)

    def last_words(self) -> str:
        return self.words

    def close(self) -> None:
        self.closed += 1


def hello(nonce: str) -> bytes:
    return f'\nv6probe:{nonce}:{{"python": "3.9.2", "uid": 1, "pid": 2}}\n'.encode("ascii")


def unusable(transport: Scripted | FakeTransport, operations: list[wire.Operation]) -> Unobserved:
    with pytest.raises(Unobserved) as caught:
        open_agent(transport, vantage="us-east-1/web-1").run(operations)
    return caught.value


def test_replies_come_in_the_order_of_the_operations():
    def answer(operation: wire.Operation) -> dict[str, object]:
        return {"outcome": "answered", "payload": operation.get("host", "udp").encode("ascii")}

    transport = FakeTransport(answer)
    asked = [wire.resolve("a"), wire.resolve("b"), wire.udp(SERVER, 53, b"??"), wire.resolve("c")]
    agent = open_agent(transport)
    assert [reply.payload for reply in agent.run(asked)] == [b"a", b"b", b"udp", b"c"]
    assert agent.run([]) == []
    assert transport.asked == asked
    assert agent.hello == {"python": "3.12.0", "uid": 0, "pid": 0}


def test_a_burst_and_single_questions_are_the_same_to_a_fake():
    def answer(operation: wire.Operation) -> dict[str, object] | None:
        return (
            None
            if operation["payload"] == "AAM/"
            else {"outcome": "answered", "payload": operation["payload"], "elapsed_s": 0.25}
        )

    questions = [struct.pack("!H", number) + b"?" for number in range(8)]
    replies = open_agent(FakeTransport(answer)).run(
        [wire.udp(SERVER, 53, question, match=2, timeout_s=1) for question in questions]
    )
    assert [reply.payload for reply in replies] == [*questions[:3], b"", *questions[4:]]
    assert [reply.outcome for reply in replies].index("timed-out") == 3
    assert replies[0].elapsed_s == 0.25


def test_noise_before_the_hello_is_passed_over():
    noise = b"*** Authorised use only ***\n" * 1000 + b"v6probe: no line end"
    agent = open_agent(Scripted(noise, hello))
    assert agent.hello == {"python": "3.9.2", "uid": 1, "pid": 2}


@pytest.mark.parametrize(
    ("said", "words", "reason"),
    [
        ([], "", "deadline-passed"),
        ([b""], "bash: line 1: python3: command not found exit status 127", "no-python3"),
        ([b""], "env: python3: No such file or directory", "no-python3"),
        ([b""], "fish: Unknown command: python3", "no-python3"),
        ([b""], "Unknown option: -I usage: python", "python-too-old"),
        ([lambda nonce: f"\nv6probe:{nonce}:too-old 3.5\n".encode("ascii")], "", "python-too-old"),
        ([b"This account is currently not available.\n", b""], "exit status 1", "agent-died"),
        ([b"noise" * 20000], "", "agent-garbage"),
        ([lambda nonce: f"v6probe:{nonce}:hello there\n".encode("ascii")], "", "agent-garbage"),
        ([lambda nonce: f"v6probe:{nonce}:{'[' * 9999}\n".encode("ascii")], "", "agent-garbage"),
        ([lambda nonce: f"v6probe:{nonce}:".encode("ascii") + b"x" * 99999], "", "agent-garbage"),
    ],
)
def test_a_start_that_fails_has_its_reason(said: list[bytes], words: str, reason: str):
    transport = Scripted(*said, words=words)
    why = unusable(transport, [])
    assert (why.reason, why.vantage) == (reason, "us-east-1/web-1")
    assert "us-east-1/web-1" in str(why)
    assert transport.closed == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("sudo: a password is required exit status 1", "sudo-refused"),
        ("sudo: sorry, you must have a tty to run sudo", "sudo-refused"),
        ("ec2-user is not in the sudoers file.", "sudo-refused"),
        ("sh: sudo: command not found", "sudo-refused"),
        ("sudo: python3: command not found", "no-python3"),
    ],
)
def test_sudo_that_says_no_is_told_from_a_program_that_is_not_there(words: str, reason: str):
    transport = Scripted(b"", words=words)
    with pytest.raises(AgentUnusable) as caught:
        open_agent(transport, sudo=True)
    assert caught.value.reason == reason
    assert transport.argv[:3] == ("sudo", "-n", "--")


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\n",
        b"[{}]\n",
        b'[{"id": 7, "outcome": "answered"}]\n',
        b'[{"id": 1}]\n',
        b"7\n",
        b'[{"id": [], "outcome": "x"}]\n',
        b'[{"id": 1, "outcome": "x", "payload": "\xc3\xa9"}]\n',
        b'[{"id": 1, "outcome": "x", "local": ["x", 1]}]\n',
        b"[" * 100000 + b"\n",
        b"{}\n" * 2 + b"x\n",
    ],
)
def test_garbage_from_an_agent_is_named_and_ends_it(line: bytes):
    transport = Scripted(hello, line)
    why = unusable(transport, [wire.resolve("a.test")])
    assert isinstance(why, AgentUnusable)
    assert (why.reason, transport.closed) == ("agent-garbage", 1)
    assert str(why).isprintable()


def test_an_agent_that_speaks_unasked_is_garbage_and_ended():
    transport = Scripted(hello, b"[]\n")
    agent = open_agent(transport, vantage="us-east-1/web-1")
    transport.asked = True
    with pytest.raises(AgentUnusable, match=r"unasked it says \[\]") as caught:
        agent.run([wire.resolve("a.test")])
    assert (caught.value.reason, transport.closed) == ("agent-garbage", 1)


def test_a_line_without_an_end_is_bounded():
    why = unusable(Scripted(hello, *[b"x" * (1 << 20)] * 20), [wire.resolve("a.test")])
    assert (why.reason, "16 MiB" in str(why)) == ("agent-garbage", True)


def test_silence_is_bounded_by_the_operations_own_time():
    why = unusable(Scripted(hello), [wire.resolve("a.test", timeout_s=2)] * 3)
    assert isinstance(why, DeadlinePassed)
    assert (
        str(why) == "us-east-1/web-1 did not finish within 7.1 s: 3 of 3 operations are unanswered"
    )


def test_an_agent_that_dies_is_named_and_the_next_batch_starts_another():
    alive = [False]

    def answer(operation: wire.Operation) -> dict[str, object]:
        if not alive[0]:
            raise EOFError
        return {"outcome": "answered"}

    agent = open_agent(FakeTransport(answer), vantage="web-1")
    with pytest.raises(AgentUnusable, match="killed by signal 9") as caught:
        agent.run([wire.resolve("a.test")])
    alive[0] = True
    assert caught.value.reason == "agent-died"
    assert [reply.outcome for reply in agent.run([wire.resolve("a.test")])] == ["answered"]


def test_a_closed_agent_stays_closed():
    agent = open_agent(FakeTransport(lambda _: {"outcome": "answered"}))
    agent.close()
    agent.close()
    with pytest.raises(AgentUnusable, match="closed"):
        agent.run([wire.resolve("a.test")])


def test_what_the_transport_says_gets_the_name_of_the_vantage():
    class Refusing(Scripted):
        def start(self, argv: Sequence[str], *, timeout_s: float) -> Scripted:
            raise VantageUnreachable("nobody there", reason="refused")

    assert unusable(Refusing(), []).vantage == "us-east-1/web-1"


def test_more_than_an_agent_takes_at_once_is_sent_bit_by_bit():
    replies = open_agent(FakeTransport(lambda _: {"outcome": "answered"})).run(
        [wire.resolve(f"{number}.test") for number in range(5000)]
    )
    assert len(replies) == 5000


def test_threads_may_share_an_agent():
    agent = open_agent(
        FakeTransport(
            lambda operation: {"outcome": "answered", "payload": operation["host"].encode("ascii")}
        )
    )
    seen: dict[str, list[bytes]] = {}

    def ask(name: str) -> None:
        seen[name] = [agent.run([wire.resolve(name)])[0].payload for _ in range(50)]

    threads = [Thread(target=ask, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {name: [name.encode("ascii")] * 50 for name in "abcd"}


@pytest.mark.parametrize(
    ("pythons", "reason"),
    [
        ({}, "no-python3"),
        ({"python3": "3.5.2"}, "python-too-old"),
        ({"python3": ""}, "deadline-passed"),
    ],
)
def test_a_fake_can_be_a_host_without_a_usable_python(pythons: dict[str, str], reason: str):
    why = unusable(FakeTransport(lambda _: None, pythons=pythons), [])
    assert why.reason == reason


def test_the_payload_is_what_is_sent_first():
    sent: list[bytes] = []

    class Listening(Scripted):
        def send(self, octets: bytes, *, timeout_s: float) -> None:
            sent.append(octets)

    open_agent(Listening(hello))
    with pytest.raises(DeadlinePassed):
        open_agent(Listening(hello)).run([wire.resolve("a.test")])
    assert sent[0] == bootstrap.payload()
    assert json.loads(sent[2]) == [{**wire.resolve("a.test"), "id": 1}]
