"""Are HTTP requests safe to send and responses read as RFC 9112 frames them?"""

import io
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc import rfc9112
from pytest_v6probe.rfc.rfc9112 import Response

IMDS = IPv6Address("fd00:ec2::254")


def test_the_token_request_of_the_metadata_service_is_written_out():
    seconds = ("X-aws-ec2-metadata-token-ttl-seconds", "60")
    assert rfc9112.request("PUT", IMDS, "/latest/api/token", [seconds]) == (
        b"PUT /latest/api/token HTTP/1.1\r\nHost: [fd00:ec2::254]\r\n"
        b"X-aws-ec2-metadata-token-ttl-seconds: 60\r\nConnection: close\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("host", "line"),
    [
        (IMDS, b"[fd00:ec2::254]"),
        ("fd00:ec2::254", b"[fd00:ec2::254]"),
        ("[2001:db8::1]:8080", b"[2001:db8::1]:8080"),
        (IPv4Address("192.0.2.1"), b"192.0.2.1"),
        ("www.example.com", b"www.example.com"),
        ("www.example.com:8080", b"www.example.com:8080"),
        (IPv6Address("fe80::a9fe:a9fe%eth0"), b"[fe80::a9fe:a9fe]"),
    ],
)
def test_the_host_field_brackets_literals_and_drops_their_zone(host, line):
    assert rfc9112.request("GET", host, "/") == (
        b"GET / HTTP/1.1\r\nHost: " + line + b"\r\nConnection: close\r\n\r\n"
    )


def test_what_the_caller_gives_is_not_said_twice():
    given_fields = [("host", "a"), ("connection", "keep-alive"), ("content-length", "0")]
    assert rfc9112.request("POST", "b", "/", given_fields) == (
        b"POST / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("method", "host", "target", "headers"),
    [
        ("GET /\r\nX:", "a", "/", ()),
        ("", "a", "/", ()),
        ("G T", "a", "/", ()),
        ("GET", "a\r\nX: y", "/", ()),
        ("GET", "", "/", ()),
        ("GET", "a b", "/", ()),
        ("GET", "a/b", "/", ()),
        ("GET", "a@b:c:d", "/", ()),
        ("GET", "[::1", "/", ()),
        ("GET", "a", "/ HTTP/1.1\r\nX: y", ()),
        ("GET", "a", "", ()),
        ("GET", "a", "/\x00", ()),
        ("GET", "a", "/é", ()),
        ("GET", "a", "/#part", ()),
        ("GET", "a", "/", [("X: y\r\nZ", "1")]),
        ("GET", "a", "/", [("X", "1\r\nZ: 2")]),
        ("GET", "a", "/", [("X", "1\nZ: 2")]),
        ("GET", "a", "/", [("X", "\x00")]),
        ("GET", "a", "/", [("X", " 1")]),
        ("GET", "a", "/", [("", "1")]),
        ("GET", "a", "/", [("X", "1\n")]),
        ("GET", "a\n", "/", ()),
        ("GET", "a", "/\n", ()),
    ],
)
def test_nothing_can_start_another_line(method, host, target, headers):
    with pytest.raises(ValueError, match=r"not (an HTTP method|the host|a request|a header)"):
        rfc9112.request(method, host, target, headers)


texts = st.one_of(st.text(max_size=12), st.sampled_from(["a", "/", "GET", "a\r\nb: c"]))


