"""Does the judge see an IPv4 way out that a pod of an IPv6 cluster should not have?"""

from ipaddress import IPv4Address, ip_address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.ipv4_egress import Ipv4Egress, ipv4_egress
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes import seen
from tests.unit.probes.seen import VANTAGE

NAME = "ipv4only.example"
EKS = "169.254.172.18"
CURE = "kubectl set env ds/aws-node -n kube-system ENABLE_V4_EGRESS=false  # and new pods"


def found(address, outcome):
    held = (seen.address(address, bits=32),) if address else ()
    local = Endpoint(ip_address(address), 40000) if address else None
    ask = ipv4_egress.ask(NAME)
    return ask.judge(seen.seen(seen.netlink(seen.link(), *held), Reply(outcome, b"", local, None)))


def wanted(verdict, outcome, *addresses):
    return Ipv4Egress(
        vantage=VANTAGE,
        asked=f"TCP {NAME}:80 over ipv4",
        verdict=verdict,
        addresses=frozenset(map(IPv4Address, addresses)),
        connection=outcome,
        local=Endpoint(ip_address(addresses[0]), 40000) if addresses else None,
        path=Path.IPV4,
    )


@pytest.mark.parametrize("outcome", ["no-route", "no-address", "name-error"])
def test_a_pod_without_ipv4_has_no_way_out(outcome):
    assert found("", outcome) == wanted("none", outcome)
    assert found("", outcome).known_cause is None


@pytest.mark.parametrize("outcome", ["answered", "refused", "reset"])
def test_a_way_out_of_eks_is_left_over_and_its_switch_is_named(outcome):
    egress = found(EKS, outcome)
    assert egress == wanted("left-over", outcome, EKS)
    assert egress.broken_layer is Layer.CONFIGURATION
    assert egress.known_cause[1] == CURE
    assert EKS in egress.known_cause[0]


def test_an_address_that_leads_nowhere_is_told_apart():
    assert found("10.244.1.5", "timed-out") == wanted("address-only", "timed-out", "10.244.1.5")
    assert found("10.244.1.5", "timed-out").known_cause is None


def test_addresses_that_cannot_be_read_are_said_where_nothing_got_out():
    ask = ipv4_egress.ask(NAME)
    egress = ask.judge(seen.seen(Reply("answered", b"junk"), Reply("no-route")))
    assert egress == wanted("unreadable", "no-route")


def test_the_connection_is_made_over_ipv4_only():
    listing, connection = ipv4_egress.ask(IPv4Address("192.0.2.1"), 443).operations
    assert (listing["op"], connection["family"], connection["host"]) == ("netlink", 4, "192.0.2.1")
