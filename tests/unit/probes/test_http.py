"""Does the judge of an HTTP exchange say how far it came, by which path, and what was answered?"""

from hashlib import sha256
from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.http import Http, http, judge
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes.seen import LOCAL, VANTAGE, WKP, answered, seen

NAME = "www.google.com"
NATIVE, SYNTHETIC = "2607:f8b0:4004:c17::6a", "64:ff9b::2cd2:6b5d"
BODY = b"<title>It works</title>"
CONNECTED = {"connect_s": 0.002}


def page(status="200 OK", body=BODY, *, remote=NATIVE, extra="", length=None):
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{extra}\r\n".encode()
    return answered(head + body, remote, 80, **CONNECTED)


def found(verdict, *, path=Path.NATIVE, remote=NATIVE, body=BODY, **what):
    ends = (
        {"local": LOCAL, "remote": Endpoint(IPv6Address(remote), 80), "path": path} if path else {}
    )
    if what.get("status"):
        what |= {"body_sha256": sha256(body).hexdigest(), "body_bytes": len(body)}
    return Http(
        vantage=VANTAGE, asked="GET http://x/", verdict=verdict, name_asked=NAME, **ends, **what
    )


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(page(), found("ok", status=200), id="native"),
        pytest.param(
            page(remote=SYNTHETIC),
            found("ok", status=200, path=Path.NAT64, remote=SYNTHETIC),
            id="nat64",
        ),
        pytest.param(
            page("302 Found", extra="Location: http://[::1]/\r\n"),
            found("redirected", status=302, location="http://[::1]/"),
            id="redirects-are-reported",
        ),
        pytest.param(page("404 Not Found"), found("status-404", status=404), id="404"),
        pytest.param(page("503 Busy"), found("status-503", status=503), id="503"),
        pytest.param(
            answered(b"220 smtp.example.com\r\n", NATIVE, 80), found("garbage"), id="not-http"
        ),
        pytest.param(
            Reply("timed-out", fields=CONNECTED),
            found("unanswered", path=None),
            id="connected-then-silence",
        ),
        pytest.param(
            Reply("timed-out", b"HTTP/1.1 200 OK\r\n", fields=CONNECTED),
            found("stalled", path=None),
            id="stops-half-way",
        ),
        pytest.param(
            Reply("closed", b"HTTP/1.1 200 OK\r\n", fields=CONNECTED),
            found("incomplete", path=None),
            id="closed-half-way",
        ),
        pytest.param(Reply("timed-out"), found("timed-out", path=None), id="silence"),
        pytest.param(Reply("name-error"), found("name-error", path=None), id="no-address"),
    ],
)
def test_judge(reply, expected):
    assert judge(seen(reply), asked="http://x/", name=NAME, secure=False) == expected


def test_a_prefix_of_the_networks_own_is_nat64_too():
    from ipaddress import IPv6Network

    at = seen(page(remote="2001:db8:64::1"), prefixes={IPv6Network("2001:db8:64::/96")})
    assert judge(at, asked="x", name=NAME, secure=False).path is Path.NAT64
    assert (
        judge(
            seen(page(remote="64:ff9b:1::1"), prefixes={WKP}), asked="x", name="", secure=False
        ).path
        is Path.NAT64
    )


def test_a_handshake_without_answer_is_told_from_a_page_without_one():
    silent = Reply("timed-out", fields=CONNECTED)
    shaken = Reply("timed-out", fields={**CONNECTED, "tls_s": 0.01})
    assert judge(seen(silent), asked="x", name=NAME, secure=True).verdict == "tls-unanswered"
    assert judge(seen(shaken), asked="x", name=NAME, secure=True).verdict == "unanswered"


@pytest.mark.parametrize(
    ("verdict", "layer"),
    [
        ("timed-out", Layer.TCP),
        ("refused", Layer.TCP),
        ("no-route", Layer.ROUTE),
        ("name-error", Layer.ANSWER),
        ("no-address", Layer.ADDRESS),
        ("tls-error", Layer.TLS),
        ("tls-unanswered", Layer.TLS),
        ("stalled", Layer.PATH_MTU),
        ("unanswered", Layer.HTTP),
        ("garbage", Layer.HTTP),
        ("status-503", Layer.HTTP),
    ],
)
def test_the_verdict_names_the_layer(verdict, layer):
    assert found(verdict).broken_layer is layer


def test_by_literal_the_name_is_still_in_the_request():
    ask = http.ask("https://www.google.com/a?b=c", address=IPv6Address(SYNTHETIC))
    (operation,) = ask.operations
    assert (operation["host"], operation["port"], operation["family"]) == (SYNTHETIC, 443, 6)
    assert operation["tls"]["server_name"] == NAME
    assert ask.judge(seen(Reply("timed-out"))).name_asked == ""


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/",
        "http:///",
        "http://192.0.2.1/",
        "http://[2001:db8::1",
        "x",
        "http://a b/",
        "http://user@host/",
        "http://x/\r\nX: y",
    ],
)
def test_what_cannot_be_asked_over_ipv6_is_refused(url):
    with pytest.raises(ValueError, match=r"."):
        http.ask(url)
