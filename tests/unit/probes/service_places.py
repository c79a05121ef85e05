"""What is asked of a dual-stack service of two endpoints, and what is found as each place answers?"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.inventory import kube
from pytest_v6probe.probes import kube_service
from pytest_v6probe.probes.service_answers import ServiceAnswers, service_answers
from pytest_v6probe.probes.service_targets import Answered, Target
from pytest_v6probe.result import Endpoint, Family, Path
from tests.unit.kube import objects
from tests.unit.probes.seen import VANTAGE, seen

SPEC = kube.Cluster(name="lab", region="kind", families=("ipv6", "ipv4"))
WEB = kube.Service(name="web", cluster="kind/lab", families=("ipv6", "ipv4"), type="NodePort")
PORT = {"name": "http", "port": 80, "nodePort": 30080}
SAID = objects.but(
    objects.service(type="NodePort", ports=[PORT]),
    "status.loadBalancer",
    {"ingress": [{"ip": "2001:db8::80"}, {"ip": "192.0.2.80"}]},
)
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ON_NODE_1 = Endpoint(ip_address("fd00:10:244:1::9"), 40000)
OUTSIDE = Endpoint(ip_address("2001:db8::c"), 40000)
PLACES = {
    "one": Target(
        kind="endpoint",
        at=Endpoint(ip_address("fd00:10:244:1::5"), 80),
        node="node-1",
        http=True,
    ),
    "two": Target(
        kind="endpoint",
        at=Endpoint(ip_address("fd00:10:244:2::5"), 80),
        node="node-2",
        http=True,
    ),
    "cluster": Target(kind="cluster-ip", at=Endpoint(ip_address("fd00:10:96::7"), 80), http=True),
    "port-1": Target(
        kind="node-port",
        at=Endpoint(ip_address("fc00:f853:ccd:e793::3"), 30080),
        node="node-1",
        http=True,
    ),
    "port-2": Target(
        kind="node-port",
        at=Endpoint(ip_address("fc00:f853:ccd:e793::4"), 30080),
        node="node-2",
        http=True,
    ),
    "external": Target(kind="external", at=Endpoint(ip_address("2001:db8::80"), 80), http=True),
}


def known(said=SAID, *, declared=WEB, **changes):
    lists = objects.lists(services=(said,), **changes)
    return kube_service.judge(lists, spec=SPEC, namespace="default", name="web", declared=declared)


def reply(outcome="answered", at=None, here=ON_NODE_1):
    payload = PAGE if outcome == "answered" else b""
    return Reply(outcome, payload, here, at, 0.01)


def asked(
    found=None, *, family="ipv6", outside=False, node="", here=ON_NODE_1, down=(), **outcomes
):
    """What is found where each place of PLACES, by its name, ends as *outcomes* says, and the nodes
    *down* do not answer themselves.
    """
    ask: Any = service_answers.ask(found or known(), family=family, outside=outside, node=node)
    names = {(place.kind, place.at): name for name, place in PLACES.items()}
    known_by = [
        (names.get((place.kind, place.at), ""), place.at) for place in ask.judge.keywords["places"]
    ]
    knocks = ask.judge.keywords["knocks"]
    return ask.judge(
        seen(
            *(reply(outcomes.get(name, "answered"), at, here) for name, at in known_by),
            *(Reply("timed-out" if name in down else "refused") for name, _ in knocks),
        )
    )


def wanted(verdict, *, remote="cluster", at_fault=(), node="node-1", down=(), **outcomes):
    return ServiceAnswers(
        vantage=VANTAGE,
        asked="service default/web over ipv6",
        verdict=verdict,
        family=Family.IPV6,
        node=node,
        answers=tuple(
            Answered(
                target=place,
                verdict=outcomes.get(name, "ok"),
                tries=(tries := 12 if place.kind in {"node-port", "external"} else 1),
                failed=tries if name in outcomes else 0,
            )
            for name, place in PLACES.items()
        ),
        at_fault=at_fault,
        nodes_reached=frozenset({"node-1", "node-2"}) - {*down},
        service="default/web",
        local=ON_NODE_1,
        remote=PLACES[remote].at,
        path=Path.NATIVE,
    )
