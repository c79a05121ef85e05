"""Is the right pod asked from, and is it said why none can be?"""

import os
import signal
import sys
from threading import Timer

import pytest

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.inventory.kube import Pod
from pytest_v6probe.transport.pod.exec import PodTransport
from tests.unit.transport.pod.played import PODS, listed, pod, refusal, said

BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}


def transport(api, **changed):
    return PodTransport(api, Pod(cluster="here/prod", **{"selector": "app=web", **changed}))


def failure(api, kind=VantageUnreachable, **changed):
    with pytest.raises(Unobserved) as caught:
        transport(api, **changed).start(["true"], timeout_s=3)
    assert type(caught.value) is kind
    return caught.value.reason, str(caught.value)


def run(channel):
    heard = b""
    while octets := channel.receive(timeout_s=5):
        heard += octets
    words = channel.last_words()
    channel.close()
    return heard, words


def test_a_program_runs_in_the_first_ready_pod(fake, api):
    fake.pods = [pod("web-2"), pod("web-1", ready=False), pod("web-3")]
    way = transport(api)
    assert way.name == "kubectl exec a pod with app=web in default at here/prod"
    assert run(way.start(["echo", "hello"], timeout_s=5)) == (b"hello\n", "exit status 0")
    assert way.name == "kubectl exec web-2 -n default -c web at here/prod"
    assert fake.asked[-1] == f"GET {PODS}/web-2/exec"


def test_the_same_pod_is_asked_from_as_long_as_it_is_ready(fake, api):
    way = transport(api)
    run(way.start(["true"], timeout_s=5))
    fake.pods = [pod("web-0"), *fake.pods]
    api.forget()
    run(way.start(["true"], timeout_s=5))
    fake.pods = fake.pods[:1]
    api.forget()
    run(way.start(["true"], timeout_s=5))
    assert [asked.split("/")[-2] for asked in fake.asked if asked.endswith("/exec")] == [
        "web-1",
        "web-1",
        "web-0",
    ]


@pytest.mark.parametrize(
    ("pods", "changed", "said_of_it"),
    [
        ([], {}, ("pod-absent", "there is none")),
        ([pod()], {"node": "node-7"}, ("pod-absent", "none on the node node-7 (1 elsewhere)")),
        ([pod(deleted=True)], {}, ("pod-not-ready", "none is ready: web-1 is being deleted")),
        (
            [pod(ready=False, state=BACK_OFF)],
            {},
            ("pod-not-ready", "web-1 is Running: CrashLoopBackOff"),
        ),
        (
            [pod(phase="Pending", state={"waiting": {"reason": "ImagePullBackOff"}})],
            {},
            ("pod-not-ready", "web-1 is Pending: ImagePullBackOff"),
        ),
        (
            [pod(containers=("a", "b"))],
            {"container": "c"},
            ("container-absent", "it has no container 'c', but a, b"),
        ),
        ([pod(state=BACK_OFF)], {}, ("container-not-running", "does not run: CrashLoopBackOff")),
        ([pod(state=7)], {}, ("container-not-running", "it is not said why")),
    ],
)
def test_a_pod_that_will_not_do_is_said(fake, api, pods, changed, said_of_it):
    fake.pods = pods
    reason, expected = said_of_it
    found, words = failure(api, **changed)
    assert (found, expected in words, "at here/prod" in words) == (reason, True, True)


def test_a_right_that_is_missing_is_named_with_its_verbs(fake, api):
    message = 'pods "web-1" is forbidden: User "u" cannot create resource "pods/exec"'
    fake.script[f"GET {PODS}/web-1/exec"] = refusal(403, message)
    reason, words = failure(api)
    assert reason == "forbidden"
    assert words == (
        f"kubectl exec web-1 -n default -c web at here/prod: {message}: it takes create and get on "
        "pods/exec in the namespace default: kubectl create role v6probe -n default "
        "--verb=create,get --resource=pods/exec && kubectl create rolebinding v6probe -n default "
        "--role=v6probe --user=…"
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(400, "container web is not valid for pod web-1"), "container-absent"),
        (refusal(405, "no"), "exec-refused"),
        (refusal(404, 'pods "web-1" not found'), "pod-absent"),
        (refusal(500, "error dialing backend: no route to host"), "api-error"),
        (refusal(429, "too many requests"), "api-busy"),
        (said(200, {}), "exec-refused"),
    ],
)
def test_an_exec_that_is_refused_is_said(fake, api, answer, reason):
    fake.script[f"GET {PODS}/web-1/exec"] = answer
    assert failure(api)[0] == reason


def test_a_pod_that_went_since_it_was_listed_is_not_the_last_word(fake, api):
    old = [pod("web-0"), pod("web-1")]
    fake.script[f"GET {PODS}"] = [said(200, listed(*old))]
    fake.script[f"GET {PODS}/web-0/exec"] = refusal(404, 'pods "web-0" not found')
    way = transport(api)
    assert run(way.start(["echo", "hello"], timeout_s=5)) == (b"hello\n", "exit status 0")
    assert "kubectl exec web-1 " in way.name


def test_pods_that_may_not_be_listed_name_the_right(fake, api):
    fake.script[f"GET {PODS}"] = refusal(403, "no")
    reason, words = failure(api, Unobserved)
    assert (reason, "list on pods in the namespace default" in words) == ("forbidden", True)


def test_an_api_that_is_silent_is_given_up_in_time(fake, api):
    fake.script[f"GET {PODS}/web-1/exec"] = lambda connection, _head: connection.recv(1)
    with pytest.raises(DeadlinePassed, match="did not answer in time"):
        transport(api).start(["true"], timeout_s=0.4)


@pytest.fixture
def agent(fake, api):
    opened = open_agent(transport(api), python=sys.executable, vantage="here/prod.web")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ([], "(the pod was deleted)"),
        ([pod(uid="another")], "(the pod was deleted)"),
        ([pod(deleted=True)], "(the pod is being deleted)"),
        ([pod(phase="Failed", state=7)], "(the pod has failed: web-1 is Failed)"),
        ([pod(state=BACK_OFF)], "(its container web was restarted: CrashLoopBackOff)"),
    ],
)
def test_an_agent_whose_pod_goes_says_what_became_of_it(fake, agent, now, expected):
    fake.pods = now

    def kill():
        os.kill(agent.hello["pid"], signal.SIGKILL)

    timer = Timer(0.2, kill)
    timer.start()
    with pytest.raises(AgentUnusable) as caught:
        agent.run([wire.watch(groups=0, timeout_s=20)])
    timer.join()
    assert caught.value.reason == "agent-died"
    assert f"(exit status 137 {expected})" in str(caught.value)


def test_an_api_that_does_not_say_what_became_of_a_pod_is_said(fake, api):
    channel = transport(api).start(["sh", "-c", "echo x; kill -9 $$"], timeout_s=5)
    fake.script[f"GET {PODS}/web-1"] = refusal(500, "etcd")
    assert run(channel) == (b"x\n", "exit status 137 (the API does not say why)")
