"""Does a pod without python3 come to have one, once, and is it said?"""

import os
import subprocess
import sys
import time

import pytest

from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import AgentUnusable, VantageUnreachable
from pytest_v6probe.inventory.kube import Pod
from pytest_v6probe.transport.pod import debug
from pytest_v6probe.transport.pod.debug import RESTRICTED, WAIT
from pytest_v6probe.transport.pod.exec import PodTransport
from tests.unit.transport.pod.played import PODS, pod, refusal, said

IMAGE = "python:3-alpine"
ADD = f"PATCH {PODS}/web-1/ephemeralcontainers"


@pytest.fixture
def plain(fake):
    """The pod's own container has no program at all."""
    fake.without_programs = {"web"}
    return fake


def transport(api, **changed):
    return PodTransport(api, Pod(cluster="c", selector="a=b", **{"debug_image": IMAGE, **changed}))


def failure(api, within_s=5.0):
    with pytest.raises(VantageUnreachable) as caught:
        transport(api).start([sys.executable], timeout_s=within_s)
    return caught.value.reason, str(caught.value)


def ephemeral(fake):
    return fake.pods[0]["spec"].get("ephemeralContainers", [])


def test_a_container_with_python_is_left_as_it_is(fake, api):
    way = transport(api)
    open_agent(way, python=sys.executable).close()
    assert (ephemeral(fake), way.name) == ([], "kubectl exec web-1 -n default -c web at here/prod")


def test_a_container_without_it_is_given_a_neighbour_and_that_is_said(plain, api):
    way = transport(api)
    agent = open_agent(way, python=sys.executable)
    (added,) = ephemeral(plain)
    assert agent.hello["python"].startswith("3.")
    assert added == {
        "name": added["name"],
        "image": IMAGE,
        "command": [sys.executable, "-I", "-S", "-c", WAIT],
        "targetContainerName": "web",
    }
    assert added["name"].startswith("v6probe-")
    assert way.name == (
        f"kubectl exec web-1 -n default -c {added['name']} (an ephemeral container of {IMAGE} "
        "beside web: it ends by itself, and stays in the pod's description) at here/prod"
    )
    agent.close()
    assert (
        "Content-Type: application/strategic-merge-patch+json"
        in plain.heads[plain.asked.index(ADD)]
    )


def test_one_that_still_runs_is_used_again(plain, api):
    for _ in range(2):
        open_agent(transport(api), python=sys.executable).close()
    assert len(ephemeral(plain)) == 1
    state = plain.pods[0]["status"]["ephemeralContainerStatuses"][0]["state"]
    state["terminated"] = {"exitCode": 0}
    del state["running"]
    open_agent(transport(api), python=sys.executable).close()
    assert len(ephemeral(plain)) == 2


def test_that_of_another_is_not_used(plain, api):
    plain.add_debugger(plain.pods[0], {"name": "debugger-x", "image": IMAGE})
    plain.add_debugger(plain.pods[0], {"name": "v6probe-y", "image": "other"})
    open_agent(transport(api), python=sys.executable).close()
    assert len(ephemeral(plain)) == 3


def test_without_a_debug_image_nothing_is_added(plain, api):
    way = transport(api, debug_image="")
    with pytest.raises(AgentUnusable) as caught:
        open_agent(way, python=sys.executable)
    assert (caught.value.reason, ephemeral(plain)) == ("no-python3", [])


def test_a_right_that_is_missing_is_named(plain, api):
    plain.script[ADD] = refusal(403, 'User "u" cannot patch resource "pods/ephemeralcontainers"')
    reason, words = failure(api)
    assert reason == "forbidden"
    assert "it takes patch on pods/ephemeralcontainers in the namespace" in words
    assert "--verb=patch --resource=pods/ephemeralcontainers" in words


@pytest.mark.parametrize(
    ("context", "user"), [({}, {"runAsUser": 65534}), ({"runAsUser": 1000}, {})]
)
def test_where_pods_are_restricted_it_is_so_as_well(plain, api, context, user):
    plain.pods[0]["spec"]["securityContext"] = context
    plain.script[ADD] = [refusal(403, 'pods "web-1" violates PodSecurity "restricted:latest"')]
    open_agent(transport(api), python=sys.executable).close()
    assert ephemeral(plain)[0]["securityContext"] == {**RESTRICTED, **user}


