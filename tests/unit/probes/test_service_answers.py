"""Does the judge tell endpoints, the way between nodes, and kube-proxy apart?"""

from dataclasses import replace
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.service_answers import service_answers
from pytest_v6probe.result import Endpoint, Family, Layer, Path
from tests.unit.kube import objects
from tests.unit.probes.seen import seen
from tests.unit.probes.service_places import ON_NODE_1, PAGE, PLACES, asked, known, reply, wanted


def test_every_way_in_and_every_endpoint_is_asked_and_answers():
    found = asked()
    assert found == wanted("answers")
    assert found.silent == ()
    assert found.known_cause is None


@pytest.mark.parametrize(
    ("outcomes", "verdict", "at_fault", "layer", "told"),
    [
        pytest.param(
            {"cluster": "timed-out"},
            "cluster-ip-silent",
            ("node-1",),
            Layer.SERVICE,
            (
                "cluster",
                "its endpoints answer over IPv6, its ClusterIP does not: kube-proxy of node-1",
            ),
            id="kube-proxy-here",
        ),
        pytest.param(
            {"port-2": "refused"},
            "node-port-silent",
            ("node-2",),
            Layer.SERVICE,
            ("port-2", "the NodePort is not served over IPv6 by node-2, by the others it is"),
            id="kube-proxy-there",
        ),
        pytest.param(
            {"port-1": "refused", "port-2": "refused"},
            "node-port-silent",
            ("node-1", "node-2"),
            Layer.SERVICE,
            ("port-1", "no node answers at the NodePort over IPv6"),
            id="node-port-of-another-family-only",
        ),
        pytest.param(
            {"external": "timed-out"},
            "external-silent",
            (),
            Layer.SERVICE,
            ("external", "its endpoints answer over IPv6, its external address does not"),
            id="external",
        ),
        pytest.param(
            {"two": "no-route", "port-2": "timed-out"},
            "node-unreached",
            ("node-2",),
            Layer.ROUTE,
            ("two", "node-1 has no IPv6 route to the pods of node-2"),
            id="no-route-between-nodes",
        ),
        pytest.param(
            {"two": "timed-out", "cluster": "timed-out"},
            "node-unreached",
            ("node-2",),
            Layer.FORWARDING,
            (
                "two",
                "nothing comes back over IPv6 to node-1 from the pods of node-2, from the node itself "
                "it does: node-2 does not forward",
            ),
            id="the-other-node-does-not-forward",
        ),
        pytest.param(
            {"one": "timed-out"},
            "endpoints-unanswered",
            ("node-1",),
            Layer.ENDPOINTS,
            ("one", "what stands behind the service on node-1 does not answer over IPv6"),
            id="a-pod-here-while-those-there-answer",
        ),
        pytest.param(
            {"two": "refused"},
            "endpoints-unanswered",
            ("node-2",),
            Layer.ENDPOINTS,
            ("two", "what stands behind the service on node-2 does not answer over IPv6"),
            id="a-pod-that-listens-on-the-other-family-only",
        ),
    ],
)
def test_the_layer_is_told_by_what_answers(outcomes, verdict, at_fault, layer, told):
    remote, cause = told
    found = asked(**outcomes)
    assert found == wanted(verdict, remote=remote, at_fault=at_fault, **outcomes)
    assert found.broken_layer is layer
    assert [one.verdict for one in found.silent] == list(outcomes.values())
    assert found.known_cause[0].startswith(cause)


def test_a_node_that_does_not_forward_for_its_own_pods_is_told_by_what_is_on_it():
    silent = {"one": "timed-out", "two": "timed-out", "cluster": "timed-out"}
    found = asked(**silent, down=("node-2",))
    assert found == wanted(
        "not-forwarded", remote="one", at_fault=("node-1",), down=("node-2",), **silent
    )
    assert found.broken_layer is Layer.FORWARDING
    assert found.known_cause == (
        "node-1 does not forward IPv6: no other pod is reached, its own ones included",
        "sysctl net.ipv6.conf.all.forwarding  # on node-1, and ip -6 route get fd00:10:244:1::5",
    )


def test_endpoints_that_are_silent_though_their_nodes_answer_are_their_own_trouble():
    silent = {"one": "timed-out", "two": "timed-out"}
    at_fault = ("node-1", "node-2")
    assert asked(**silent) == wanted(
        "endpoints-unanswered", remote="one", at_fault=at_fault, **silent
    )


def test_an_endpoint_that_asks_itself_proves_no_way():
    itself = Endpoint(PLACES["one"].at.address, 40000)
    found = asked(here=itself, down=("node-1", "node-2"), two="timed-out")
    assert [one.by_itself for one in found.answers[:2]] == [True, False]
    assert (found.verdict, found.at_fault) == ("node-unreached", ("node-2",))
    assert found.known_cause[0] == (
        "nothing comes back over IPv6 to node-1 from node-2, neither from its pods nor from itself: "
        "there is no route between the two, or one of them does not forward"
    )


