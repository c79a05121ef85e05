"""Does the judge read the metadata service's answers, and does the token stay where it belongs?"""

from ipaddress import IPv6Address
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.clouds.model import Metadata
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.probes.imds import (
    Imds,
    imds,
    imds_without_token,
    judge,
    read_token,
    token_request,
    value_request,
)
from pytest_v6probe.result import Endpoint, Finding, Layer, Path
from pytest_v6probe.vantage import Vantage
from tests.unit.probes.seen import LOCAL, VANTAGE, answered, seen

ADDRESS = IPv6Address("fd00:ec2::254")
SERVICE = Metadata(
    address=ADDRESS,
    hostname_path="/hostname",
    token_path="/token",
    token_headers=(("X-TTL", "60"),),
    token_header="X-Token",
)
HOSTNAME = b"i-097019ae9f2908087.ec2.internal"
TOKEN = b"AQAEAPsecretsecretsecret=="
CONNECTED = {"connect_s": 0.001}


def page(body=HOSTNAME, status="200 OK", length=None, extra=b""):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n".encode()
    return answered(head + extra + b"\r\n" + body, str(ADDRESS), 80)


def found(verdict, *, of=True, **what):
    ends: dict[str, Any] = (
        {"local": LOCAL, "remote": Endpoint(ADDRESS, 80), "path": Path.NATIVE} if of else {}
    )
    return Imds(vantage=VANTAGE, asked="metadata /hostname", verdict=verdict, **ends, **what)


ENDLESS = Reply("too-large", b"HTTP/1.1 200 OK\r\n\r\n" + bytes(70000))
TRICKLE = Reply("timed-out", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ni-0", fields=CONNECTED)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(page(), found("answered", value=HOSTNAME.decode()), id="a-value"),
        pytest.param(page(b"", "401 Unauthorized"), found("token-required"), id="401"),
        pytest.param(page(b"", "403 Forbidden"), found("off"), id="403"),
        pytest.param(page(b"", "404 Not Found"), found("not-found"), id="404"),
        pytest.param(page(b"", "500 Oops"), found("status-500"), id="500"),
        pytest.param(
            page(b"", "302 Found", extra=b"Location: http://elsewhere.example/\r\n"),
            found("redirected"),
            id="redirects-are-not-followed",
        ),
        pytest.param(page(b"\xff\xfe\x00"), found("garbage"), id="not-text"),
        pytest.param(page(b""), found("garbage"), id="empty"),
        pytest.param(
            answered(b"SSH-2.0-OpenSSH\r\n", str(ADDRESS), 80), found("garbage"), id="not-http"
        ),
        pytest.param(ENDLESS, found("oversized", of=False), id="endless"),
        pytest.param(TRICKLE, found("stalled", of=False), id="trickling"),
        pytest.param(
            Reply("timed-out", fields=CONNECTED),
            found("unanswered", of=False),
            id="connects-and-is-silent",
        ),
        pytest.param(Reply("timed-out"), found("timed-out", of=False), id="silence"),
        pytest.param(Reply("refused"), found("refused", of=False), id="refused"),
    ],
)
def test_judge(reply, expected):
    assert judge(seen(reply), asked="/hostname", allowed="answered") == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (page(TOKEN), ("ok", TOKEN.decode())),
        (page(b"", "403 Forbidden"), ("off", "")),
        (page(b"", "400 Bad Request"), ("token-refused", "")),
        (page(b"", "405 Not Allowed"), ("token-refused", "")),
        (page(b"", "302 Found"), ("redirected", "")),
        (page(b"x" * 2000), ("garbage", "")),
        (page("schlüssel".encode()), ("garbage", "")),
        (page(b"two\nlines"), ("garbage", "")),
        (page(TOKEN, length=99), ("incomplete", "")),
        (ENDLESS, ("oversized", "")),
        (Reply("timed-out", fields=CONNECTED), ("token-unanswered", "")),
        (Reply("timed-out"), ("timed-out", "")),
    ],
)
def test_read_token(reply, expected):
    assert read_token(reply) == expected


class Scripted:
    """An agent that gives the replies it was told."""

    def __init__(self, *replies):
        self.replies, self.asked = list(replies), []

    def run(self, operations):
        self.asked += operations
        return [self.replies.pop(0) for _ in operations]


def vantage(agent, witnessed):
    return Vantage(
        name=VANTAGE,
        region="",
        host=Host(name="web-1"),
        connect=lambda: agent,
        prefixes=lambda _: frozenset(),
        witness=witnessed.append,
    )


def test_the_value_is_asked_with_the_token_and_the_token_is_told_to_nobody():
    agent, witnessed = Scripted(page(TOKEN), page()), list[Finding]()
    finding = imds(vantage(agent, witnessed), "/hostname", service=SERVICE)
    assert finding == found("answered", value=HOSTNAME.decode())
    assert agent.asked == [
        token_request(SERVICE, timeout_s=3.0),
        value_request(SERVICE, "/hostname", token=TOKEN.decode(), timeout_s=3.0),
    ]
    assert witnessed == [finding]
    assert TOKEN.decode() not in repr(finding)


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (page(b"x" * 2000 + TOKEN), "garbage"),
        (Reply("timed-out", fields=CONNECTED), "token-unanswered"),
        (Reply("refused"), "refused"),
    ],
)
def test_without_a_token_the_value_is_not_asked(reply, verdict):
    agent = Scripted(reply)
    finding = imds(vantage(agent, []), "/hostname", service=SERVICE)
    assert finding.verdict == verdict
    assert TOKEN.decode() not in repr(finding)
    assert len(agent.asked) == 1


def test_the_request_without_token_carries_none():
    (operation,) = imds_without_token.ask("/hostname", service=SERVICE).operations
    assert operation == value_request(SERVICE, "/hostname", timeout_s=3.0)


def test_a_path_cannot_smuggle_a_header():
    with pytest.raises(ValueError, match="target"):
        imds_without_token.ask("/x\r\nX-Token: y", service=SERVICE)


@pytest.mark.parametrize(
    ("verdict", "layer"),
    [
        ("refused", Layer.TCP),
        ("no-route", Layer.ROUTE),
        ("garbage", Layer.HTTP),
        ("token-unanswered", Layer.HTTP),
    ],
)
def test_the_verdict_names_the_layer(verdict, layer):
    assert found(verdict).broken_layer is layer
