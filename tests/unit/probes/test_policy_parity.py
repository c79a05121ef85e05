"""Does the judge tell a policy that holds over both families from one that holds over one or none?"""

from ipaddress import ip_address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.kube.pods import Pod
from pytest_v6probe.probes.policy_parity import PolicyParity, policy_parity
from pytest_v6probe.result import Endpoint, Family, Path
from tests.unit.probes.seen import VANTAGE, seen

V6, V4 = ip_address("fd00:10:244:1::5"), ip_address("10.244.1.5")
LOCAL = Endpoint(ip_address("fd00:10:244:2::6"), 40000)
SERVER = Pod(namespace="x", name="server", addresses=(V4, V6), tcp_ports=(8080,))


def asked(ipv6: str, ipv4: str, *, allowed: bool) -> PolicyParity:
    ask = policy_parity.ask(SERVER, allowed=allowed)
    local = {"answered": LOCAL}
    return ask.judge(seen(*(Reply(came, b"", local.get(came)) for came in (ipv6, ipv4))))


def test_both_families_are_asked_at_once_at_the_port_that_the_pod_declares():
    operations = policy_parity.ask(SERVER, allowed=False, timeout_s=1.5).operations
    assert [(one["op"], one["host"], one["port"], one["timeout_s"]) for one in operations] == [
        ("stream", "fd00:10:244:1::5", 8080, 1.5),
        ("stream", "10.244.1.5", 8080, 1.5),
    ]


@pytest.mark.parametrize(
    ("came", "verdict"),
    [("timed-out", "equal"), ("answered", "open-over-ipv4"), ("error", "not-asked")],
)
def test_one_family_alone_may_be_asked(came, verdict):
    ask = policy_parity.ask(SERVER, allowed=False, over=[Family.IPV4])
    assert [one["host"] for one in ask.operations] == ["10.244.1.5"]
    finding = ask.judge(seen(Reply(came)))
    assert (finding.verdict, finding.ipv6_outcome, finding.ipv4_outcome) == (verdict, "", came)
    assert finding.asked == "x/server over ipv4, denied by policy"
    assert finding.remote == Endpoint(V4, 8080)


def test_a_neighbour_that_is_not_found_is_the_cause_of_what_is_closed_over_ipv6():
    known = asked("unreachable", "answered", allowed=True).known_cause
    assert known is not None
    assert "neighbour discovery" in known[0]
    assert "kube-router#1913" in known[1]
    assert asked("timed-out", "answered", allowed=True).known_cause is None


@pytest.mark.parametrize(
    ("ipv6", "ipv4", "allowed", "verdict"),
    [
        ("answered", "answered", True, "equal"),
        ("timed-out", "refused", False, "equal"),
        ("prohibited", "unreachable", False, "equal"),
        ("answered", "timed-out", False, "open-over-ipv6"),
        ("reset", "answered", False, "open-over-ipv4"),
        ("answered", "answered", False, "not-enforced"),
        ("timed-out", "answered", True, "closed-over-ipv6"),
        ("answered", "no-route", True, "closed-over-ipv4"),
        ("timed-out", "timed-out", True, "closed"),
        ("no-address", "timed-out", False, "not-asked"),
        ("answered", "error", False, "not-asked"),
        ("not-permitted", "answered", True, "not-asked"),
    ],
)
def test_what_is_not_as_the_policy_says_is_named_with_its_family(ipv6, ipv4, allowed, verdict):
    assert asked(ipv6, ipv4, allowed=allowed).verdict == verdict


def test_the_finding_shows_the_family_that_it_is_about():
    assert asked("answered", "timed-out", allowed=False) == PolicyParity(
        vantage=VANTAGE,
        asked="x/server over both families, denied by policy",
        verdict="open-over-ipv6",
        allowed=False,
        ipv6_outcome="answered",
        ipv4_outcome="timed-out",
        local=LOCAL,
        remote=Endpoint(V6, 8080),
        path=Path.NATIVE,
    )
    assert asked("answered", "refused", allowed=True) == PolicyParity(
        vantage=VANTAGE,
        asked="x/server over both families, allowed by policy",
        verdict="closed-over-ipv4",
        allowed=True,
        ipv6_outcome="answered",
        ipv4_outcome="refused",
        remote=Endpoint(V4, 8080),
        path=Path.IPV4,
    )
    assert [line.partition(": ")[0] for line in asked("reset", "reset", allowed=True).evidence] == [
        "[fd00:10:244:1::5]:8080",
        "10.244.1.5:8080",
    ]


def test_a_pod_without_an_address_of_a_family_says_nothing_of_the_policy():
    one = Pod(namespace="x", name="server", addresses=(V4,), tcp_ports=(8080,))
    ask = policy_parity.ask(one, allowed=False)
    found = ask.judge(seen(Reply("timed-out", b"")))
    assert (len(ask.operations), found) == (
        1,
        PolicyParity(
            vantage=VANTAGE,
            asked="x/server over both families, denied by policy",
            verdict="not-asked",
            allowed=False,
            ipv6_outcome="no-address",
            ipv4_outcome="timed-out",
            path=Path.NATIVE,
        ),
    )


def test_a_pod_that_declares_no_port_cannot_be_asked():
    with pytest.raises(ValueError, match="x/server declares no port"):
        policy_parity.ask(Pod(namespace="x", name="server", addresses=(V6,)), allowed=True)


@pytest.mark.parametrize(
    ("ipv6", "ipv4", "cause"),
    [
        ("answered", "timed-out", "the cluster's network plugin enforces policies over IPv4 only"),
        ("timed-out", "answered", "the cluster's network plugin enforces policies over IPv6 only"),
        (
            "answered",
            "answered",
            "nothing in the cluster enforces network policies: the API takes them all the same",
        ),
    ],
)
def test_what_does_not_enforce_is_known_as_the_cause(ipv6, ipv4, cause):
    known = asked(ipv6, ipv4, allowed=False).known_cause
    assert known is not None
    assert known[0] == cause


def test_a_policy_that_holds_has_no_cause():
    assert asked("timed-out", "timed-out", allowed=False).known_cause is None
