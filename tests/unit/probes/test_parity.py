"""Does the judge see when a site differs between the families, and not be fooled by a page that
always changes?
"""

from ipaddress import IPv4Address, IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.parity import Parity, judge, parity
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes.seen import LOCAL, VANTAGE, answered, seen

NAME = "www.google.com"
V6, V4 = "2607:f8b0:4004:c17::6a", "142.251.16.106"
SILENCE = Reply("timed-out")


def page(body, remote=V4, *, status="200 OK", kind="text/html"):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return answered(head.encode() + body.encode(), remote, 80)


@pytest.mark.parametrize(
    ("ipv6", "ipv4", "again", "verdict"),
    [
        pytest.param(page("a", V6), page("a"), page("a"), "same", id="same"),
        pytest.param(page("b", V6), page("a"), page("a"), "different-content", id="another-page"),
        pytest.param(page("b", V6), page("a"), page("c"), "same-status", id="it-always-changes"),
        pytest.param(
            page("b", V6, kind="text/plain"),
            page("a"),
            page("c"),
            "different-content",
            id="another-type",
        ),
        pytest.param(
            page("a", V6, status="404 No"),
            page("a"),
            page("a"),
            "different-status",
            id="another-status",
        ),
        pytest.param(SILENCE, page("a"), page("a"), "ipv6-failed", id="ipv6-is-dead"),
        pytest.param(page("a", V6), SILENCE, SILENCE, "ipv4-failed", id="ipv4-is-dead"),
        pytest.param(SILENCE, SILENCE, SILENCE, "both-failed", id="both-are-dead"),
    ],
)
def test_the_verdict(ipv6, ipv4, again, verdict):
    assert judge(seen(ipv6, ipv4, again), asked="x", name=NAME, secure=False).verdict == verdict


def test_the_whole_finding():
    found = judge(
        seen(page("a", V6), page("a"), page("a")), asked="http://x/", name=NAME, secure=False
    )
    assert found == Parity(
        vantage=VANTAGE,
        asked="GET http://x/ over both families",
        verdict="same",
        name_asked=NAME,
        ipv6_verdict="ok",
        ipv4_verdict="ok",
        ipv4_remote=Endpoint(IPv4Address(V4), 80),
        local=LOCAL,
        remote=Endpoint(IPv6Address(V6), 80),
        path=Path.NATIVE,
    )
    assert found.same
    assert found.broken_layer is Layer.HTTP


def test_where_ipv6_failed_the_layer_is_how():
    found = judge(seen(SILENCE, page("a"), page("a")), asked="x", name=NAME, secure=False)
    assert found.broken_layer is Layer.TCP
    assert not found.same


def test_each_family_is_asked_by_name_and_a_literal_has_but_one():
    assert [
        (op["host"], op["family"]) for op in parity.ask("http://www.google.com/").operations
    ] == [(NAME, 6), (NAME, 4), (NAME, 4)]
    with pytest.raises(ValueError, match="one family"):
        parity.ask("http://[::1]/")
