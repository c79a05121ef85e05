"""What does the agent say of UDP services and of echoes?"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import Agent
from pytest_v6probe.result import Endpoint

LOOPBACK = IPv6Address("::1")
Serve = Callable[[Callable[[bytes], list[bytes]]], int]


def numbered(count: int, tail: bytes = b"?") -> list[bytes]:
    return [struct.pack("!H", number) + tail for number in range(count)]


def test_a_datagram_is_answered_with_both_ends(agent: Agent, udp_server: Serve):
    port = udp_server(lambda question: [question + b" answer"])
    reply = agent.run([wire.udp(LOOPBACK, port, b"question")])[0]
    assert (reply.outcome, reply.payload) == ("answered", b"question answer")
    assert str(reply.remote) == f"[::1]:{port}"
    assert str(reply.local).startswith("[::1]:")
    assert reply.fields == {"strays": 0, "clock_s": pytest.approx(time.time(), abs=5)}


def test_strays_are_counted_and_not_taken(agent: Agent, udp_server: Serve):
    port = udp_server(lambda question: [b"junk", b"", b"\x00\x00", question + b"!"])
    reply = agent.run([wire.udp(LOOPBACK, port, b"\x12\x34?", match=2)])[0]
    assert (reply.outcome, reply.payload, reply.fields["strays"]) == ("answered", b"\x12\x34?!", 3)


def test_only_strays_are_silence(agent: Agent, udp_server: Serve):
    port = udp_server(lambda _: [b"junk"] * 50)
    reply = agent.run([wire.udp(LOOPBACK, port, b"\x12\x34?", match=2, timeout_s=0.2)])[0]
    assert (reply.outcome, reply.payload, reply.fields) == ("timed-out", b"", {"strays": 50})
    assert 0.19 < reply.elapsed_s < 1


def test_nobody_at_the_port_is_refused_and_the_icmp_error_is_told(agent: Agent):
    reply = agent.run([wire.udp(LOOPBACK, 9, b"?", timeout_s=2)])[0]
    assert (reply.outcome, reply.detail) == ("refused", "ECONNREFUSED")
    assert reply.fields["icmp"] == {"type": 1, "code": 4, "mtu": 0, "from": "::1"}


def test_ipv4_is_asked_when_the_server_is_ipv4(agent: Agent):
    reply = agent.run([wire.udp(IPv4Address("127.0.0.1"), 9, b"?", timeout_s=2)])[0]
    assert reply.outcome == "refused"
    assert reply.fields["icmp"] == {"type": 3, "code": 3, "mtu": 0, "from": "127.0.0.1"}


def test_a_scope_that_does_not_exist_is_an_outcome(agent: Agent):
    reply = agent.run([wire.udp(IPv6Address("fe80::1"), 53, b"?", scope="nosuch0")])[0]
    assert reply.outcome == "name-error"


def test_many_questions_come_back_in_their_order(agent: Agent, udp_server: Serve):
    port = udp_server(lambda question: [question + b"!"])
    questions = numbered(2000)
    replies = agent.run([wire.udp(LOOPBACK, port, question, match=2) for question in questions])
    assert [reply.payload for reply in replies] == [question + b"!" for question in questions]
    assert {reply.outcome for reply in replies} == {"answered"}
    assert all(0 < reply.elapsed_s < 3 for reply in replies)


def test_in_a_burst_only_the_silent_ones_time_out(agent: Agent, udp_server: Serve):
    port = udp_server(lambda question: [question] if question[1] % 2 else [])
    replies = agent.run(
        [wire.udp(LOOPBACK, port, question, match=2, timeout_s=0.2) for question in numbered(40)]
    )
    assert [reply.outcome for reply in replies] == ["timed-out", "answered"] * 20
    assert {reply.elapsed_s for reply in replies[::2]} == {0.2}


def test_a_burst_to_nobody_is_refused(agent: Agent):
    replies = agent.run([wire.udp(LOOPBACK, 9, question, match=2) for question in numbered(20)])
    assert {(reply.outcome, reply.detail) for reply in replies} == {("refused", "ECONNREFUSED")}


def test_questions_with_the_same_id_are_told_apart_by_time(agent: Agent, udp_server: Serve):
    port = udp_server(lambda question: [question])
    questions = [b"\x00\x01" + bytes([number]) for number in range(20)]
    replies = agent.run([wire.udp(LOOPBACK, port, question, match=2) for question in questions])
    assert [reply.payload for reply in replies] == questions


def test_a_burst_of_huge_answers_is_bounded(agent: Agent, udp_server: Serve):
    port = udp_server(lambda question: [question + bytes(60000)])
    reply = agent.run([wire.udp_burst(LOOPBACK, port, numbered(64), window=2)])[0]
    assert reply.outcome == "too-large"
    assert wire.MAX_REPLY_BYTES // 2 < len(reply.payload) <= wire.MAX_REPLY_BYTES + 128


def test_a_burst_is_an_operation_of_its_own(agent: Agent, udp_server: Serve):
    port = udp_server(lambda question: [question + b"!"] * 3)
    reply = agent.run([wire.udp_burst(LOOPBACK, port, numbered(5), window=2)])[0]
    assert wire.unpack(reply.payload) == [question + b"!" for question in numbered(5)]


def test_ten_thousand_questions_are_asked_quickly(agent: Agent, udp_server: Serve):
    port = udp_server(lambda question: [question])
    begun = time.monotonic()
    replies = agent.run(
        [wire.udp(LOOPBACK, port, question, match=2) for question in numbered(10000)]
    )
    assert {reply.outcome for reply in replies} == {"answered"}
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("address", [LOOPBACK, IPv4Address("127.0.0.1")])
@pytest.mark.parametrize("size", [0, 3, 56, 4000])
def test_an_echo_comes_back(agent: Agent, address: IPv4Address | IPv6Address, size: int):
    reply = agent.run([wire.echo(address, size_bytes=size, timeout_s=1)])[0]
    assert (reply.outcome, len(reply.payload)) == ("answered", size)
    assert reply.remote == Endpoint(address)
    assert 0 < reply.elapsed_s < 1


def test_an_echo_that_no_link_carries_whole_says_what_the_link_carries(agent: Agent):
    reply = agent.run(
        [
            wire.echo(IPv4Address("127.0.0.1"), size_bytes=65000, whole=True),
            wire.echo(LOOPBACK, size_bytes=65500, whole=True),
        ]
    )
    assert [one.outcome for one in reply] == ["answered", "error"]
    assert (reply[1].detail, reply[1].fields["local_mtu"]) == ("EMSGSIZE", 65536)
