"""Does the judge tell a pod, the way to its node, and the own node apart?"""

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.inventory import kube
from pytest_v6probe.probes import kube_pods
from pytest_v6probe.probes.pod_network import PodNetwork, Reached, pod_network
from pytest_v6probe.result import Endpoint, Family, Layer, Path
from tests.unit.kube import objects
from tests.unit.probes.seen import VANTAGE, seen

SPEC = kube.Cluster(name="lab", region="kind", families=("ipv6", "ipv4"))
SAID = (
    objects.pod("me", 1, 5),
    objects.pod("near", 1, 6),
    objects.pod("far", 2, 6),
    objects.but(objects.pod("mute", 2, 7), "spec.containers.0.ports", []),
    objects.host_pod(),
)
ME = Endpoint(ip_address("fd00:10:244:1::5"), 40000)
OTHERS = {
    "near": ("node-1", Endpoint(ip_address("fd00:10:244:1::6"), 80)),
    "far": ("node-2", Endpoint(ip_address("fd00:10:244:2::6"), 80)),
    "mute": ("node-2", Endpoint(ip_address("fd00:10:244:2::7"))),
}
GET = "ip -6 route get fd00:10:244:2::6"


def known(*said):
    lists = {"pods": said or SAID, "nodes": (objects.node(1), objects.node(2))}
    return kube_pods.judge(lists, spec=SPEC)


def asked(*, down=(), **outcomes):
    """What is found where each other pod ends as *outcomes* says, and the nodes *down* do not answer
    themselves.
    """
    ask: Any = pod_network.ask(known(), family="ipv6")
    every = (
        Reply(outcomes.get(name, "answered"), b"", ME, at)
        for name, at in (("me", None), *((name, at) for name, (_, at) in OTHERS.items()))
    )
    knocks = (
        Reply("timed-out" if name in down else "answered", b"", ME)
        for name, _ in ask.judge.keywords["knocks"]
    )
    return ask.judge(seen(*every, *knocks))


def wanted(verdict, *, remote="near", at_fault=(), down=(), **outcomes):
    return PodNetwork(
        vantage=VANTAGE,
        asked="every other pod over ipv6",
        verdict=verdict,
        family=Family.IPV6,
        pod="default/me",
        node="node-1",
        others=tuple(
            Reached(pod=f"default/{name}", node=node, at=at, outcome=outcomes.get(name, "answered"))
            for name, (node, at) in OTHERS.items()
        ),
        at_fault=at_fault,
        nodes_reached=frozenset({"node-1", "node-2"}) - {*down},
        local=ME,
        remote=OTHERS[remote][1],
        path=Path.NATIVE,
    )


def test_every_other_pod_is_asked_on_its_port_or_by_an_echo():
    ask = pod_network.ask(known(), family="ipv6")
    assert [(one["op"], one["host"], one.get("port")) for one in ask.operations] == [
        ("stream", "fd00:10:244:1::5", 80),
        ("stream", "fd00:10:244:1::6", 80),
        ("stream", "fd00:10:244:2::6", 80),
        ("echo", "fd00:10:244:2::7", None),
        ("stream", "fc00:f853:ccd:e793::3", 10250),
        ("stream", "fc00:f853:ccd:e793::4", 10250),
    ]
    assert asked() == wanted("all-reached")
    assert asked().same_node_works


def test_who_refuses_is_reached():
    assert asked(far="refused") == wanted("all-reached", far="refused")