def test_where_nothing_can_be_sent_the_vantage_itself_is_asked_about():
    every = dict.fromkeys(PLACES, "no-route")
    found = asked(**every)
    assert found == wanted("no-route", remote="one", **every)
    assert (found.broken_layer, found.known_cause) == (Layer.ROUTE, None)


def test_one_silent_endpoint_beside_one_that_answers_is_its_own_trouble():
    both = [
        objects.endpoint("fd00:10:244:2::5", 2),
        objects.endpoint("fd00:10:244:2::6", 2),
    ]
    found = known(slices=(objects.endpoint_slice(endpoints=both),))
    assert asked(found, two="timed-out").verdict == "endpoints-unanswered"


@pytest.mark.parametrize("status", [b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", PAGE])
def test_any_page_is_an_answer(status):
    ask = service_answers.ask(known(), family="ipv6")
    replies = [Reply("answered", status, ON_NODE_1) for _ in ask.operations]
    assert ask.judge(seen(*replies)).verdict == "answers"


def test_what_is_no_page_is_the_endpoint_s_own_trouble():
    ask = service_answers.ask(known(), family="ipv6")
    replies = [Reply("answered", b"SSH-2.0-x\r\n", ON_NODE_1) for _ in ask.operations]
    assert ask.judge(seen(*replies)).verdict == "endpoints-unanswered"


def test_over_ipv4_only_ipv4_is_asked():
    found = asked(family="ipv4")
    assert (found.verdict, found.family, found.path) == ("answers", Family.IPV4, Path.IPV4)
    assert {one.target.at.address.version for one in found.answers} == {4}
    ask = service_answers.ask(known(), family="ipv4")
    assert {operation["family"] for operation in ask.operations} == {4}


def test_a_family_that_the_service_has_not_is_missing_and_nothing_is_asked():
    said = objects.service(clusterIPs=["10.96.0.7"], ipFamilies=["IPv4"])
    ask: Any = service_answers.ask(known(said), family="ipv6")
    assert ask.operations == ()
    assert ask.judge(seen()).known_cause[0] == "the service has no IPv6"
    assert ask.judge(seen()) == replace(
        wanted("family-missing", node="", down=("node-1", "node-2")),
        answers=(),
        local=None,
        remote=None,
    )


def test_a_family_without_endpoints_is_so_said_whatever_answers():
    found = asked(known(slices=(objects.endpoint_slice("IPv4"),)), cluster="refused")
    assert (found.verdict, found.broken_layer) == ("endpoints-missing", Layer.ENDPOINTS)
    assert found.known_cause == (
        "no endpoint of IPv6 stands behind the service",
        "kubectl -n default get endpointslices -l kubernetes.io/service-name=web",
    )


def test_a_headless_service_is_asked_at_its_endpoints():
    said = objects.service(clusterIP="None", clusterIPs=["None"])
    found = asked(known(said))
    assert [one.target.at for one in found.answers] == [PLACES["one"].at, PLACES["two"].at]
    assert found.verdict == "answers"


def test_ports_of_udp_are_not_asked_and_what_is_no_http_is_only_connected_to():
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53}]
    slice_ = objects.endpoint_slice(ports=ports)
    found = known(objects.service(ports=ports), declared=None, slices=(slice_,))
    ask = service_answers.ask(found, family="ipv6")
    assert [operation["until"] for operation in ask.operations] == ["connect"] * 5
    assert ask.judge(seen(*[reply()] * 5)).answers[-1].verdict == "open"


def test_the_node_may_be_said_where_the_address_does_not_tell():
    bare = tuple(objects.but(node, "spec", {}) for node in (objects.node(1), objects.node(2)))
    assert asked(known(nodes=bare)).node == ""
    assert asked(known(nodes=bare), node="node-1", cluster="timed-out").at_fault == ("node-1",)


def test_the_node_of_a_pod_is_that_of_its_own_endpoint_where_nodes_have_no_ranges():
    bare = tuple(objects.but(node, "spec", {}) for node in (objects.node(1), objects.node(2)))
    itself = Endpoint(PLACES["two"].at.address, 40000)
    assert asked(known(nodes=bare), here=itself).node == "node-2"


@pytest.mark.parametrize(
    ("number", "verdict"), [(1, "cluster-ip-silent"), (2, "answers")], ids=["here", "elsewhere"]
)
def test_a_cluster_ip_for_the_own_node_only_is_due_where_an_endpoint_is(number, verdict):
    said = objects.service(internalTrafficPolicy="Local")
    one = objects.endpoint_slice(endpoints=[objects.endpoint(f"fd00:10:244:{number}::5", number)])
    found = asked(known(said, slices=(one,)), cluster="timed-out")
    assert (found.verdict, found.node) == (verdict, "node-1")


def test_a_family_that_is_none_is_refused():
    with pytest.raises(ValueError, match="ipv5"):
        service_answers.ask(known(), family="ipv5")
