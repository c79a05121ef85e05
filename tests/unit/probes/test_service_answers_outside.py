"""Which ways into a service are asked, how often, and what do they tell from outside of its cluster?"""

from typing import Any

import pytest

from pytest_v6probe.probes.service_answers import service_answers
from pytest_v6probe.probes.service_targets import Answered
from pytest_v6probe.result import Layer
from tests.unit.kube import objects
from tests.unit.probes.seen import seen
from tests.unit.probes.service_places import OUTSIDE, PLACES, SAID, asked, known, reply


def test_from_outside_only_nodes_and_external_addresses_are_asked():
    found = asked(outside=True, here=OUTSIDE)
    assert [one.target for one in found.answers] == [
        PLACES[name] for name in ("port-1", "port-2", "external")
    ]
    assert (found.verdict, found.node) == ("answers", "")


@pytest.mark.parametrize(
    ("outcome", "layer", "cause"),
    [
        ("refused", Layer.SERVICE, "the NodePort is not served over IPv6 by node-2, by the others"),
        (
            "timed-out",
            Layer.FORWARDING,
            "nothing comes back over IPv6 from the NodePort of node-2: a firewall drops it, or node-2 "
            "does not forward",
        ),
    ],
)
def test_from_outside_a_node_that_refuses_is_told_from_one_that_is_silent(outcome, layer, cause):
    found = asked(outside=True, here=OUTSIDE, **{"port-2": outcome})
    assert (found.verdict, found.at_fault) == ("node-port-silent", ("node-2",))
    assert found.broken_layer is layer
    assert found.known_cause[0].startswith(cause)


def test_a_node_that_answers_only_some_connections_does_not_reach_every_endpoint():
    ask: Any = service_answers.ask(known(), family="ipv6", outside=True)
    places = ask.judge.keywords["places"]
    assert [place.node for place in places] == ["node-1"] * 12 + ["node-2"] * 12 + [""] * 12
    replies = [
        reply("timed-out" if number in {3, 7} else "answered", place.at, OUTSIDE)
        for number, place in enumerate(places)
    ]
    found = ask.judge(seen(*replies))
    assert (found.verdict, found.at_fault) == ("partly-silent", ("node-1",))
    assert found.broken_layer is Layer.FORWARDING
    assert found.silent == (
        Answered(target=PLACES["port-1"], verdict="timed-out", tries=12, failed=2),
    )
    assert found.evidence[0] == (
        "node-port [fc00:f853:ccd:e793::3]:30080 on node-1: timed-out 2 times of 12"
    )
    assert found.known_cause[0] == (
        "node-1 answers some connections over IPv6 and not others: not every endpoint is reached "
        "from there"
    )


def test_one_endpoint_alone_is_met_by_one_connection():
    one = objects.endpoint_slice(endpoints=[objects.endpoint("fd00:10:244:2::5", 2)])
    ask: Any = service_answers.ask(known(slices=(one,)), family="ipv6")
    places = ask.judge.keywords["places"]
    assert len(places) == len(set(places))


def test_from_outside_a_node_is_asked_at_its_external_address():
    entries = [
        {"type": "InternalIP", "address": "fc00:f853:ccd:e793::3"},
        {"type": "ExternalIP", "address": "2600:1900::3"},
    ]
    found = known(nodes=(objects.node(1, addresses=entries),))
    hosts = {
        outside: [
            str(one.target.at.address)
            for one in asked(found, outside=outside).answers
            if one.target.kind == "node-port"
        ]
        for outside in (True, False)
    }
    assert hosts == {True: ["2600:1900::3"], False: ["fc00:f853:ccd:e793::3"]}


def test_a_node_without_endpoints_is_not_asked_where_only_own_ones_answer():
    local = objects.but(SAID, "spec.externalTrafficPolicy", "Local")
    one = objects.endpoint_slice(endpoints=[objects.endpoint("fd00:10:244:2::5", 2)])
    ports = [
        answer.target.node
        for answer in asked(known(local, slices=(one,))).answers
        if answer.target.kind == "node-port"
    ]
    assert ports == ["node-2"]


def test_a_service_without_a_way_in_from_outside_is_said():
    ask = service_answers.ask(known(objects.service()), family="ipv6", outside=True)
    assert (ask.operations, ask.judge(seen()).verdict) == ((), "inside-only")
