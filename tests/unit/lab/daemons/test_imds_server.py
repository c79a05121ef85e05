"""Does the metadata service answer as AWS documents it?"""

from __future__ import annotations

import socket
import threading

import pytest

from pytest_v6probe.lab.daemons.imds_server import Service, listing, response, serve

PATHS = {
    "meta-data/hostname": "i-1.ec2.internal",
    "meta-data/placement/region": "us-east-1",
    "dynamic/x": "y",
}
OPTIONS = {
    "tokens": "optional",
    "endpoint": "enabled",
    "hop_limit": 2,
    "garbage": False,
    "instances": [
        {"sources": ["2001:db8::1/128", "169.254.1.1/32"], "paths": PATHS},
        {"sources": ["2001:db8:2::/80"], "paths": {"meta-data/hostname": "i-2.ec2.internal"}},
    ],
}
ME, OTHER, STRANGER = "2001:db8::1", "2001:db8:2::7", "2001:db8:3::1"
TTL = "x-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "x-aws-ec2-metadata-token"
HOSTNAME = "/latest/meta-data/hostname"


def service(**options: object) -> Service:
    return Service({**OPTIONS, **options})


def test_a_request_without_a_token_is_answered_where_tokens_are_optional():
    assert service().answer("GET", HOSTNAME, {}, ME) == (200, {}, "i-1.ec2.internal")


def test_a_request_without_a_token_is_refused_where_tokens_are_required():
    assert service(tokens="required").answer("GET", HOSTNAME, {}, ME) == (401, {}, "")


def test_a_token_opens_the_door_to_the_instance_it_was_given_to_and_no_other():
    asked = service(tokens="required")
    status, headers, token = asked.answer("PUT", "/latest/api/token", {TTL: "60"}, ME)
    assert (status, headers) == (200, {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "60"})
    assert asked.answer("GET", HOSTNAME, {TOKEN: token}, ME)[0] == 200
    assert asked.answer("GET", HOSTNAME, {TOKEN: token}, OTHER)[0] == 401


@pytest.mark.parametrize("tokens", ["optional", "required"])
def test_a_token_that_was_never_given_is_refused(tokens: str):
    assert service(tokens=tokens).answer("GET", HOSTNAME, {TOKEN: "made-up"}, ME)[0] == 401


def test_a_token_ends_with_its_time(monkeypatch):
    asked = service()
    token = asked.answer("PUT", "/latest/api/token", {TTL: "1"}, ME)[2]
    expires = asked._tokens[token][1]
    monkeypatch.setattr("pytest_v6probe.lab.daemons.imds_server.time.monotonic", lambda: expires)
    assert asked.answer("GET", HOSTNAME, {TOKEN: token}, ME)[0] == 401


@pytest.mark.parametrize("ttl", ["", "0", "21601", "-1", "1.5", "x", "9" * 400])
def test_a_token_request_without_a_lifetime_between_1_and_21600_is_bad(ttl: str):
    assert service().answer("PUT", "/latest/api/token", {TTL: ttl}, ME)[0] == 400


def test_a_token_request_that_passed_a_proxy_is_forbidden():
    headers = {TTL: "60", "x-forwarded-for": "203.0.113.1"}
    assert service().answer("PUT", "/latest/api/token", headers, ME)[0] == 403


def test_other_methods_are_not_allowed():
    assert service().answer("POST", HOSTNAME, {}, ME)[:2] == (405, {"Allow": "OPTIONS, GET, HEAD"})


def test_a_service_that_is_switched_off_forbids_everything():
    off = service(endpoint="disabled")
    assert {
        off.answer(method, HOSTNAME, {TTL: "9"}, ME)[0] for method in ("GET", "PUT", "POST")
    } == {403}


def test_an_instance_sees_its_own_data_and_a_stranger_none():
    asked = service()
    assert asked.answer("GET", HOSTNAME, {}, OTHER)[2] == "i-2.ec2.internal"
    assert asked.answer("GET", HOSTNAME, {}, "169.254.1.1")[2] == "i-1.ec2.internal"
    assert asked.answer("GET", HOSTNAME, {}, STRANGER)[0] == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/latest", "meta-data/\ndynamic/"),
        ("/latest/meta-data", "hostname\nplacement/"),
        ("/latest/meta-data/placement", "region"),
        ("/latest/meta-data/hostname", "i-1.ec2.internal"),
        ("/latest/meta-data/host", None),
        ("/other", None),
    ],
)
def test_directories_list_what_is_below_them(path: str, body: str | None):
    assert listing(PATHS, path) == body


def test_slashes_are_forgiven():
    assert service().answer("GET", "//latest//meta-data/hostname/?x=1", {}, ME)[0] == 200


def test_a_head_request_gets_no_body():
    answer = response("HEAD", 200, {}, "body", stays=True)
    assert answer.endswith(b"\r\n\r\n")
    assert b"Content-Length: 4\r\n" in answer


def exchange(asked: Service, octets: bytes) -> bytes:
    ours, theirs = socket.socketpair()
    answering = threading.Thread(target=serve, args=(asked, theirs, ME))
    answering.start()
    with ours:
        ours.sendall(octets)
        ours.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: ours.recv(65536), b""))
    answering.join()
    return answer


def test_one_connection_carries_several_requests():
    request = f"GET {HOSTNAME} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert exchange(service(), request * 3).count(b"HTTP/1.1 200 OK\r\n") == 3


def test_a_connection_is_closed_when_the_client_wants_it():
    request = f"GET {HOSTNAME} HTTP/1.1\r\nConnection: close\r\n\r\n".encode()
    assert exchange(service(), request * 3).count(b"HTTP/1.1") == 1


def test_garbage_is_no_http():
    assert not exchange(service(garbage=True), b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP")


@pytest.mark.parametrize(
    "octets",
    [b"", b"\r\n", b"GET /\r\n", b"\xff" * 100, b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n"],
)
def test_what_is_no_request_gets_no_answer(octets: bytes):
    assert exchange(service(), octets) == b""
