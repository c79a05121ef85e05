"""Does a hostile engine get no more than its time and its octets?"""

import contextlib
import time
import tracemalloc
from functools import partial

import pytest

from pytest_v6probe.errors import DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.transport.docker import http
from tests.unit.transport.docker.played import said

OK = b"HTTP/1.1 200 OK\r\n"
INSPECT = "GET /containers/web/json"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def endless(head, octets):
    def send(connection):
        connection.sendall(head)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(octets)

    return send


def stops(octets):
    def send(connection):
        connection.sendall(octets)
        connection.recv(1)

    return send


def drips(connection):
    connection.sendall(OK + b"\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b" ")
            time.sleep(0.05)


HOSTILE = {
    "endless-chunks": (endless(CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n"), "docker-garbage"),
    "endless-body": (endless(OK + b"\r\n", bytes(65536)), "docker-garbage"),
    "endless-headers": (endless(OK, b"X: y\r\n"), "docker-garbage"),
    "endless-status": (endless(b"HTTP/1.1 100 ", b"x" * 65536), "docker-garbage"),
    "endless-continues": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "docker-garbage"),
    "endless-chunk-size": (endless(CHUNKED, b"1" * 65536), "docker-garbage"),
    "not-http": (b"SSH-2.0-OpenSSH_9.2\r\n", "docker-garbage"),
    "not-json": (said(200, b"\x1b[2J<html>"), "docker-garbage"),
    "not-an-object": (said(200, []), "docker-garbage"),
    "deep": (said(200, b"[" * 200_000), "docker-garbage"),
    "half": (OK + b"Content-Length: 100\r\n\r\n{", "docker-garbage"),
    "negative": (OK + b"Content-Length: -1\r\n\r\n{}x", "docker-garbage"),
    "hangs-up": (b"", "docker-unreachable"),
    "stops-at-once": (stops(b""), "deadline-passed"),
    "stops-in-the-head": (stops(OK), "deadline-passed"),
    "stops-in-the-body": (stops(CHUNKED + b"5\r\nab"), "deadline-passed"),
    "drips": (drips, "deadline-passed"),
}


@pytest.mark.parametrize("call", ["/version", "/containers/web/json"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_unobserved_in_time_and_in_bounds(play, opened, name, call):
    script, reason = HOSTILE[name]
    fake = play()
    ask = partial(opened, fake) if call == "/version" else partial(opened(fake).inspect, "web")
    fake.script[f"GET {call}"] = script
    tracemalloc.start()
    begun = time.monotonic()
    with pytest.raises(Unobserved) as caught:
        ask(timeout_s=0.5 if reason == "deadline-passed" else 5)
    took_s, peak = time.monotonic() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == reason
    assert str(caught.value).isprintable()
    assert took_s < 5
    assert peak < 8 * http.MAX_BYTES


def test_a_redirect_is_not_followed(play, opened):
    fake = play()
    engine = opened(fake)
    away = b"HTTP/1.1 307 X\r\nLocation: http://[fd00:ec2::254]/\r\nContent-Length: 0\r\n\r\n"
    fake.script[INSPECT] = away
    with pytest.raises(VantageUnreachable) as caught:
        engine.inspect("web")
    assert caught.value.reason == "docker-garbage"
    assert fake.asked.count(INSPECT) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 what\r\n\r\n", "docker-garbage"),
        (b"\r\n\r\n", "docker-garbage"),
        (endless(b"", b"x" * 1000), "docker-garbage"),
        (stops(b"HTTP/1.1 101"), "deadline-passed"),
        (b"", "docker-unreachable"),
    ],
)
def test_a_hostile_answer_to_an_exec_is_unobserved(play, opened, answer, reason):
    fake = play({"POST /exec/0/start": answer})
    engine = opened(fake)
    with pytest.raises(Unobserved) as caught:
        engine.execute("web", ["true"], timeout_s=1)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"message": "no\\n such"}', "no such"),
        (b'{"message": 1}', '{"message": 1}'),
        (b"\x1b[2J", "\N{REPLACEMENT CHARACTER}[2J"),
        (b"[" * 200_000, "[" * 500),
    ],
)
def test_the_message_of_a_refusal_is_printable_and_short(body, expected):
    assert http.message(body) == expected


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("sh: 1: docker: not found", "docker-no-cli"),
        ("nsenter: failed to execute docker: No such file or directory", "docker-no-cli"),
        ("docker: 'dial-stdio' is not a docker command.", "docker-no-cli"),
        ("dial unix /x.sock: connect: no such file or directory", "docker-unreachable"),
        ("Cannot connect to the Docker daemon at unix:///x.sock.", "docker-unreachable"),
        ("FileNotFoundError: [Errno 2] No such file or directory", "docker-unreachable"),
        ("dial unix /x.sock: connect: permission denied", "docker-forbidden"),
        ("PermissionError: [Errno 13] Permission denied", "docker-forbidden"),
        ("sudo: a password is required", "docker-forbidden"),
    ],
)
def test_last_words_tell_why_an_engine_is_not_reached(words, reason):
    assert http.gone("x", words).reason == reason


def test_a_deadline_is_for_all_of_an_answer(play, opened):
    with pytest.raises(DeadlinePassed, match="did not answer in time"):
        opened(play({"GET /version": drips}), timeout_s=0.4)
