"""Is an API server asked as it wants to be, and is it said in one message why it cannot be?"""

import base64
import contextlib
import errno
import socket
from ipaddress import IPv6Address
from threading import Thread

import pytest

from pytest_v6probe.errors import DeadlinePassed, VantageUnreachable
from pytest_v6probe.lab.certificates import Certificate, authority
from pytest_v6probe.transport.pod import server
from pytest_v6probe.transport.pod.api import open_api
from tests.unit.transport.pod.failures import failure
from tests.unit.transport.pod.played import LOOPBACK, TOKEN, refusal, said


def test_the_token_is_in_every_request(fake):
    open_api(fake.spec()).close()
    assert fake.asked == ["GET /version"]
    assert f"Authorization: Bearer {TOKEN}" in fake.heads[0]
    assert f"Host: [::1]:{fake.port}" in fake.heads[0]


def test_the_server_may_have_a_path_and_a_name_of_its_own(play):
    fake = play(Certificate(name="api.test"))
    fake.script["GET /clusters/7/version"] = said(200, {})
    server_url = f"https://[::1]:{fake.port}/clusters/7/"
    open_api(fake.spec(server=server_url, **{"tls-server-name": "api.test"})).close()
    assert fake.asked == ["GET /clusters/7/version"]


def test_one_connection_serves_one_request_after_another(fake):
    dialled = []

    def dial(host, port, *, timeout_s):
        dialled.append((host, port))
        return socket.create_connection((host, port), timeout_s)

    api = open_api(fake.spec(), dial=dial)
    statuses = [api.get("/version").status for _ in range(3)]
    api.close()
    assert (statuses, dialled) == ([200] * 3, [("::1", fake.port)])


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew(fake):
    fake.script["GET /version"] = [said(200, {}, "Connection: keep-alive"), hang_up]
    api = open_api(fake.spec())
    assert (api.get("/version").status, len(fake.asked)) == (200, 3)
    api.close()


def hang_up(connection, _head):
    """Say nothing."""


def test_a_change_is_not_made_twice_where_the_connection_is_cut(fake):
    fake.script["POST /api/v1/namespaces"] = hang_up
    api = open_api(fake.spec())
    with pytest.raises(VantageUnreachable, match="ended without an answer"):
        api.create("/api/v1/namespaces", {})
    assert fake.asked.count("POST /api/v1/namespaces") == 1
    api.close()


@pytest.mark.parametrize(
    ("certificate", "reason", "expected"),
    [
        (
            Certificate(name="api.test", addresses=(LOOPBACK,), days=-1),
            "certificate-expired",
            "certificate has expired: the server's certificate has expired; renew it",
        ),
        (Certificate(name="other.test"), "certificate-name", "the address is not in the"),
        (
            Certificate(name="other.test", addresses=(IPv6Address("2001:db8::1"),)),
            "certificate-name",
            "set `tls-server-name`",
        ),
    ],
)
def test_a_server_that_cannot_be_trusted_is_said(play, certificate, reason, expected):
    kind, found, words = failure(play(certificate).spec())
    assert (kind, found, expected in words) == (VantageUnreachable, reason, True)


def test_a_server_of_another_name_is_said(fake):
    _, reason, words = failure(fake.spec(**{"tls-server-name": "other.test"}))
    assert (reason, "set `tls-server-name`" in words) == ("certificate-name", True)


def test_a_server_of_another_authority_is_said(fake):
    data = base64.b64encode(authority().pem.encode()).decode()
    _, reason, words = failure(fake.spec(**{"certificate-authority-data": data}))
    assert (reason, "of this cluster?" in words) == ("certificate-unknown", True)


def test_without_an_authority_the_machines_own_are_trusted(fake):
    _, reason, _ = failure(fake.spec(**{"certificate-authority-data": ""}))
    assert reason == "certificate-unknown"


def test_an_authority_that_is_no_certificate_is_said(fake):
    _, reason, words = failure(fake.spec(**{"certificate-authority-data": "eHg="}))
    assert (reason, "certificate-authority is no PEM" in words) == ("kubeconfig", True)


