"""Does the judge see whether DNS64 and NAT64 go together?"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.nat64 import Nat64, Nat64Prefixes, judge, judge_prefixes, nat64
from pytest_v6probe.result import Endpoint, Layer, Path
from pytest_v6probe.rfc import rfc1035
from tests.unit.probes.seen import LOCAL, RESOLVER, VANTAGE, WKP, answered, dns, seen

QUERY = rfc1035.query("ipv4only.arpa", "AAAA")
OTHER = IPv6Network("2001:db8:64::/96")
REMOTE = Endpoint(IPv6Address("64:ff9b::2cd2:6b5d"), 80)


def discovery(prefix):
    return dns(
        QUERY, *(f"ipv4only.arpa. 60 IN AAAA {prefix[:-3]}c000:{low}" for low in ("aa", "ab"))
    )


FOUND, ELSEWHERE, NODATA = discovery("64:ff9b::/96"), discovery("2001:db8:64::/96"), dns(QUERY)
OPEN = Reply("answered", b"", LOCAL, REMOTE)
LOST, NO_ROUTE, RESET = (
    Reply(outcome, b"", LOCAL, REMOTE) for outcome in ("timed-out", "no-route", "refused")
)


def found(verdict, connection="answered", prefixes=(WKP,)):
    return Nat64(
        vantage=VANTAGE,
        asked="x",
        verdict=verdict,
        connection=connection,
        prefixes=frozenset(prefixes),
        local=LOCAL,
        remote=REMOTE,
        path=Path.NAT64,
    )


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param((FOUND, OPEN), found("working"), id="both"),
        pytest.param(
            (FOUND, RESET), found("working", "refused"), id="a-reset-is-translated-as-well"
        ),
        pytest.param((FOUND, LOST), found("dns64-without-nat64", "timed-out"), id="no-translator"),
        pytest.param(
            (FOUND, NO_ROUTE), found("dns64-without-nat64", "no-route"), id="no-route-to-it"
        ),
        pytest.param(
            (NODATA, OPEN), found("nat64-without-dns64", prefixes=()), id="no-name-leads-there"
        ),
        pytest.param((NODATA, LOST), found("no-nat64", "timed-out", ()), id="neither"),
        pytest.param(
            (ELSEWHERE, OPEN), found("other-prefix", prefixes=(OTHER,)), id="another-prefix"
        ),
        pytest.param(
            (Reply("timed-out"), OPEN), found("timed-out", prefixes=()), id="silent-resolver"
        ),
    ],
)
def test_judge(replies, expected):
    assert judge(seen(*replies), query=QUERY, prefix=WKP, asked="x") == expected


@pytest.mark.parametrize(
    ("finding", "layer"),
    [
        (found("dns64-without-nat64", "timed-out"), Layer.TCP),
        (found("dns64-without-nat64", "no-route"), Layer.ROUTE),
        (found("nat64-without-dns64"), Layer.SYNTHESIS),
        (found("timed-out"), Layer.RESOLVER),
    ],
)
def test_the_broken_half_names_the_layer(finding, layer):
    assert finding.broken_layer is layer


@pytest.mark.parametrize(
    ("reply", "expected", "verdict", "prefixes"),
    [
        (FOUND, None, "discovered", {WKP}),
        (FOUND, WKP, "discovered", {WKP}),
        (ELSEWHERE, WKP, "other-prefix", {OTHER}),
        (NODATA, WKP, "no-synthesis", ()),
        (dns(QUERY, rcode="NXDOMAIN"), None, "no-synthesis", ()),
        (dns(QUERY, "ipv4only.arpa. 60 IN AAAA 2001:db8::1"), None, "no-synthesis", ()),
        (answered(b"junk", str(RESOLVER), 53), None, "malformed", ()),
    ],
)
def test_judge_prefixes(reply, expected, verdict, prefixes):
    assert judge_prefixes(seen(reply), query=QUERY, expected=expected) == Nat64Prefixes(
        vantage=VANTAGE,
        asked="ipv4only.arpa AAAA",
        verdict=verdict,
        prefixes=frozenset(prefixes),
        local=LOCAL,
        remote=Endpoint(RESOLVER, 53),
        path=Path.NATIVE,
    )


def test_the_connection_goes_through_the_well_known_prefix_by_default():
    _, connect = nat64.ask(IPv4Address("44.210.107.93")).operations
    assert (connect["host"], connect["port"]) == ("64:ff9b::2cd2:6b5d", 80)


def test_a_prefix_that_cannot_carry_ipv4_is_refused():
    with pytest.raises(ValueError, match="/97"):
        nat64.ask(IPv4Address("44.210.107.93"), prefix=IPv6Network("2001:db8::/97"))
