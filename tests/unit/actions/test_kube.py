"""Does a namespace that a test makes say whose it is, and is it deleted whatever happens?"""

from __future__ import annotations

import os
import re
import signal

import pytest

from pytest_v6probe.actions.kube import kube_namespace
from pytest_v6probe.errors import DeadlinePassed, Unobserved
from pytest_v6probe.kube.ownership import NAME
from tests.unit.actions.scripted_api import ScriptedApi, answer, cluster

LOST = DeadlinePassed("no answer within 10 s", reason="timed-out", vantage="lab/c")
BY_RBAC = (
    'namespaces is forbidden: User "u" cannot create resource "namespaces" in API group "" '
    "at the cluster scope"
)
FORBIDDEN = answer(403, message=BY_RBAC)


def asked(api):
    return [entry[:2] for entry in api.log]


def test_a_namespace_is_made_and_deleted():
    api = ScriptedApi()
    made, _ = cluster(api)
    with kube_namespace(made) as space:
        assert asked(api) == [("create", "/api/v1/namespaces")]
    assert NAME.fullmatch(space.name)
    assert asked(api)[1:] == [("delete", f"/api/v1/namespaces/{space.name}")]


def test_it_says_whose_it_is_and_of_which_run():
    api = ScriptedApi()
    with kube_namespace(cluster(api)[0]) as space:
        metadata = api.log[0][2]["metadata"]
    run = metadata["annotations"].pop("pytest-v6probe/run")
    assert re.fullmatch(rf"pid {os.getpid()} on \S+, 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", run)
    assert metadata == {
        "name": space.name,
        "labels": {"app.kubernetes.io/managed-by": "pytest-v6probe"},
        "annotations": {},
    }


def test_no_two_have_the_same_name():
    made, _ = cluster(ScriptedApi())
    with kube_namespace(made) as one, kube_namespace(made) as other:
        assert one.name != other.name


def test_its_paths_are_those_of_the_api():
    with kube_namespace(cluster(ScriptedApi())[0]) as space:
        assert space.path("services", "web") == f"/api/v1/namespaces/{space.name}/services/web"


@pytest.mark.parametrize("raised", [KeyError("x"), KeyboardInterrupt(), SystemExit(3)])
def test_it_is_deleted_when_the_test_fails(raised):
    api = ScriptedApi()
    with pytest.raises(type(raised)), kube_namespace(cluster(api)[0]):
        raise raised
    assert api.log[-1][0] == "delete"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_deleted_when_the_run_is_told_to_end(number):
    api = ScriptedApi()
    with pytest.raises(KeyboardInterrupt), kube_namespace(cluster(api)[0]):
        signal.raise_signal(number)
    assert api.log[-1][0] == "delete"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("method", ["create", "delete"])
def test_who_is_told_to_end_while_the_api_is_asked_ends_after_that(monkeypatch, method, number):
    api = ScriptedApi()
    asks = getattr(api, method)

    def told(*args, **options):
        signal.raise_signal(number)
        return asks(*args, **options)

    monkeypatch.setattr(api, method, told)
    with pytest.raises(KeyboardInterrupt), kube_namespace(cluster(api)[0]):
        pass
    assert [entry[0] for entry in api.log] == ["create", "delete"]


def test_a_handler_of_somebody_elses_stays():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with kube_namespace(cluster(ScriptedApi())[0]):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_it_is_deleted_where_the_answer_to_its_creation_was_lost():
    api = ScriptedApi(create=[LOST])
    with pytest.raises(DeadlinePassed), kube_namespace(cluster(api)[0]):
        pytest.fail("there is none")
    assert [entry[0] for entry in api.log] == ["create", "delete"]


def test_a_refused_creation_is_unobserved_and_nothing_is_deleted():
    api = ScriptedApi(create=[FORBIDDEN])
    with pytest.raises(Unobserved) as caught, kube_namespace(cluster(api)[0]):
        pytest.fail("there is none")
    assert (caught.value.reason, caught.value.vantage) == ("forbidden", "lab/c")
    assert str(caught.value) == (
        f"lab/c: a namespace could not be made (HTTP 403: {BY_RBAC}): "
        "the right to create and delete on namespaces is missing: "
        "kubectl create clusterrole v6probe --verb=create,delete --resource=namespaces && "
        "kubectl create clusterrolebinding v6probe --clusterrole=v6probe --user=…"
    )
    assert asked(api) == [("create", "/api/v1/namespaces")]


def test_what_an_admission_plugin_forbids_is_no_lack_of_a_right():
    api = ScriptedApi(create=[answer(403, message="namespaces is forbidden: not on Sundays")])
    with pytest.raises(Unobserved) as caught, kube_namespace(cluster(api)[0]):
        pytest.fail("there is none")
    assert caught.value.reason == "api-refused"
    assert str(caught.value) == (
        "lab/c: a namespace could not be made (HTTP 403: namespaces is forbidden: not on Sundays)"
    )


def test_words_of_the_api_are_bounded():
    api = ScriptedApi(create=[answer(403, message="x" * 100_000)])
    with pytest.raises(Unobserved) as caught, kube_namespace(cluster(api)[0]):
        pytest.fail("there is none")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("gone", [answer(404), answer(409)])
def test_what_is_gone_or_going_need_not_be_deleted(gone):
    with kube_namespace(cluster(ScriptedApi(delete=[gone]))[0]) as space:
        pass
    assert space.name


@pytest.mark.parametrize("failed", [FORBIDDEN, LOST])
def test_a_failed_deletion_is_told(failed):
    with (
        pytest.raises(Unobserved) as caught,
        kube_namespace(cluster(ScriptedApi(delete=[failed]))[0]) as space,
    ):
        pass
    assert caught.value.reason == "not-removed"
    assert str(caught.value).startswith(
        f"lab/c may be left with the namespace {space.name} (v6probe clean removes it): "
    )


def test_a_failed_deletion_does_not_hide_why_the_test_failed():
    api = ScriptedApi(delete=[LOST])
    with pytest.raises(KeyError) as caught, kube_namespace(cluster(api)[0]) as space:
        raise KeyError
    assert caught.value.__notes__ == [
        f"lab/c may be left with the namespace {space.name} (v6probe clean removes it): {LOST}"
    ]


def test_nothing_is_made_where_that_is_not_allowed():
    api = ScriptedApi()
    with pytest.raises(Unobserved) as caught, kube_namespace(cluster(api, disruptive=False)[0]):
        pytest.fail("it was made")
    assert (caught.value.reason, api.log) == ("not-disruptive", [])
