"""Does the judge of a connection say whether it came to be, and if not, how?"""

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.tcp import Tcp, judge
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes.seen import HOST, LOCAL, VANTAGE, seen

REMOTE = Endpoint(HOST, 22)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        ("answered", "open"),
        ("refused", "refused"),
        ("timed-out", "timed-out"),
        ("prohibited", "prohibited"),
    ],
)
def test_judge(outcome, verdict):
    finding = judge(seen(Reply(outcome, b"", LOCAL, REMOTE)), host=HOST, port=22)
    assert finding == Tcp(
        vantage=VANTAGE,
        asked=f"TCP [{HOST}]:22",
        verdict=verdict,
        local=LOCAL,
        remote=REMOTE,
        path=Path.NATIVE,
    )
    assert finding.open is (verdict == "open")
    assert finding.broken_layer is Layer.TCP
    assert finding.reached == IPv6Address(HOST)


def test_a_name_is_remembered():
    finding = judge(seen(Reply("name-error")), host="x.example", port=22)
    assert (finding.name_asked, finding.asked, finding.broken_layer) == (
        "x.example",
        "TCP x.example:22",
        Layer.ANSWER,
    )
