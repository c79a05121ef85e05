"""Does the judge tell right synthesis from every wrong one?"""

from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.dns64 import Dns64, dns64, judge
from pytest_v6probe.result import Endpoint, Layer
from pytest_v6probe.rfc import rfc1035, rfc6052
from tests.unit.probes.seen import LOCAL, RESOLVER, VANTAGE, WKP, answered, dns, seen

NAME = "ec2-44-210-107-93.compute-1.amazonaws.com"
V4 = IPv4Address("44.210.107.93")
SYNTHETIC = IPv6Address("64:ff9b::2cd2:6b5d")  # the talk's
NATIVE = IPv6Address("2607:f8b0:4004:c17::6a")
OTHER_PREFIX = IPv6Network("2001:db8:64::/96")
AAAA, A = rfc1035.query(NAME, "AAAA"), rfc1035.query(NAME, "A")
A_REPLY = dns(A, f"{NAME}. 60 IN A {V4}")
NO_A = dns(A)
SILENCE = Reply("timed-out")


def aaaa(*addresses, **how):
    return dns(AAAA, *(f"{NAME}. 60 IN AAAA {address}" for address in addresses), **how)


def found(verdict, *, of=True, **what):
    sets: dict[str, Any] = {key: frozenset(value) for key, value in what.items()}
    ends: dict[str, Any] = {"local": LOCAL, "remote": Endpoint(RESOLVER, 53)} if of else {}
    return Dns64(
        vantage=VANTAGE,
        asked=f"{NAME} AAAA and A",
        verdict=verdict,
        name=NAME,
        **ends,
        **sets,
    )


SYNTHESISED = {
    "synthetic": {SYNTHETIC},
    "embedded": {V4},
    "ipv4_addresses": {V4},
    "prefixes": {WKP},
}
WRONG = rfc6052.embed(V4 + 1, WKP)
ELSEWHERE = rfc6052.embed(V4, OTHER_PREFIX)
LINK_LOCAL = IPv4Address("169.254.118.19")


@pytest.mark.parametrize(
    ("replies", "prefix", "expected"),
    [
        pytest.param(
            (aaaa(SYNTHETIC), A_REPLY),
            WKP,
            found("synthesised", **SYNTHESISED),
            id="the-talks-answer",
        ),
        pytest.param(
            (aaaa(SYNTHETIC), A_REPLY),
            None,
            found("synthesised", **SYNTHESISED),
            id="no-prefix-expected",
        ),
        pytest.param(
            (aaaa(WRONG), A_REPLY),
            WKP,
            found(
                "embedded-mismatch", **{**SYNTHESISED, "synthetic": {WRONG}, "embedded": {V4 + 1}}
            ),
            id="leads-elsewhere",
        ),
        pytest.param(
            (aaaa(SYNTHETIC, WRONG), A_REPLY),
            WKP,
            found(
                "embedded-mismatch",
                **{**SYNTHESISED, "synthetic": {SYNTHETIC, WRONG}, "embedded": {V4, V4 + 1}},
            ),
            id="one-too-many",
        ),
        pytest.param(
            (aaaa(ELSEWHERE), A_REPLY),
            WKP,
            found(
                "wrong-prefix",
                synthetic={ELSEWHERE},
                embedded={V4},
                ipv4_addresses={V4},
                prefixes={OTHER_PREFIX},
            ),
            id="discovered-but-not-the-clouds",
        ),
        pytest.param(
            (aaaa(NATIVE), A_REPLY),
            WKP,
            found("native", native={NATIVE}, ipv4_addresses={V4}),
            id="native",
        ),
        pytest.param(
            (aaaa(NATIVE, SYNTHETIC), A_REPLY),
            WKP,
            found("mixed", native={NATIVE}, **SYNTHESISED),
            id="both",
        ),
        pytest.param(
            (aaaa("::ffff:44.210.107.93"), A_REPLY),
            WKP,
            found("no-aaaa", ipv4_addresses={V4}),
            id="ipv4-mapped-says-nothing",
        ),
        pytest.param((aaaa(), A_REPLY), WKP, found("no-aaaa", ipv4_addresses={V4}), id="dns64-off"),
        pytest.param((aaaa(), NO_A), WKP, found("no-records"), id="neither"),
        pytest.param(
            (aaaa(rcode="NXDOMAIN"), dns(A, rcode="NXDOMAIN")),
            WKP,
            found("nxdomain"),
            id="nxdomain",
        ),
        pytest.param(
            (aaaa(rcode="SERVFAIL"), A_REPLY),
            WKP,
            found("servfail", ipv4_addresses={V4}),
            id="servfail",
        ),
        pytest.param(
            (aaaa(rcode="REFUSED"), A_REPLY),
            WKP,
            found("query-refused", ipv4_addresses={V4}),
            id="rcode-refused",
        ),
        pytest.param(
            (aaaa(SYNTHETIC), SILENCE),
            WKP,
            found("unverified", **{**SYNTHESISED, "ipv4_addresses": ()}),
            id="no-answer-to-compare-with",
        ),
        pytest.param(
            (SILENCE, A_REPLY), WKP, found("timed-out", of=False, ipv4_addresses={V4}), id="silence"
        ),
        pytest.param(
            (aaaa(rfc6052.embed(LINK_LOCAL, WKP)), dns(A, f"{NAME}. 60 IN A {LINK_LOCAL}")),
            WKP,
            found(
                "link-local",
                synthetic={rfc6052.embed(LINK_LOCAL, WKP)},
                embedded={LINK_LOCAL},
                ipv4_addresses={LINK_LOCAL},
                prefixes={WKP},
            ),
            id="made-from-a-link-local-address",
        ),
        pytest.param(
            (aaaa(), dns(A, f"{NAME}. 60 IN A {LINK_LOCAL}")),
            WKP,
            found("link-local", ipv4_addresses={LINK_LOCAL}),
            id="rightly-not-made-from-a-link-local-address",
        ),
    ],
)
def test_judge(replies, prefix, expected):
    at = seen(*replies, prefixes={OTHER_PREFIX})
    assert judge(at, name=NAME, queries=(AAAA, A), prefix=prefix) == expected


