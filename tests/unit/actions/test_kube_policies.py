"""Are three pods made that a policy can be tried on, and the policy as Kubernetes means it?"""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import partial

import pytest

from pytest_v6probe.actions import kube_policies
from pytest_v6probe.actions.kube import KubeNamespace
from pytest_v6probe.actions.kube_policies import (
    ALLOWED,
    DENIED,
    LABEL,
    SERVER,
    policy,
    policy_pods,
    restrict_egress,
    restrict_ingress,
)
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory import kube
from pytest_v6probe.wait import eventually
from tests.unit.actions.scripted_api import ScriptedApi, answer, cluster
from tests.unit.kube import objects

IMAGE = "python:3-alpine"
PODS = "/api/v1/namespaces/v6probe-1/pods"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/v6probe-1/networkpolicies"
NO_ACCOUNT = (
    'pods "server" is forbidden: error looking up service account v6probe-1/default: '
    'serviceaccount "default" not found'
)


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch):
    monkeypatch.setattr(kube_policies, "eventually", partial(eventually, every_s=0))
    monkeypatch.setattr(kube_policies, "LOOK_EVERY_S", 0)


def running(*names: str):
    return tuple(objects.pod(name) for name in names)


def namespace(api, *, image: str = IMAGE) -> KubeNamespace:
    made, _ = cluster(api)
    made.spec = replace(made.spec, probe_image=image)
    return KubeNamespace(cluster=made, name="v6probe-1")


def test_a_pod_is_made_for_each_role_and_all_are_waited_for():
    some = running(SERVER, DENIED)
    api = ScriptedApi(list=[(), some, running(SERVER, ALLOWED, DENIED)])
    with policy_pods(namespace(api)) as pods:
        assert (pods.server.id, pods.other.id) == ("default/server", "default/denied")
        assert (pods.allowed.name, pods.denied.name) == ("lab/c", "lab/c")
        assert [at.host.pod for at in (pods.allowed, pods.denied)] == [
            kube.Pod(
                cluster="lab/c",
                namespace="v6probe-1",
                selector=f"{LABEL}={role}",
                container=role,
            )
            for role in (ALLOWED, DENIED)
        ]
    made, listed = api.log[:3], api.log[3:]
    assert [(method, path, body["metadata"]) for method, path, body in made] == [
        ("create", PODS, {"name": role, "labels": {LABEL: role}})
        for role in (SERVER, ALLOWED, DENIED)
    ]
    assert listed == [("list", PODS, LABEL)] * 3


def test_a_pod_has_the_image_of_the_inventory_and_no_rights():
    spec = kube_policies.pod(SERVER, IMAGE)["spec"]
    (container,) = spec["containers"]
    assert (container["image"], container["ports"]) == (IMAGE, [{"containerPort": 8080}])
    assert (spec["automountServiceAccountToken"], spec["activeDeadlineSeconds"]) == (False, 900)
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65534,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }


def test_what_a_pod_runs_is_python_3_6():
    tree = ast.parse(kube_policies.SERVE, feature_version=(3, 6))
    assert [node.names[0].name for node in tree.body if isinstance(node, ast.Import)] == ["socket"]


def test_a_namespace_without_its_account_yet_is_asked_again():
    api = ScriptedApi(
        create=[answer(403, message=NO_ACCOUNT)], list=[running(SERVER, ALLOWED, DENIED)]
    )
    with policy_pods(namespace(api)):
        assert [entry[0] for entry in api.log] == ["create"] * 4 + ["list"]


def test_without_an_image_nothing_is_made():
    api = ScriptedApi()
    with (
        pytest.raises(Unobserved, match="no key probe_image") as caught,
        policy_pods(namespace(api, image="")),
    ):
        raise AssertionError
    assert (caught.value.reason, api.log) == ("no-image-given", [])


def test_a_missing_right_is_named():
    said = 'pods is forbidden: User "u" cannot create resource "pods"'
    api = ScriptedApi(create=[answer(403, message=said)])
    with pytest.raises(Unobserved, match="the right to create on pods is missing") as caught:
        policy_pods(namespace(api)).__enter__()
    assert caught.value.reason == "forbidden"


def test_pods_that_do_not_become_ready_say_why(monkeypatch):
    monkeypatch.setattr(kube_policies, "PODS_S", 0)
    waiting = objects.pod(DENIED, phase="Pending", conditions=[])
    api = ScriptedApi(list=[(*running(SERVER, ALLOWED), waiting)])
    with pytest.raises(Unobserved, match="not ready in 0 s: denied is Pending") as caught:
        policy_pods(namespace(api)).__enter__()
    assert caught.value.reason == "pod-not-ready"


def test_a_pod_that_is_none_is_no_finding():
    broken = objects.pod(SERVER, podIPs=[{"ip": "::g"}])
    api = ScriptedApi(list=[(broken, *running(ALLOWED, DENIED))])
    with pytest.raises(Unobserved) as caught:
        policy_pods(namespace(api)).__enter__()
    assert (caught.value.reason, caught.value.vantage) == ("malformed", "lab/c")


def test_the_policy_lets_in_one_pod_or_nobody():
    assert policy("Ingress", allow=True)["spec"] == {
        "podSelector": {"matchLabels": {LABEL: SERVER}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {LABEL: ALLOWED}}}]}],
    }
    assert policy("Ingress", allow=False)["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}


def test_the_policy_lets_out_to_one_pod_or_nowhere():
    assert policy("Egress", allow=True)["spec"] == {
        "podSelector": {"matchLabels": {LABEL: ALLOWED}},
        "policyTypes": ["Egress"],
        "egress": [{"to": [{"podSelector": {"matchLabels": {LABEL: SERVER}}}]}],
    }
    assert policy("Egress", allow=False)["spec"] == {"podSelector": {}, "policyTypes": ["Egress"]}


@pytest.mark.parametrize("allow", [True, False])
@pytest.mark.parametrize(
    ("restrict", "direction"), [(restrict_ingress, "Ingress"), (restrict_egress, "Egress")]
)
def test_the_policy_is_made_in_the_namespace_that_is_given(restrict, direction, allow):
    api = ScriptedApi()
    restrict(namespace(api), allow=allow)
    assert api.log == [("create", POLICIES, policy(direction, allow=allow))]


@pytest.mark.parametrize("restrict", [restrict_ingress, restrict_egress])
def test_a_policy_that_is_refused_is_no_finding(restrict):
    said = 'User "u" cannot create resource "networkpolicies"'
    api = ScriptedApi(create=[answer(403, message=said)])
    with pytest.raises(Unobserved, match="create on networkpolicies is missing") as caught:
        restrict(namespace(api), allow=True)
    assert caught.value.reason == "forbidden"
