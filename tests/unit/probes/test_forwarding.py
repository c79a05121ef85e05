"""Is a host that does not forward for its container told from a resolver that answers nobody?"""

from __future__ import annotations

import pytest

from pytest_v6probe.probes.forwarding import Forwarding, judge
from pytest_v6probe.probes.resolver import Resolver
from pytest_v6probe.result import Layer

ASKED = "resolver fd00:ec2::253 over udp"


def asked(vantage: str, verdict: str) -> Resolver:
    return Resolver(vantage=vantage, asked=ASKED, verdict=verdict, over="udp")


@pytest.mark.parametrize(
    ("answers", "sysctl", "verdict", "cure"),
    [
        (("answered", "answered"), b"1\n", ("forwards", True), ""),
        (("answered", "timed-out"), b"1\n", ("forwards", True), ""),
        (("timed-out", "answered"), b"0\n", ("not-forwarded", False), "sysctl -w"),
        (("unreachable", "answered"), b"1\n", ("not-forwarded", True), "ip6tables -S FORWARD"),
        (("timed-out", "answered"), b"", ("not-forwarded", None), "ip6tables -S FORWARD"),
        (("timed-out", "timed-out"), b"0\n", ("unknown", False), ""),
    ],
)
def test_judge(answers, sysctl, verdict, cure):
    found = judge(asked("h.web", answers[0]), asked("h", answers[1]), sysctl)
    assert found == Forwarding(
        vantage="h.web",
        asked=f"{ASKED}, through h",
        verdict=verdict[0],
        host="h",
        enabled=verdict[1],
    )
    assert found.layer is Layer.FORWARDING
    assert bool(found.known_cause) == bool(cure)
    assert (found.known_cause or ("", ""))[1].startswith(cure)