def test_an_alias_is_followed():
    reply = dns(
        AAAA, f"{NAME}. 60 IN CNAME target.example.", f"target.example. 60 IN AAAA {SYNTHETIC}"
    )
    at = seen(
        reply, dns(A, f"{NAME}. 60 IN CNAME target.example.", f"target.example. 60 IN A {V4}")
    )
    assert judge(at, name=NAME, queries=(AAAA, A), prefix=WKP) == found(
        "synthesised", **SYNTHESISED
    )


def test_an_answer_to_another_question_is_malformed():
    other = dns(rfc1035.query("other.example", "AAAA"), f"other.example. 60 IN AAAA {SYNTHETIC}")
    assert (
        judge(seen(other, A_REPLY), name=NAME, queries=(AAAA, A), prefix=WKP).verdict == "malformed"
    )
    assert (
        judge(
            seen(answered(b"\0\0", str(RESOLVER), 53), A_REPLY),
            name=NAME,
            queries=(AAAA, A),
            prefix=WKP,
        ).verdict
        == "malformed"
    )


@pytest.mark.parametrize(
    ("verdict", "layer"),
    [
        ("no-aaaa", Layer.SYNTHESIS),
        ("wrong-prefix", Layer.SYNTHESIS),
        ("synthesised", Layer.SYNTHESIS),
        ("nxdomain", Layer.ANSWER),
        ("no-records", Layer.ANSWER),
        ("no-address", Layer.ADDRESS),
        ("link-local", Layer.ANSWER),
        ("timed-out", Layer.RESOLVER),
        ("malformed", Layer.RESOLVER),
        ("no-nameserver", Layer.RESOLVER),
        ("no-route", Layer.ROUTE),
    ],
)
def test_the_verdict_names_the_layer(verdict, layer):
    assert found(verdict).broken_layer is layer


def test_the_questions_are_one_for_each_type_and_never_ask_for_dnssec():
    ask = dns64.ask(NAME, server=RESOLVER)
    assert [operation["op"] for operation in ask.operations] == ["udp", "udp"]
    assert ask.wants_prefixes
    judged = partial(ask.judge, seen(SILENCE, SILENCE))
    assert judged().verdict == "timed-out"


def test_a_name_that_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match="label"):
        dns64.ask("a" * 64)