@given(texts, texts, texts, st.lists(st.tuples(texts, texts), max_size=3))
def test_a_request_has_the_lines_it_was_given_or_is_a_value_error(method, host, target, headers):
    try:
        octets = rfc9112.request(method, host, target, headers)
    except ValueError:
        return
    head, end = octets.split(b"\r\n\r\n")
    names = [line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
    own = {b"host", b"connection", b"content-length"} - {
        name.lower().encode() for name, _ in headers
    }
    assert end == b""
    assert sorted(set(names) - own) == sorted({name.lower().encode() for name, _ in headers})
    assert head.count(b"\n") == head.count(b"\r") == len(names)


def ok(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode("latin-1") + body


@pytest.mark.parametrize(
    ("octets", "ended", "expected"),
    [
        (ok("Content-Length: 3", body=b"abc"), False, (200, b"abc", True)),
        (ok("Content-Length: 3", body=b"abcEXTRA"), False, (200, b"abc", True)),
        (ok("Content-Length: 3", body=b"ab"), False, (200, b"ab", False)),
        (ok("Content-Length: 3", body=b"ab"), True, (200, b"ab", False)),
        (ok("Content-Length: 0"), False, (200, b"", True)),
        (ok(body=b"abc"), False, (200, b"abc", False)),
        (ok(body=b"abc"), True, (200, b"abc", True)),
        (
            ok("Transfer-Encoding: chunked", body=b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"),
            False,
            (200, b"abcde", True),
        ),
        (
            ok("Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2\r\nd"),
            False,
            (200, b"abcd", False),
        ),
        (ok("Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n"), True, (200, b"abc", False)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, (204, b"", True)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", False, (304, b"", True)),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", True, (200, b"abc", True)),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok("Content-Length: 0"),
            False,
            (200, b"", True),
        ),
        (b"HTTP/1.1 401 Unauthorized\nContent-Length: 0\n\n", False, (401, b"", True)),
        (b"HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n", False, (599, b"", True)),
    ],
)
def test_a_body_ends_where_section_6_3_says(octets, ended, expected):
    seen = rfc9112.parse(octets, ended=ended)
    assert (seen.status, seen.body, seen.complete) == expected


def test_the_whole_response_is_read():
    octets = ok("Server: EC2ws", "X-A:  1 ", "x-a: 2", "Content-Length: 2", body=b"hi")
    seen = rfc9112.parse(octets, ended=False)
    assert seen == Response(
        status=200,
        reason="OK",
        body=b"hi",
        complete=True,
        headers=(("server", "EC2ws"), ("x-a", "1"), ("x-a", "2"), ("content-length", "2")),
    )
    assert (seen.header("X-A"), seen.header("Server"), seen.header("none")) == ("1, 2", "EC2ws", "")


def test_the_answer_to_head_has_no_body():
    seen = rfc9112.parse(ok("Content-Length: 900"), ended=False, method="HEAD")
    assert (seen.body, seen.complete) == (b"", True)


@pytest.mark.parametrize(
    ("octets", "ended", "why"),
    [
        (b"", True, "no whole response head in 0 octets, and the connection ended"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", False, "no whole response head in 23 octets"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", False, "not an HTTP response"),
        (b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n", False, "not an HTTP response"),
        (b"HTTP/1.1 abc OK\r\n\r\n", False, "not an HTTP response"),
        (b"HTTP/1.1 99 OK\r\n\r\n", False, "not an HTTP response"),
        (b"GET / HTTP/1.1\r\n\r\n", False, "not an HTTP response"),
        (ok("A b: c"), False, "not an HTTP response"),
        (ok("Content-Length: 1", "Content-Length: 2"), False, "not an HTTP response"),
        (ok("Content-Length: -1"), False, "not an HTTP response"),
        (ok("Transfer-Encoding: gzip"), False, "not an HTTP response"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", False, "not an HTTP response"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * rfc9112.MAX_HEAD_BYTES, False, "not an HTTP response"),
        (
            ok("Transfer-Encoding: chunked", body=b"zz\r\nabc"),
            False,
            "body of the response is broken",
        ),
        (
            ok("Transfer-Encoding: chunked", body=b"ffffffffffffffffffffff\r\n"),
            False,
            "body of the response is broken",
        ),
    ],
)
def test_what_is_no_response_is_a_value_error(octets, ended, why):
    with pytest.raises(ValueError, match=why):
        rfc9112.parse(octets, ended=ended)


tokens = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=8)
values = st.text("abc 123;=,", max_size=12).map(str.strip)


@st.composite
def responses(draw):
    """A response that frames its body in one of the three ways, and the body."""
    parts = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=4))
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    fields = [
        f"x-{name}: {value}"
        for name, value in draw(st.lists(st.tuples(tokens, values), max_size=4))
    ]
    body = b"".join(parts)
    if framing == "length":
        return ok(*fields, f"Content-Length: {len(body)}", body=body)
    if framing == "close":
        return ok(*fields, body=body)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return ok("Transfer-Encoding: chunked", *fields, body=chunks + b"0\r\n\r\n")


class Tape:
    """What http.client wants of a socket."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self.octets)


@given(responses())
def test_http_client_reads_the_same(octets):
    theirs = HTTPResponse(Tape(octets))  # type: ignore[arg-type]  # only makefile() is used
    theirs.begin()
    ours = rfc9112.parse(octets, ended=True)
    assert ours == Response(
        status=theirs.status,
        reason=theirs.reason,
        body=theirs.read(),
        complete=True,
        headers=tuple((name.lower(), value.strip()) for name, value in theirs.getheaders()),
    )


@given(responses(), st.data())
def test_a_cut_response_is_incomplete_or_a_value_error(octets, data):
    cut = octets[: data.draw(st.integers(0, len(octets) - 1))]
    whole = rfc9112.parse(octets, ended=True)
    if b"\r\n\r\n" in cut:
        seen = rfc9112.parse(cut, ended=False)
        assert whole.body.startswith(seen.body)
        assert not seen.complete
    else:
        with pytest.raises(ValueError, match="no whole response head"):
            rfc9112.parse(cut, ended=False)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda b: ok(body=b)),
        st.binary(max_size=99).map(lambda b: ok("Transfer-Encoding: chunked", body=b"1\r\n" + b)),
    ),
    st.booleans(),
    st.sampled_from(["GET", "HEAD", "PUT"]),
)
def test_any_octets_give_a_response_or_a_value_error(octets, ended, method):
    try:
        seen = rfc9112.parse(octets, ended=ended, method=method)
    except ValueError:
        seen = None
    assert seen is None or 200 <= seen.status <= 999


@pytest.mark.parametrize(
    "octets",
    [
        ok("Transfer-Encoding: chunked", body=b"1\r\na\r\n" * 40_000),
        b"HTTP/1.1 100 x\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 15_000 + b"\r\n",
        b"\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nA: b\r\n " + b" \r\n " * 15_000 + b"\r\n\r\n",
    ],
    ids=["tiny-chunks", "endless-100", "many-fields", "blank-lines", "folded-lines"],
)
def test_hostile_octets_are_read_in_bounded_time(octets):
    before = perf_counter()
    with suppress(ValueError):
        assert rfc9112.parse(octets, ended=True).status == 200
    assert perf_counter() - before < 5.0


def test_http_client_and_this_reader_agree_on_a_status_line_without_reason():
    octets = b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"
    theirs = HTTPResponse(Tape(octets))  # type: ignore[arg-type]  # only makefile() is used
    theirs.begin()
    assert (theirs.status, theirs.reason) == (200, "")
    assert rfc9112.parse(octets, ended=False).reason == ""
    with pytest.raises(HTTPException):
        HTTPResponse(Tape(b"SSH-2.0-x\r\n")).begin()  # type: ignore[arg-type]  # as above