@pytest.mark.parametrize(
    ("outcomes", "verdict", "at_fault", "layer", "cause"),
    [
        pytest.param(
            {"far": "timed-out", "mute": "timed-out"},
            "node-unreached",
            ("node-2",),
            Layer.FORWARDING,
            (
                "nothing comes back over IPv6 to node-1 from the pods of node-2, from the node itself "
                "it does: node-2 does not forward, or does not know the way to its own pods",
                f"sysctl net.ipv6.conf.all.forwarding  # on node-2, and {GET}",
            ),
            id="another-node",
        ),
        pytest.param(
            {"far": "no-route", "mute": "no-route"},
            "node-unreached",
            ("node-2",),
            Layer.ROUTE,
            (
                "node-1 has no IPv6 route to the pods of node-2",
                f"{GET}  # on node-1; then the routes that the CNI, or the cloud, is to make there",
            ),
            id="no-route",
        ),
        pytest.param(
            {"near": "timed-out", "far": "timed-out", "mute": "timed-out"},
            "pod-unreached",
            ("node-1", "node-2"),
            Layer.POD,
            None,
            id="every-pod-and-no-node",
        ),
        pytest.param(
            {"near": "timed-out"}, "pod-unreached", ("node-1",), Layer.POD, None, id="one-pod-here"
        ),
        pytest.param(
            {"far": "timed-out"}, "pod-unreached", ("node-2",), Layer.POD, None, id="one-pod"
        ),
        pytest.param(
            {"near": "no-route", "far": "no-route", "mute": "no-route"},
            "no-route",
            (),
            Layer.ROUTE,
            None,
            id="the-pod-itself",
        ),
    ],
)
def test_what_is_unreached_is_told_apart(outcomes, verdict, at_fault, layer, cause):
    found = asked(**outcomes)
    first = next(iter(outcomes))
    assert found == wanted(verdict, remote=first, at_fault=at_fault, **outcomes)
    assert (found.broken_layer, found.known_cause) == (layer, cause)
    assert [one.outcome for one in found.unreached] == list(outcomes.values())


def test_a_node_that_does_not_forward_for_its_own_pods_is_told_by_what_is_on_it():
    silent = {"near": "timed-out", "far": "timed-out", "mute": "timed-out"}
    found = asked(down=("node-2",), **silent)
    assert found == wanted("not-forwarded", at_fault=("node-1",), down=("node-2",), **silent)
    assert (found.broken_layer, found.known_cause) == (
        Layer.FORWARDING,
        (
            "node-1 does not forward IPv6: no other pod is reached, its own ones included",
            "sysctl net.ipv6.conf.all.forwarding  # on node-1, and ip -6 route get fd00:10:244:1::6",
        ),
    )


def test_the_pair_that_fails_is_said_first():
    assert asked(far="timed-out").evidence[0] == (
        "default/me on node-1 → default/far on node-2 at [fd00:10:244:2::6]:80: timed-out"
    )


def test_an_echo_that_may_not_be_sent_says_nothing_of_the_pod():
    assert asked(mute="not-permitted") == wanted("all-reached", remote="mute", mute="not-permitted")


def test_over_ipv4_only_ipv4_is_asked():
    ask = pod_network.ask(known(), family="ipv4", port=8080)
    assert {(one["host"], one["port"], one["family"]) for one in ask.operations} >= {
        ("10.244.2.6", 8080, 4)
    }
    assert ask.judge(seen(*[Reply("answered")] * 6)).path is Path.IPV4


def test_a_lone_pod_has_nobody_to_ask():
    ask = pod_network.ask(known(SAID[0]), family="ipv6")
    assert ask.judge(seen(*[Reply("answered", b"", ME)] * 2)) == replace(
        wanted("alone", down=("node-2",)), others=(), local=None, remote=None
    )


def test_a_cluster_without_the_family_has_no_address_to_ask():
    only = objects.pod("me", podIPs=[{"ip": "10.244.1.5"}])
    ask = pod_network.ask(known(only), family="ipv6")
    assert (ask.operations, ask.judge(seen()).verdict) == ((), "family-missing")


def test_a_vantage_that_is_no_known_pod_asks_all():
    ask = pod_network.ask(known(), family="ipv6")
    found = ask.judge(seen(*[Reply("timed-out")] * 6))
    assert (found.pod, found.verdict, len(found.others)) == ("", "node-unreached", 4)
    assert found.same_node_works is None
