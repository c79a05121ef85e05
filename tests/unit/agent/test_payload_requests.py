"""Does each of several requests get its own response, on as few connections as the server allows?"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest

from pytest_v6probe.agent import wire, wire_requests
from pytest_v6probe.agent.client import Agent
from pytest_v6probe.agent.wire import Operation, Reply
from tests.unit.agent.conftest import OLDEST_AND_NEWEST

LOOPBACK = IPv6Address("::1")
Serve = Callable[[Callable[[socket.socket], None]], int]
Page = bytes | Callable[[socket.socket], None]


def page(body: bytes, *, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (headers, len(body), body)


class Server:
    """What it says to each request, by path; *heads* are the requests of each connection so far."""

    def __init__(self, pages: dict[str, Page]) -> None:
        self.pages = pages
        self.heads: list[list[str]] = []

    def __call__(self, connection: socket.socket) -> None:
        heads: list[str] = []
        self.heads.append(heads)
        for head in requested(connection):
            path = head.split()[1].decode()
            heads.append(path)
            said = self.pages[path]
            if callable(said):
                said(connection)
                return
            connection.sendall(said)
            if b"close" in said or said.startswith(b"HTTP/1.0"):
                return


def requested(connection: socket.socket) -> Iterator[bytes]:
    """Each request as it comes; the client must not send the next before it has its response."""
    while True:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            octets = connection.recv(65536)
            if not octets:
                return
            head += octets
        assert head.count(b"GET ") == 1
        yield head


def get(path: str, **kwargs: Any) -> dict[str, Any]:
    return wire_requests.ask(b"GET %s HTTP/1.1\r\n\r\n" % path.encode(), **kwargs)


def asking(port: int, *paths: str, digest: str = "", max_bytes: int = 65536, **kwargs) -> Operation:
    asks = [get(path, digest=digest, max_bytes=max_bytes) for path in paths]
    return wire_requests.requests(LOOPBACK, port, asks, **{"timeout_s": 5, **kwargs})


def ask(agent: Agent, port: int, *paths: str, **kwargs) -> tuple[Reply, ...]:
    return wire_requests.answers(agent.run([asking(port, *paths, **kwargs)])[0])


def told(answers: tuple[Reply, ...]) -> list[tuple[str, bytes, bool]]:
    """Of each: its outcome, its body, and whether it shared the connection of one before."""
    return [
        (answer.outcome, answer.payload.partition(b"\r\n\r\n")[2], answer.fields["reused"])
        for answer in answers
    ]


THREE: dict[str, Page] = {"/1": page(b"one"), "/2": page(b""), "/3": page(b"three")}
FIRST, REUSED = False, True


def test_three_requests_share_one_connection_and_each_is_told_whole(
    agent: Agent, tcp_server: Serve
):
    server = Server(THREE)
    port = tcp_server(server)
    answers = ask(agent, port, "/1", "/2", "/3")
    assert told(answers) == [
        ("answered", b"one", FIRST),
        ("answered", b"", REUSED),
        ("answered", b"three", REUSED),
    ]
    assert server.heads == [["/1", "/2", "/3"]]
    assert {str(answer.remote) for answer in answers} == {f"[::1]:{port}"}
    assert len({answer.local for answer in answers}) == 1
    assert all(answer.fields["connect_s"] > 0 for answer in answers)
    assert [answer.fields["received_bytes"] for answer in answers] == [
        len(said) for said in THREE.values() if isinstance(said, bytes)
    ]


CLOSING = {
    "connection-close": page(b"one", headers=b"connection: Close\r\n"),
    "http-1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none",
    "no-length-and-close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none",
    "two-lengths": page(b"one", headers=b"Content-Length: 9\r\n"),
    "length-and-chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\none\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("first", CLOSING.values(), ids=CLOSING)
def test_after_a_response_that_its_connection_does_not_outlive_the_next_gets_another(
    agent: Agent, tcp_server: Serve, first: bytes
):
    server = Server({**THREE, "/1": first})
    answers = ask(agent, tcp_server(server), "/1", "/2", "/3", digest="sha256")
    assert [(answer.outcome, answer.fields["reused"]) for answer in answers] == [
        ("answered", FIRST),
        ("answered", FIRST),
        ("answered", REUSED),
    ]
    bodies = [hashlib.sha256(body).hexdigest() for body in (b"one", b"", b"three")]
    assert [answer.fields["body_sha256"] for answer in answers] == bodies
    assert server.heads == [["/1"], ["/2", "/3"]]


def hangs_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def test_a_server_that_closes_without_a_word_is_asked_again_on_a_further_connection(
    agent: Agent, tcp_server: Serve
):
    server = Server({**THREE, "/2": hangs_up})
    answers = ask(agent, tcp_server(server), "/1", "/2", "/3")
    assert [(answer.outcome, answer.fields["reused"]) for answer in answers] == [
        ("answered", FIRST),
        ("closed", FIRST),
        ("answered", FIRST),
    ]
    assert server.heads == [["/1", "/2"], ["/2"], ["/3"]]


def test_a_kept_connection_that_the_server_let_go_meanwhile_costs_no_answer(
    agent: Agent, tcp_server: Serve
):
    server = Server(THREE)

    def one_each(connection: socket.socket) -> None:
        heads: list[str] = []
        server.heads.append(heads)
        head = next(requested(connection))
        heads.append(head.split()[1].decode())
        connection.sendall(page(b"said"))

    answers = ask(agent, tcp_server(one_each), "/1", "/2", "/3")
    assert [(answer.outcome, answer.payload) for answer in answers] == [
        ("answered", page(b"said"))
    ] * 3
    assert [answer.fields["reused"] for answer in answers] == [FIRST] * 3
    assert server.heads == [["/1"], ["/2"], ["/3"]]


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        (page(b"one") + page(b"a lie"), "answered"),
        (page(b"one") + b"x" * 9999, "answered"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\none", "answered"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\none\r\n0\r\n\r\n", "error"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\none\r\n0\r\n\r\n", "error"),
        (b"SSH-2.0-x\r\n", "answered"),
    ],
    ids=["another-response", "surplus", "short-length", "short-chunk", "negative", "not-http"],
)
def test_what_nobody_asked_for_is_not_the_next_one_s_response(
    agent: Agent, tcp_server: Serve, first: bytes, outcome: str
):
    server = Server({**THREE, "/1": first})
    answers = ask(agent, tcp_server(server), "/1", "/2", "/3")
    assert [answer.outcome for answer in answers] == [outcome, "answered", "answered"]
    assert [answer.payload for answer in answers[1:]] == [THREE["/2"], THREE["/3"]]
    assert server.heads == [["/1"], ["/2", "/3"]]


def longer_than_it_is(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort")


def test_a_body_that_ends_early_is_told_and_the_next_is_asked_elsewhere(
    agent: Agent, tcp_server: Serve
):
    server = Server({**THREE, "/2": longer_than_it_is})
    answers = ask(agent, tcp_server(server), "/1", "/2", "/3", digest="sha256")
    assert [(answer.outcome, answer.fields["body_bytes"]) for answer in answers] == [
        ("answered", 3),
        ("closed", 5),
        ("answered", 5),
    ]
    assert ["body_sha256" in answer.fields for answer in answers] == [True, False, True]
    assert server.heads == [["/1", "/2"], ["/3"]]


def trickles(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")
    while True:
        connection.sendall(b".")
        time.sleep(0.02)


def test_a_response_that_never_ends_takes_all_the_time_and_what_was_not_asked_has_no_answer(
    agent: Agent, tcp_server: Serve
):
    server = Server({**THREE, "/2": trickles})
    reply = agent.run([asking(tcp_server(server), "/1", "/2", "/3", timeout_s=0.5)])[0]
    answers = wire_requests.answers(reply)
    assert reply.outcome == "timed-out"
    assert [answer.outcome for answer in answers] == ["answered", "timed-out"]
    assert server.heads == [["/1", "/2"]]


def floods(octets: bytes) -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(octets)

    return handler


@pytest.mark.parametrize(
    ("octets", "most"),
    [
        (b"\r\n" + b"x" * 65536, 1 << 20),
        (b"X: a\r\n" * 1000, 1 << 30),
        (b"X: " + b"a" * 65536, 1 << 30),
    ],
    ids=["body", "headers", "header"],
)
def test_a_second_response_without_an_end_is_read_up_to_the_limit_and_the_third_is_asked(
    agent: Agent, tcp_server: Serve, octets: bytes, most: int
):
    server = Server({**THREE, "/2": floods(octets)})
    answers = ask(
        agent, tcp_server(server), "/1", "/2", "/3", digest="sha256", max_bytes=most, timeout_s=20
    )
    assert [answer.outcome for answer in answers] == ["answered", "too-large", "answered"]
    assert len(answers[1].payload) <= 65536
    assert answers[1].fields["received_bytes"] <= (1 << 20) + 65536
    assert server.heads == [["/1", "/2"], ["/3"]]


def test_no_more_is_returned_than_one_operation_may(agent: Agent, tcp_server: Serve):
    server = Server({"/": page(b"x" * 300_000)})
    asks = [get("/", max_bytes=1 << 20, keep_bytes=1 << 20) for _ in range(wire_requests.MOST)]
    operation = wire_requests.requests(LOOPBACK, tcp_server(server), asks, timeout_s=20)
    answers = wire_requests.answers(agent.run([operation])[0])
    assert {answer.outcome for answer in answers} == {"answered"}
    assert sum(len(answer.payload) for answer in answers) == wire.MAX_REPLY_BYTES


def test_more_requests_than_an_operation_takes_are_refused(agent: Agent):
    many = [get("/")] * (wire_requests.MOST + 1)
    with pytest.raises(ValueError, match="which takes 1 to 16"):
        wire_requests.requests(LOOPBACK, 80, many)
    operation = {**wire_requests.requests(LOOPBACK, 80, many[:1]), "asks": many}
    (answer,) = wire_requests.answers(agent.run([operation])[0])
    assert (answer.outcome, answer.detail.rstrip(",)")) == ("error", "ValueError('17 requests'")


def test_without_a_connection_nothing_more_is_asked(agent: Agent):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
    (answer,) = ask(agent, port, "/1", "/2", "/3")
    assert (answer.outcome, answer.detail) == ("refused", "ECONNREFUSED")
    assert str(answer.remote) == f"[::1]:{port}"


def test_a_handshake_that_stalls_has_its_own_time_limit(agent: Agent, tcp_server: Serve):
    def handler(connection: socket.socket) -> None:
        with contextlib.suppress(TimeoutError):
            while connection.recv(65536):
                pass

    tls = {"server_name": "site.test"}
    port = tcp_server(handler)
    (answer,) = ask(agent, port, "/1", "/2", tls=tls, connect_timeout_s=0.2, timeout_s=60)
    assert (answer.outcome, "tls_s" in answer.fields) == ("timed-out", False)
    assert answer.fields["connect_s"] >= 0


def test_over_tls_each_answer_says_whose_certificate_it_was(
    agent: Agent, tls_server: Serve, certificate: Path
):
    server = Server({**THREE, "/1": CLOSING["connection-close"]})
    ca = certificate.read_text(encoding="ascii").partition("-----BEGIN PRIVATE")[0]
    port = tls_server(server)
    tls = {"server_name": "site.test", "alpn": ["http/1.1"], "ca": ca}
    answers = ask(agent, port, "/1", "/2", "/3", tls=tls)
    assert [answer.fields["reused"] for answer in answers] == [FIRST, FIRST, REUSED]
    assert {answer.fields["tls"]["certificate"][:3] for answer in answers} == {"MII"}
    assert len({answer.local for answer in answers}) == 2
    (other,) = ask(agent, port, "/1", "/2", tls={**tls, "server_name": "other.test"})
    assert (other.outcome, "tls" in other.fields) == ("tls-error", False)


def test_a_kept_connection_serves_the_next_operation_of_its_line_and_no_other(
    agent: Agent, tcp_server: Serve
):
    server = Server(THREE)
    port = tcp_server(server)
    ask(agent, port, "/1", line="mine", keep=True)
    ask(agent, port, "/1", line="another")
    ask(agent, port, "/1")
    assert told(ask(agent, port, "/2", "/3", line="mine")) == [
        ("answered", b"", REUSED),
        ("answered", b"three", REUSED),
    ]
    assert told(ask(agent, port, "/3", line="mine")) == [("answered", b"three", FIRST)]
    assert server.heads == [["/1", "/2", "/3"], ["/1"], ["/1"], ["/3"]]


def test_a_kept_connection_of_one_name_is_not_used_for_another(
    agent: Agent, tls_server: Serve, certificate: Path
):
    ca = certificate.read_text(encoding="ascii").partition("-----BEGIN PRIVATE")[0]
    port = tls_server(Server(THREE))
    tls = {"server_name": "site.test", "ca": ca}
    (kept,) = ask(agent, port, "/1", tls=tls, line="mine", keep=True)
    (other,) = ask(agent, port, "/1", tls={**tls, "server_name": "other.test"}, line="mine")
    (untrusted,) = ask(agent, port, "/1", tls={**tls, "ca": ""}, line="mine")
    assert [kept.outcome, other.outcome, untrusted.outcome] == [
        "answered",
        "tls-error",
        "tls-error",
    ]


@pytest.mark.parametrize("agent", OLDEST_AND_NEWEST, indirect=True)
def test_a_kept_connection_that_nobody_takes_is_let_go(agent: Agent, tcp_server: Serve):
    ended: list[float] = []

    def handler(connection: socket.socket) -> None:
        Server(THREE)(connection)
        ended.append(time.monotonic())

    ask(agent, tcp_server(handler), "/1", line="mine", keep=True)
    assert ended == []
    deadline = time.monotonic() + 4
    while not ended and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(ended) == 1


def test_only_so_many_connections_are_kept(agent: Agent, tcp_server: Serve):
    server = Server(THREE)
    port = tcp_server(server)
    for number in range(9):
        ask(agent, port, "/1", line=str(number), keep=True)
    assert [
        ask(agent, port, "/2", line=str(number))[0].fields["reused"] for number in range(9)
    ] == [FIRST, *[REUSED] * 8]
