"""Is a host that does not forward for its container told from a resolver, or a container, that
answers nobody?
"""

from __future__ import annotations

from base64 import b64encode
from ipaddress import IPv4Address, IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.probes.forwarding import (
    SYSCTL,
    Forwarding,
    forwarding_inward,
    judge,
    judge_inward,
)
from pytest_v6probe.probes.resolver import Resolver
from pytest_v6probe.probes.tcp import Tcp
from pytest_v6probe.result import Endpoint, Layer
from pytest_v6probe.vantage import Vantage

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


WEB = Endpoint(IPv6Address("2600:1f18:d:f70c::10"), 80)
OUTSIDE = Tcp(vantage="client", asked=f"TCP {WEB}", verdict="timed-out", remote=WEB)


def at_host(verdict: str) -> Tcp:
    return Tcp(vantage="h", asked=f"TCP {WEB}", verdict=verdict, remote=WEB)


@pytest.mark.parametrize(
    ("met", "sysctl", "verdict", "cure"),
    [
        ("open", b"1\n", ("not-forwarded", True), "ip6tables -S; nft"),
        ("open", b"0\n", ("not-forwarded", False), "sysctl -w"),
        ("refused", b"1\n", ("unknown", True), ""),
        ("timed-out", b"", ("unknown", None), ""),
    ],
)
def test_a_container_that_its_host_reaches_is_not_forwarded_to(met, sysctl, verdict, cure):
    found = judge_inward(OUTSIDE, WEB, at_host(met), sysctl)
    assert found == Forwarding(
        vantage="client",
        asked=f"TCP {WEB}, behind h",
        verdict=verdict[0],
        host="h",
        enabled=verdict[1],
        inward=True,
        remote=WEB,
    )
    assert found.evidence == ("outside: timed-out", f"host: {met}")
    assert (found.known_cause or ("", ""))[1].startswith(cure)
    assert bool(found.known_cause) == bool(cure)


class Answering:
    """An agent that gets an answer to everything."""

    def __init__(self):
        self.asked = []

    def run(self, operations):
        self.asked += [(op["op"], op.get("host"), op.get("port")) for op in operations]
        text = b64encode(b"1\n").decode("ascii")
        return [Reply("answered", fields={"files": {SYSCTL: text}}) for _ in operations]


@pytest.mark.parametrize(("port", "asked"), [(80, "stream"), (0, "echo")])
def test_its_host_asks_the_container_the_same(port, asked):
    agent = Answering()
    found = forwarding_inward(OUTSIDE, Endpoint(WEB.address, port), vantage(agent))
    assert (found.verdict, found.enabled) == ("not-forwarded", True)
    assert [op[0] for op in agent.asked] == [asked, "read"]


def test_no_family_is_implied():
    with pytest.raises(Unobserved, match="no IPv6"):
        forwarding_inward(OUTSIDE, Endpoint(IPv4Address("192.0.2.1"), 80), vantage(Answering()))


def vantage(agent) -> Vantage:
    return Vantage(
        name="h",
        region="",
        host=Host(name="h"),
        connect=lambda: agent,
        prefixes=lambda _: frozenset(),
    )
