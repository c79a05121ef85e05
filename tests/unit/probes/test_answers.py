"""Does each way a DNS question can end have a verdict of its own?"""

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes import answers
from pytest_v6probe.result import Layer
from pytest_v6probe.rfc import rfc1035
from tests.unit.probes.seen import RESOLVER, answered, dns, dns_octets

QUERY = rfc1035.query("www.example.com", "AAAA")
RECORD = "www.example.com. 60 IN AAAA 2001:db8::1"


def framed(octets):
    return answered(len(octets).to_bytes(2, "big") + octets, str(RESOLVER), 53)


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (dns(QUERY, RECORD), "answered"),
        (dns(QUERY), "nodata"),
        (dns(QUERY, rcode="NXDOMAIN"), "nxdomain"),
        (dns(QUERY, rcode="REFUSED"), "query-refused"),
        (dns(QUERY, rcode="SERVFAIL"), "servfail"),
        (dns(QUERY, truncated=True), "truncated"),
        (answered(b""), "malformed"),
        (answered(QUERY), "malformed"),
        (answered(dns_octets(QUERY, RECORD)[:-3]), "malformed"),
        (answered(dns_octets(QUERY, RECORD) + b"junk"), "malformed"),
        (Reply("timed-out"), "timed-out"),
        (Reply("refused"), "refused"),
        (Reply("no-nameserver"), "no-nameserver"),
    ],
)
def test_a_datagram(reply, verdict):
    assert answers.read(reply, QUERY).verdict == verdict


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (framed(dns_octets(QUERY, RECORD)), "answered"),
        (framed(b""), "malformed"),
        (answered(b"\0"), "malformed"),
        (Reply("refused"), "refused"),
        (Reply("timed-out", fields={"connect_s": 0.01}), "unanswered"),
        (Reply("timed-out", b"\1\0half", fields={"connect_s": 0.01}), "stalled"),
        (Reply("timed-out"), "timed-out"),
        (Reply("closed", b"\1\0half"), "incomplete"),
        (Reply("closed"), "closed"),
    ],
)
def test_a_stream(reply, verdict):
    assert answers.read_tcp(reply, QUERY).verdict == verdict


@pytest.mark.parametrize(
    ("verdict", "layer"),
    [
        ("timed-out", Layer.RESOLVER),
        ("refused", Layer.RESOLVER),
        ("unanswered", Layer.RESOLVER),
        ("no-route", Layer.ROUTE),
        ("no-address", Layer.ADDRESS),
        ("nxdomain", Layer.ANSWER),
    ],
)
def test_the_layer_of_a_verdict(verdict, layer):
    assert answers.LAYERS.get(verdict, Layer.ANSWER) is layer


def test_the_question_goes_to_the_given_server_or_the_hosts_own():
    assert answers.ask(RESOLVER, QUERY, timeout_s=1)["server"] == "fd00:ec2::253"
    assert answers.ask(None, QUERY, timeout_s=1)["server"] == ""
    assert answers.ask_by_tcp(None, QUERY, timeout_s=1)["host"] == ""
