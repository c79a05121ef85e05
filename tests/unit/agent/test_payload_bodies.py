"""Is a body hashed as it passes, however large, and however it is framed?"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent import wire, wire_requests
from pytest_v6probe.agent.client import Agent
from pytest_v6probe.agent.wire import Operation, Reply

LOOPBACK = IPv6Address("::1")
Serve = Callable[[Callable[[socket.socket], None]], int]
BODY = bytes(range(256)) * 8192  # 2 MiB
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunks(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


RESPONSES = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "chunks": CHUNKED + chunks(BODY, 5000),
    "end": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
}


def asked(port: int, *, timeout_s: float = 20, **kwargs) -> Operation:
    wanted = {"digest": "sha256", "max_bytes": 1 << 24, **kwargs}
    asks = [wire_requests.ask(b"GET / HTTP/1.1\r\n\r\n", **wanted)]
    return wire_requests.requests(LOOPBACK, port, asks, timeout_s=timeout_s)


def ask(agent: Agent, port: int, **kwargs) -> Reply:
    return answer(agent.run([asked(port, **kwargs)])[0])


def answer(reply: Reply) -> Reply:
    (only,) = wire_requests.answers(reply)
    return only


def says(octets: bytes) -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(octets)

    return handler


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_a_body_is_hashed_whole_and_only_the_head_returned(
    agent: Agent, tcp_server: Serve, response: bytes
):
    reply = ask(agent, tcp_server(says(response)))
    head = response[: response.index(b"\r\n\r\n") + 4]
    assert (reply.outcome, reply.payload) == ("answered", head)
    assert reply.fields["body_bytes"] == len(BODY)
    assert reply.fields["body_sha256"] == hashlib.sha256(BODY).hexdigest()


def test_an_empty_body_has_a_digest_too(agent: Agent, tcp_server: Serve):
    reply = ask(agent, tcp_server(says(b"HTTP/1.1 204 No Content\r\n\r\n")), digest="sha512")
    assert reply.fields["body_bytes"] == 0
    assert reply.fields["body_sha512"] == hashlib.sha512(b"").hexdigest()


def test_of_a_body_that_ends_early_there_is_no_digest(agent: Agent, tcp_server: Serve):
    reply = ask(agent, tcp_server(says(RESPONSES["length"][:-1])))
    assert (reply.outcome, reply.fields["body_bytes"]) == ("closed", len(BODY) - 1)
    assert "body_sha256" not in reply.fields


def test_a_body_that_is_too_large_is_read_up_to_the_limit(agent: Agent, tcp_server: Serve):
    reply = ask(agent, tcp_server(says(RESPONSES["length"])), max_bytes=1 << 20)
    assert (reply.outcome, "body_sha256" in reply.fields) == ("too-large", False)
    assert reply.fields["body_bytes"] <= 1 << 20


def test_a_digest_that_nobody_knows_is_an_error(agent: Agent, tcp_server: Serve):
    reply = ask(agent, tcp_server(says(RESPONSES["end"])), digest="md5")
    assert (reply.outcome, reply.detail.rstrip(",)")) == ("error", "ValueError('md5'")


def test_a_fast_sender_keeps_nobody_waiting_and_is_cut_off_in_time(agent: Agent, tcp_server: Serve):
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(BODY)

    port = tcp_server(endless)
    operation = asked(port, max_bytes=1 << 40, timeout_s=0.5)
    slow, quick = agent.run([operation, wire.read("/proc/self/stat")])
    slow = answer(slow)
    assert (slow.outcome, quick.outcome) == ("timed-out", "answered")
    assert quick.elapsed_s < slow.elapsed_s < 5
