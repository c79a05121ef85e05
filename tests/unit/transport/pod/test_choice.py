"""Is the first ready pod chosen, and is it said why another is not?"""

import pytest

from pytest_v6probe.transport.pod import choice
from tests.unit.transport.pod.played import pod

BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}


def test_the_first_by_name_of_those_that_are_ready_is_chosen():
    pods = [
        pod("c"),
        pod("b"),
        pod("a", ready=False),
        pod("a1", deleted=True),
        pod("a2", phase="Pending"),
    ]
    found = choice.chosen(pods, uid="")
    assert found is not None
    assert choice.name_of(found) == "b"


def test_the_one_that_was_chosen_before_stays():
    pods = [pod("b"), pod("c")]
    assert choice.chosen(pods, uid="uid-c") == pod("c")
    assert choice.chosen([pod("b"), pod("c", ready=False)], uid="uid-c") == pod("b")


def test_only_pods_on_the_wanted_node_will_do():
    pods = [pod("a"), pod("b", node="node-2")]
    assert choice.on(pods, "node-2") == pods[1:]
    assert (choice.on(pods, "node-3"), choice.on(pods, "")) == ([], pods)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (pod(deleted=True), "web-1 is being deleted"),
        (pod(ready=False, state=BACK_OFF), "web-1 is Running: CrashLoopBackOff (back-off 5m0s)"),
        (
            pod(phase="Pending", state={"waiting": {"reason": "ImagePullBackOff"}}),
            "web-1 is Pending: ImagePullBackOff",
        ),
        (pod(ready=False), "web-1 is Running"),
        ({"metadata": {"name": "x"}}, "x is without a phase"),
        ({"metadata": 7, "status": [], "spec": None}, " is without a phase"),
        (
            {
                "metadata": {"name": "x"},
                "status": {"phase": "Failed", "reason": "Evicted", "conditions": 7},
            },
            "x is Failed: Evicted",
        ),
        (
            {
                "metadata": {"name": "x"},
                "status": {
                    "phase": "Pending",
                    "conditions": [
                        {"type": "PodScheduled", "status": "False", "message": "no\nnode\x1b fits"}
                    ],
                },
            },
            "x is Pending: no node\ufffd fits",
        ),
    ],
)
def test_what_keeps_a_pod_from_being_asked_is_said(seen, expected):
    assert choice.why_not([seen]) == expected


def test_of_many_pods_the_first_are_named():
    pods = [pod(f"p{number}", deleted=True) for number in range(8)]
    assert choice.why_not(pods).endswith("p4 is being deleted; and 3 more")


@pytest.mark.parametrize(
    ("seen", "wanted", "expected"),
    [
        (pod(containers=("a", "b")), "", "a"),
        (pod(containers=("a", "b")), "b", "b"),
        (pod(containers=("a", "b")), "c", None),
        (
            pod(containers=("proxy", "web"), annotations={choice.DEFAULT_CONTAINER: "web"}),
            "",
            "web",
        ),
        (pod(containers=("a",), annotations={choice.DEFAULT_CONTAINER: "gone"}), "", "a"),
        ({"spec": {"containers": []}}, "", None),
        (
            {"spec": {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]}},
            "proxy",
            "proxy",
        ),
        ({"spec": {"initContainers": [{"name": "setup"}]}}, "setup", None),
    ],
)
def test_the_container_is_the_wanted_one_or_the_pods_own(seen, wanted, expected):
    assert choice.container_of(seen, wanted) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (pod(), ""),
        (None, "(the pod was deleted)"),
        (pod(uid="another"), "(the pod was deleted)"),
        (pod(deleted=True), "(the pod is being deleted)"),
        (pod(phase="Failed"), "(the pod has failed: web-1 is Failed)"),
        (
            pod(state=BACK_OFF),
            "(its container web was restarted: CrashLoopBackOff (back-off 5m0s))",
        ),
    ],
)
def test_what_has_become_of_a_pod_is_said(now, expected):
    assert choice.become(pod(), now, "web") == expected


def test_a_container_that_was_restarted_is_said_with_how_it_ended():
    now = pod()
    now["status"]["containerStatuses"][0] |= {
        "restartCount": 1,
        "lastState": {"terminated": {"reason": "OOMKilled"}},
    }
    assert choice.become(pod(), now, "web") == (
        "(its container web was restarted: it ended as OOMKilled)"
    )
