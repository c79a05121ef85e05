"""What does the agent say of TCP services, well-behaved, broken and hostile?"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import pytest

from pytest_v6probe.agent import payload_streams, wire
from pytest_v6probe.agent.client import Agent
from pytest_v6probe.agent.payload import IPV6, RECVERR
from pytest_v6probe.agent.wire import Reply
from tests.unit.agent.world import World

LOOPBACK = IPv6Address("::1")
Serve = Callable[[Callable[[socket.socket], None]], int]


def ask(agent: Agent, port: int, **kwargs) -> Reply:
    return agent.run([wire.stream(LOOPBACK, port, **kwargs)])[0]


def says(octets: bytes, *, then: str = "wait") -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        connection.sendall(octets)
        if then == "wait":
            connection.recv(1)
        elif then == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return handler


def test_a_connection_is_told_with_both_ends_and_its_path_mtu(agent: Agent, tcp_server: Serve):
    port = tcp_server(says(b""))
    reply = ask(agent, port)
    assert (reply.outcome, reply.payload) == ("answered", b"")
    assert str(reply.remote) == f"[::1]:{port}"
    assert str(reply.local).startswith("[::1]:")
    assert reply.fields["addresses"] == ["::1"]
    assert reply.fields["path_mtu"] == 65536
    assert 0 < reply.fields["connect_s"] <= reply.elapsed_s


def test_a_closed_port_refuses(agent: Agent):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
    reply = ask(agent, port)
    assert (reply.outcome, reply.detail) == ("refused", "ECONNREFUSED")
    assert str(reply.remote) == f"[::1]:{port}"


@pytest.mark.parametrize(
    ("far", "router", "said"),
    [("2001:db8:1::1", "2001:db8::1", (1, 0)), ("198.51.100.1", "192.0.2.1", (3, 0))],
    ids=["ipv6", "ipv4"],
)
def test_what_a_router_says_of_the_first_syn_ends_the_attempt(
    routed: World, far: str, router: str, said: tuple[int, int]
):
    """The second would be sent after a second (RFC 6298 §2.1); it comes while connect(2) runs."""
    with contextlib.closing(routed.agent()) as asked:
        reply = asked.run([wire.stream(ip_address(far), 80, timeout_s=0.9)])[0]
    assert (reply.outcome, reply.detail) == ("no-route", "ENETUNREACH")
    icmp = reply.fields["icmp"]
    assert (icmp["type"], icmp["code"], icmp["from"]) == (*said, router)


def test_an_icmp_error_does_not_end_a_connection_that_stands():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        op = wire.stream(LOOPBACK, listener.getsockname()[1])
        work = payload_streams.connection(op, {}, time.monotonic() + 5)
        next(work)
        with pytest.raises(StopIteration) as connected:
            work.send([True])
        with connected.value.value as sock:
            assert sock.getpeername()[1] == op["port"]
            assert sock.getsockopt(IPV6, RECVERR[IPV6]) == 0


def test_an_ipv4_mapped_literal_has_no_route_since_it_is_no_ipv6(agent: Agent):
    reply = agent.run([wire.stream(IPv6Address("::ffff:127.0.0.1"), 80)])[0]
    assert (reply.outcome, reply.detail) == ("no-route", "an IPv4-mapped address")


def test_a_name_that_only_has_ipv4_does_not_lead_to_ipv4(agent: Agent, tcp_server: Serve):
    reply = agent.run([wire.stream("ipv4-only.invalid", tcp_server(says(b"")))])[0]
    assert reply.outcome == "name-error"
    assert reply.detail.startswith("EAI_")


RESPONSES = {
    "content-length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n",
    "no-content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not-modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "after-continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "bare-line-feeds": b"HTTP/1.0 200 OK\nContent-Length: 2\n\nok",
    "not-http": b"SSH-2.0-OpenSSH_9.2p1\r\n",
}


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_a_response_is_complete_without_the_end_of_the_stream(
    agent: Agent, tcp_server: Serve, response: bytes
):
    reply = ask(agent, tcp_server(says(response)), send=b"GET / HTTP/1.1\r\n\r\n", until="http")
    assert (reply.outcome, reply.payload) == ("answered", response)
    assert reply.fields["received_bytes"] == len(response)
    assert reply.fields["first_byte_s"] >= 0


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_a_response_is_understood_octet_by_octet(agent: Agent, tcp_server: Serve, response: bytes):
    def handler(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in response:
            connection.sendall(bytes([octet]))
        connection.recv(1)

    reply = ask(agent, tcp_server(handler), until="http")
    assert (reply.outcome, reply.payload) == ("answered", response)


@pytest.mark.parametrize(
    ("until", "said", "outcome"),
    [
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", "closed"),
        ("http", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "closed"),
        ("http", b"HTTP/1.1 200 OK\r\n\r\nhello", "answered"),
        ("http", b"", "closed"),
        ("line", b"220 no end of line", "closed"),
        ("line", b"220 hello\r\n", "answered"),
        ("u16", b"\x00\x05hell", "closed"),
        ("u16", b"\x00\x05hello", "answered"),
        ("u16", b"\x00\x00", "answered"),
        ("eof", b"whatever", "answered"),
    ],
)
def test_the_end_of_the_stream_completes_only_what_has_no_other_end(
    agent: Agent, tcp_server: Serve, until: str, said: bytes, outcome: str
):
    reply = ask(agent, tcp_server(says(said, then="close")), until=until)
    assert (reply.outcome, reply.payload) == (outcome, said)


def test_a_reset_is_a_reset(agent: Agent, tcp_server: Serve):
    def handler(connection: socket.socket) -> None:
        connection.recv(5)
        says(b"", then="reset")(connection)

    reply = ask(agent, tcp_server(handler), send=b"hello", until="line")
    assert (reply.outcome, reply.detail) == ("reset", "ECONNRESET")


def test_a_server_that_trickles_is_cut_off_in_time_and_what_came_is_kept(
    agent: Agent, tcp_server: Serve
):
    def handler(connection: socket.socket) -> None:
        while True:
            connection.sendall(b".")
            time.sleep(0.02)

    begun = time.monotonic()
    reply = ask(agent, tcp_server(handler), until="line", timeout_s=0.3)
    assert reply.outcome == "timed-out"
    assert set(reply.payload) == set(b".")
    assert 0.25 < reply.elapsed_s < 1
    assert time.monotonic() - begun < 2


def endless(octets: bytes) -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        if octets.startswith(b"1\r\n"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(octets)

    return handler


@pytest.mark.parametrize(
    ("until", "octets"),
    [
        ("eof", b"x" * 65536),
        ("line", b"x" * 65536),
        ("http", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 65536),
        ("http", b"1\r\nx\r\n" * 9999),
    ],
)
def test_endless_data_is_read_only_up_to_the_limit(
    agent: Agent, tcp_server: Serve, until: str, octets: bytes
):
    before = resident_kb(agent)
    reply = ask(
        agent,
        tcp_server(endless(octets)),
        until=until,
        max_bytes=4 << 20,
        keep_bytes=1000,
        timeout_s=20,
    )
    assert reply.outcome == "too-large"
    assert len(reply.payload) == 1000
    assert reply.fields["received_bytes"] <= (4 << 20) + 16384
    assert resident_kb(agent) - before < 4096


def resident_kb(agent: Agent) -> int:
    status = Path(f"/proc/{agent.hello['pid']}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.parametrize(
    "junk", [b"zz\r\n", b"\r\n\r\n\r\n", b"-5\r\n\r\n", b"1" * 99999 + b"\r\n"]
)
def test_chunks_that_make_no_sense_are_an_outcome(agent: Agent, tcp_server: Serve, junk: bytes):
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + junk
    reply = ask(agent, tcp_server(says(response, then="close")), until="http", max_bytes=1 << 20)
    assert reply.outcome in {"error", "closed", "too-large", "reset"}


def test_a_large_answer_fits_whole(agent: Agent, tcp_server: Serve):
    body = bytes(range(256)) * 4096
    reply = ask(
        agent,
        tcp_server(says(body, then="close")),
        until="eof",
        max_bytes=1 << 21,
        keep_bytes=1 << 20,
    )
    assert (reply.outcome, reply.payload == body) == ("answered", True)


def test_a_verified_handshake_tells_version_cipher_alpn_and_certificate(
    agent: Agent, tls_server: Serve, certificate: Path
):
    tls = {"server_name": "site.test", "alpn": ["http/1.1"], "ca": authority(certificate)}
    reply = ask(agent, tls_server(says(b"hello\n")), until="line", tls=tls)
    assert (reply.outcome, reply.payload) == ("answered", b"hello\n")
    said = reply.fields["tls"]
    assert said["version"] in {"TLSv1.2", "TLSv1.3"}
    assert said["alpn"] == "http/1.1"
    assert said["certificate"].startswith("MII")
    assert 0 < reply.fields["tls_s"] < reply.elapsed_s


def test_a_certificate_may_be_for_a_literal_address(
    agent: Agent, tls_server: Serve, certificate: Path
):
    reply = ask(agent, tls_server(says(b"")), tls={"ca": authority(certificate)})
    assert reply.outcome == "answered"


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ({"server_name": "other.test"}, "other.test"),
        ({"server_name": "site.test", "ca": ""}, "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_a_certificate_that_does_not_verify_is_a_tls_error(
    agent: Agent, tls_server: Serve, certificate: Path, tls: dict[str, str], said: str
):
    reply = ask(agent, tls_server(says(b"")), tls={"ca": authority(certificate), **tls})
    assert reply.outcome == "tls-error"
    assert said in reply.detail


@pytest.mark.parametrize(
    ("junk", "outcome"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls-error"),
        (b"\x16\x03\x01\xff\xff" + b"\x00" * 99, "tls-error"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "tls-error"),
        (b"", "tls-error"),
    ],
)
def test_junk_instead_of_a_handshake_is_a_tls_error(
    agent: Agent, tcp_server: Serve, junk: bytes, outcome: str
):
    def handler(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(junk)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)

    reply = ask(agent, tcp_server(handler), tls={"server_name": "site.test"}, timeout_s=2)
    assert (reply.outcome, bool(reply.detail)) == (outcome, True)


def test_a_handshake_that_stalls_times_out(agent: Agent, tcp_server: Serve):
    def handler(connection: socket.socket) -> None:
        with contextlib.suppress(TimeoutError):
            while connection.recv(65536):
                pass

    reply = ask(agent, tcp_server(handler), tls={"server_name": "site.test"}, timeout_s=0.3)
    assert reply.outcome == "timed-out"
    assert reply.fields["connect_s"] >= 0


def authority(certificate: Path) -> str:
    return certificate.read_text(encoding="ascii").partition("-----BEGIN PRIVATE")[0]