def test_an_api_that_adds_none_is_said(plain, api):
    plain.script[ADD] = refusal(422, "spec.ephemeralContainers: Forbidden")
    reason, words = failure(api)
    assert (reason, "the API does not add it: spec.ephemeralContainers" in words) == (
        "debug-image",
        True,
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}, "ImagePullBackOff"),
        (
            {
                "terminated": {
                    "exitCode": 127,
                    "reason": "StartError",
                    "message": 'exec: "python3": not found',
                }
            },
            'StartError (exec: "python3": not found)',
        ),
        (
            {"terminated": {"reason": "StartError", "exitCode": 128}},
            "StartError",
        ),
        ({"waiting": {"reason": "CreateContainerConfigError"}}, "CreateContainerConfigError"),
    ],
)
def test_an_image_that_does_not_run_is_said(plain, api, monkeypatch, state, expected):
    def add(_self, known, container):
        known["spec"]["ephemeralContainers"] = [container]
        known["status"]["ephemeralContainerStatuses"] = [
            {"name": container["name"], "state": state}
        ]

    monkeypatch.setattr(type(plain), "add_debugger", add)
    reason, words = failure(api)
    assert (reason, f"{IMAGE} does not run: {expected}" in words) == ("debug-image", True)
    again = failure(api)
    assert (again, len(ephemeral(plain))) == ((reason, words), 1)


def test_one_that_does_not_start_in_time_is_given_up(plain, api, monkeypatch):
    def add(_self, known, container):
        known["status"]["ephemeralContainerStatuses"] = [
            {"name": container["name"], "state": {"waiting": {"reason": "ContainerCreating"}}}
        ]

    monkeypatch.setattr(type(plain), "add_debugger", add)
    reason, words = failure(api, within_s=1.0)
    assert (reason, "not there in time: ContainerCreating" in words) == ("debug-image", True)


def test_one_that_starts_late_is_waited_for(plain, api, monkeypatch):
    monkeypatch.setattr(debug, "LOOK_AGAIN_S", 0.05)
    states: list[dict[str, object]] = [{"waiting": {}}, {}, {"running": {}}]
    looks: list[dict[str, object]] = []

    def look(connection, _head):
        known = pod()
        name = ephemeral(plain)[0]["name"] if ephemeral(plain) else "none"
        state = states[len(looks) - 1] if looks else {}
        looks.append(state)
        known["status"]["ephemeralContainerStatuses"] = [{"name": name, "state": state}]
        connection.sendall(said(200, known))

    plain.script[f"GET {PODS}/web-1"] = look
    transport(api).start([sys.executable], timeout_s=5).close()
    assert looks == [{}, *states]


def test_a_pod_that_goes_meanwhile_is_said(plain, api):
    plain.script[f"GET {PODS}/web-1"] = refusal(404, "gone")
    assert failure(api) == (
        "pod-absent",
        "kubectl exec web-1 -n default -c web at here/prod: gone",
    )


def test_what_keeps_it_ends_when_no_agent_is_there(tmp_path):
    quick = WAIT.replace(",5)", ",.05)").replace("left=12", "left=4").replace("'/proc", "P+'")
    quick = quick.replace("listdir(P+'')", "listdir(P)")
    place = tmp_path / "proc"
    (place / "7").mkdir(parents=True)
    (place / "self").mkdir()
    (place / "7" / "cmdline").write_bytes(b"python3\0-c\0...v6probe:...")
    code = f"P={str(place)!r}\n{quick}"
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code]) as keeper:
        time.sleep(0.6)
        with_an_agent = keeper.poll()
        (place / "7" / "cmdline").write_bytes(b"sh")
        assert (with_an_agent, keeper.wait(10)) == (None, 0)


def test_what_keeps_it_does_not_take_itself_for_an_agent():
    assert "v6probe:" not in WAIT


def test_what_keeps_it_ends_when_it_is_told_to():
    code = WAIT.replace("left=12\n", "left=12\nprint(left,flush=True)\n", 1)
    command = [sys.executable, "-I", "-S", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"12\n"
        os.kill(keeper.pid, 15)
        assert keeper.wait(10) == 0