def test_a_port_where_nothing_listens_is_said(fake):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as closed:
        port = closed.getsockname()[1]
    kind, reason, words = failure(fake.spec(server=f"https://[::1]:{port}"))
    assert (kind, reason) == (VantageUnreachable, "refused")
    assert f"connection to [::1]:{port}" in words
    assert "is the API server running" in words


def test_a_name_that_does_not_resolve_is_said(fake):
    _, reason, words = failure(fake.spec(server="https://api.invalid"))
    assert (reason, "api.invalid" in words) == ("name-error", True)


def test_no_route_is_said(fake, monkeypatch):
    def refuse(self, _address):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert failure(fake.spec())[1] == "no-route"


@pytest.fixture
def stranger():
    """Makes a port that accepts, and then does something."""
    listeners = []

    def make(act):
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)

        def serve():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    act(connection)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        listeners.append((listener, thread))
        return f"https://[::1]:{listener.getsockname()[1]}"

    yield make
    for listener, thread in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        listener.close()


def until_closed(connection):
    while connection.recv(65536):
        pass


def test_a_port_that_is_silent_is_given_up_in_time(fake, stranger):
    kind, reason, words = failure(fake.spec(server=stranger(until_closed)), timeout_s=0.5)
    assert (kind, reason, "says nothing" in words) == (DeadlinePassed, "deadline-passed", True)


@pytest.mark.parametrize(
    "octets", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""]
)
def test_what_does_not_speak_tls_is_said(fake, stranger, octets):
    _, reason, words = failure(fake.spec(server=stranger(lambda sock: sock.sendall(octets))))
    assert (reason, "is it the API's port?" in words) == ("api-closed", True)


def test_a_server_that_says_nothing_is_given_up_in_time(fake):
    fake.script["GET /version"] = lambda connection, _head: until_closed(connection)
    kind, reason, words = failure(fake.spec(), timeout_s=0.5)
    assert (kind, reason) == (DeadlinePassed, "deadline-passed")
    assert "the API server did not answer in time" in words


def trickle(connection, _head):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.settimeout(0.05)
            connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                connection.recv(1)


def test_an_answer_that_trickles_has_the_same_deadline(fake):
    fake.script["GET /version"] = trickle
    assert failure(fake.spec(), timeout_s=0.5)[0] is DeadlinePassed


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "api-garbage"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "api-garbage"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "api-garbage"),
        (said(200, b"<html>"), "api-garbage"),
        (said(200, b"[1]"), "api-garbage"),
        (said(200, b"[" * 100000), "api-garbage"),
        (said(302, {}, "Location: https://login.test/"), "api-garbage"),
        (refusal(500, "etcd is gone"), "api-error"),
        (said(502, b"<html>"), "api-error"),
        (refusal(429, "slow down"), "api-busy"),
        (said(503, {}, "Retry-After: 3600"), "api-error"),
        (said(503, {}, "Retry-After: soon"), "api-error"),
    ],
)
def test_what_no_api_answers_in_earnest_is_said(fake, answer, reason):
    fake.script["GET /version"] = answer
    kind, found, _ = failure(fake.spec(), timeout_s=2.0)
    assert (kind, found, fake.asked) == (VantageUnreachable, reason, ["GET /version"])


def test_an_answer_without_end_is_given_up(fake, monkeypatch):
    monkeypatch.setattr(server, "MAX_BYTES", 1 << 16)

    def endless(connection, _head):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    api = open_api(fake.spec())
    fake.script["GET /api/v1/nodes"] = endless
    with pytest.raises(VantageUnreachable) as caught:
        api.list("/api/v1/nodes")
    assert caught.value.reason == "api-too-large"
    api.close()


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_when_is_asked_again(fake, monkeypatch, status):
    monkeypatch.setattr(server, "LEAST_WAIT_S", 0.05)
    fake.script["GET /version"] = [said(status, {}, "Retry-After: 0")] * 2
    open_api(fake.spec()).close()
    assert fake.asked == ["GET /version"] * 3
