"""Does the judge see which way to the resolver works: UDP, TCP, large answers?"""

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.resolver import (
    LargeAnswer,
    Resolver,
    judge,
    judge_large,
    large_answer,
    resolver,
)
from pytest_v6probe.result import Endpoint, Layer, Path
from pytest_v6probe.rfc import rfc1035
from tests.unit.probes.seen import LOCAL, RESOLVER, VANTAGE, answered, dns, dns_octets, seen

QUERY = rfc1035.query(".", "NS")
NS = ". 60 IN NS a.root-servers.net."
LARGE = rfc1035.query("google.com", "TXT")
TEXTS = [f'google.com. 60 IN TXT "{number} {"x" * 200}"' for number in range(4)]
SMALL = dns_octets(LARGE, TEXTS[0])
WHOLE = dns_octets(LARGE, *TEXTS)
CUT = dns_octets(LARGE, truncated=True)
SILENT, REFUSED = Reply("timed-out"), Reply("refused")


def udp(octets):
    return answered(octets, str(RESOLVER), 53)


def tcp(octets):
    return answered(len(octets).to_bytes(2, "big") + octets, str(RESOLVER), 53)


@pytest.mark.parametrize(
    ("reply", "over", "expected"),
    [
        pytest.param(dns(QUERY, NS), "udp", ("answered", 1232), id="by-udp"),
        pytest.param(tcp(dns_octets(QUERY, NS)), "tcp", ("answered", 1232), id="by-tcp"),
        pytest.param(
            dns(QUERY, rcode="NXDOMAIN"), "udp", ("answered", 1232), id="any-answer-will-do"
        ),
        pytest.param(dns(QUERY, rcode="SERVFAIL"), "udp", ("servfail", 1232), id="servfail"),
        pytest.param(dns(QUERY, NS, truncated=True), "udp", ("truncated", 1232), id="cut"),
    ],
)
def test_judge(reply, over, expected):
    verdict, edns_bytes = expected
    size = len(reply.payload) - (2 if over == "tcp" else 0)
    assert judge(seen(reply), server=RESOLVER, over=over, query=QUERY) == Resolver(
        vantage=VANTAGE,
        asked=f"resolver fd00:ec2::253 over {over}",
        verdict=verdict,
        over=over,
        size_bytes=size,
        edns_bytes=edns_bytes,
        local=LOCAL,
        remote=Endpoint(RESOLVER, 53),
        path=Path.NATIVE,
    )


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param((udp(WHOLE), tcp(WHOLE)), ("answered", len(WHOLE)), id="whole-by-udp"),
        pytest.param((udp(WHOLE), REFUSED), ("answered", len(WHOLE)), id="udp-needs-no-tcp"),
        pytest.param((udp(CUT), tcp(WHOLE)), ("answered", len(WHOLE)), id="cut-then-by-tcp"),
        pytest.param((udp(CUT), REFUSED), ("truncated-without-tcp", 0), id="cut-and-no-tcp"),
        pytest.param(
            (SILENT, tcp(WHOLE)), ("large-udp-lost", len(WHOLE)), id="large-datagrams-are-lost"
        ),
        pytest.param((SILENT, SILENT), ("timed-out", 0), id="silent"),
        pytest.param((udp(SMALL), tcp(SMALL)), ("small", len(SMALL)), id="proves-nothing"),
        pytest.param((udp(b"junk"), tcp(WHOLE)), ("malformed", len(WHOLE)), id="malformed"),
    ],
)
def test_judge_large(replies, expected):
    finding = judge_large(seen(*replies), asked="google.com TXT", query=LARGE)
    assert isinstance(finding, LargeAnswer)
    assert (finding.verdict, finding.size_bytes) == expected
    assert finding.broken_layer is Layer.RESOLVER


def test_the_large_question_goes_both_ways_at_once():
    assert [op["op"] for op in large_answer.ask(RESOLVER).operations] == ["udp", "stream"]
    assert [op["op"] for op in resolver.ask(RESOLVER, over="tcp").operations] == ["stream"]
