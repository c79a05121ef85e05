"""Does the judge of an echo say what came back?"""

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.icmp import Ping, judge
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes.seen import LOCAL, VANTAGE, seen

REMOTE = Endpoint(IPv6Address("64:ff9b::2cd2:6b5d"))


def found(verdict):
    return Ping(
        vantage=VANTAGE,
        asked="ping www.google.com",
        verdict=verdict,
        name_asked="www.google.com",
        local=LOCAL,
        remote=REMOTE,
        path=Path.NAT64,
    )


@pytest.mark.parametrize(
    "outcome", ["answered", "timed-out", "no-route", "unreachable", "not-permitted"]
)
def test_judge(outcome):
    reply = Reply(outcome, b"", LOCAL, REMOTE, 0.02)
    finding = judge(seen(reply), host="www.google.com")
    assert finding == found(outcome)
    assert finding.round_trip_s == (0.02 if outcome == "answered" else None)


def test_an_icmp_error_is_evidence():
    reply = Reply("no-route", fields={"icmp": {"type": 1, "code": 0, "mtu": 0, "from": "fe80::1"}})
    evidence = judge(seen(reply), host=IPv6Address("::1")).evidence
    assert evidence == ("no-route by ICMP type 1 code 0 of fe80::1 after 0.0 ms",)


@pytest.mark.parametrize(
    ("verdict", "layer"),
    [
        ("timed-out", Layer.ICMP),
        ("unreachable", Layer.ICMP),
        ("no-route", Layer.ROUTE),
        ("name-error", Layer.ANSWER),
        ("no-address", Layer.ADDRESS),
    ],
)
def test_the_verdict_names_the_layer(verdict, layer):
    assert found(verdict).broken_layer is layer
