"""Does the judge tell records, no data and no such name apart?"""

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.lookup import Lookup, judge, lookup
from pytest_v6probe.result import Endpoint, Layer, Path
from pytest_v6probe.rfc import rfc1035
from pytest_v6probe.rfc.rfc1035 import Record
from tests.unit.probes.seen import LOCAL, RESOLVER, VANTAGE, dns, seen

NAME = "i-097019ae9f2908087.ec2.internal"
ADDRESS = IPv6Address("2600:1f18:d:f70a:8204:7788:7feb:7892")
QUERY = rfc1035.query(NAME, "AAAA")


def found(verdict, **what):
    ends = {"local": LOCAL, "remote": Endpoint(RESOLVER, 53), "path": Path.NATIVE}
    return Lookup(
        vantage=VANTAGE,
        asked=f"{NAME} AAAA",
        verdict=verdict,
        name=NAME,
        type="AAAA",
        **{**ends, **what},
    )


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            dns(QUERY, f"{NAME}. 60 IN AAAA {ADDRESS}"),
            found(
                "answered",
                addresses=frozenset({ADDRESS}),
                records=(Record(name=NAME, type="AAAA", ttl_s=60, address=ADDRESS),),
            ),
            id="has-an-aaaa",
        ),
        pytest.param(dns(QUERY), found("nodata"), id="has-none"),
        pytest.param(dns(QUERY, rcode="NXDOMAIN"), found("nxdomain"), id="does-not-exist"),
        pytest.param(
            Reply("timed-out"), found("timed-out", local=None, remote=None, path=None), id="silence"
        ),
    ],
)
def test_judge(reply, expected):
    assert judge(seen(reply), name=NAME, rtype="AAAA", query=QUERY) == expected


def test_aliases_are_kept():
    reply = dns(
        QUERY, f"{NAME}. 60 IN CNAME other.example.", f"other.example. 60 IN AAAA {ADDRESS}"
    )
    assert judge(seen(reply), name=NAME, rtype="AAAA", query=QUERY).aliases == ("other.example",)


def test_silence_is_the_resolvers_and_no_data_the_answers():
    assert found("timed-out").broken_layer is Layer.RESOLVER
    assert found("nodata").broken_layer is Layer.ANSWER


def test_a_type_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no such record type"):
        lookup.ask(NAME, "AAAAA")
