"""Is a node asked from by a pod of our own, and is nothing left of it?"""

import json
import sys

import pytest

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.transport.pod import node
from pytest_v6probe.transport.pod.debug import WAIT
from pytest_v6probe.transport.pod.node import NodePodTransport
from tests.unit.transport.pod.played import listed, pod, refusal, said

SPACES = "/api/v1/namespaces"
OWN = f"{SPACES}/v6probe-0123456789ab"
READY = pod("node", containers=("node",))


@pytest.fixture
def cluster(fake, monkeypatch):
    """A cluster that lets a namespace be made, and a pod in it."""
    monkeypatch.setattr(node, "new_name", lambda: "v6probe-0123456789ab")
    fake.script |= {
        f"POST {SPACES}": said(201, {}),
        f"POST {OWN}/pods": said(201, {}),
        f"GET {OWN}/pods/node": said(200, READY),
        f"GET {OWN}/pods": said(200, listed(READY)),
        f"DELETE {OWN}": said(200, {}),
    }
    return fake


def transport(api):
    return NodePodTransport(api, "node-1", image="python:3", python=sys.executable)


def failure(api, within_s=3.0):
    with pytest.raises(VantageUnreachable) as caught:
        transport(api).start(["true"], timeout_s=within_s)
    return caught.value.reason, str(caught.value)


def test_an_agent_runs_on_the_nodes_network_and_the_namespace_goes_with_it(cluster, api):
    way = transport(api)
    assert way.name == "a pod of python:3 on node-1's network at here/prod"
    agent = open_agent(way, python=sys.executable)
    assert way.name.endswith("network in v6probe-0123456789ab at here/prod")
    assert agent.run([wire.read("/proc/net/if_inet6")])[0].outcome == "answered"
    agent.close()
    way.close()
    assert [asked for asked in cluster.asked if not asked.startswith("GET")] == [
        f"POST {SPACES}",
        f"POST {OWN}/pods",
        f"DELETE {OWN}",
    ]


def test_what_is_made_bears_our_label_and_gives_nothing_away(cluster, api):
    transport(api).start(["true"], timeout_s=5).close()
    space, made = (json.loads(body) for body in cluster.bodies if body)
    assert space["metadata"] == {
        "name": "v6probe-0123456789ab",
        "labels": {
            "app.kubernetes.io/managed-by": "pytest-v6probe",
            "pod-security.kubernetes.io/enforce": "privileged",
        },
    }
    assert made["spec"] == {
        "nodeName": "node-1",
        "hostNetwork": True,
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
        "containers": [
            {
                "name": "node",
                "image": "python:3",
                "command": [sys.executable, "-I", "-S", "-c", WAIT],
                "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
            }
        ],
    }


def test_a_namespace_whose_account_is_not_there_yet_is_waited_for(cluster, api, monkeypatch):
    monkeypatch.setattr(node, "LOOK_AGAIN_S", 0.05)
    cluster.script[f"POST {OWN}/pods"] = [
        refusal(403, "error looking up service account x/default: not found"),
        said(201, {}),
    ]
    transport(api).start(["true"], timeout_s=5).close()
    assert cluster.asked.count(f"POST {OWN}/pods") == 2


@pytest.mark.parametrize(
    ("asked", "answer", "expected"),
    [
        (f"POST {SPACES}", refusal(403, "no"), ("forbidden", "create and delete on namespaces")),
        (f"POST {OWN}/pods", refusal(422, "bad image"), ("debug-image", "make it: bad image")),
        (
            f"GET {OWN}/pods/node",
            said(
                200,
                pod(
                    "node",
                    phase="Pending",
                    ready=False,
                    containers=("node",),
                    state={"waiting": {"reason": "ImagePullBackOff"}},
                ),
            ),
            ("debug-image", "it does not run: node is Pending: ImagePullBackOff"),
        ),
        (
            f"GET {OWN}/pods/node",
            said(200, pod("node", phase="Failed", ready=False)),
            ("debug-image", "it does not run: node is Failed"),
        ),
    ],
)
def test_why_there_is_no_pod_is_said_and_nothing_is_left(cluster, api, asked, answer, expected):
    cluster.script[asked] = answer
    reason, words = failure(api)
    assert (reason, expected[1] in words) == (expected[0], True)
    assert cluster.asked[-1] == f"DELETE {OWN}"


def test_a_pod_that_does_not_start_in_time_is_said_and_removed(cluster, api):
    cluster.script[f"GET {OWN}/pods/node"] = said(200, pod("node", phase="Pending", ready=False))
    assert failure(api, 0.6)[0] == "debug-image"
    assert cluster.asked[-1] == f"DELETE {OWN}"


def test_a_removal_that_fails_hides_nothing(cluster, api):
    cluster.script[f"POST {OWN}/pods"] = refusal(422, "bad image")
    cluster.script[f"DELETE {OWN}"] = refusal(500, "etcd")
    assert failure(api)[0] == "debug-image"
