"""Are lists read whole, once a second, within bounds; and is the API's no a value?"""

import json
from threading import Barrier, Thread

import pytest

from pytest_v6probe.errors import DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.transport.pod import api as api_module
from pytest_v6probe.transport.pod.api import Answer, open_api
from tests.unit.transport.pod.played import PODS, listed, pod, refusal, said

NODES = "/api/v1/nodes"


def named(number):
    return {"metadata": {"name": f"node-{number}"}}


def failure(api, path=NODES):
    with pytest.raises(Unobserved) as caught:
        api.list(path)
    assert str(caught.value).startswith(f"{api.name}: {path}: ")
    return caught.value.reason, str(caught.value)


def test_all_pages_of_a_list_are_read(fake, api):
    fake.script[f"GET {NODES}"] = [
        said(200, listed(named(1), named(2), token="a/b&c")),
        said(200, listed(named(3))),
    ]
    assert api.list(NODES) == (named(1), named(2), named(3))
    targets = [head.split(" ")[1] for head in fake.heads[1:]]
    assert targets == [f"{NODES}?limit=500", f"{NODES}?limit=500&continue=a%2Fb%26c"]


def test_who_set_what_is_left_out(fake, api):
    said_of_it = {"metadata": {"name": "node-1", "managedFields": [{"manager": "kubelet"}]}}
    fake.script[f"GET {NODES}"] = said(200, listed(said_of_it))
    assert api.list(NODES) == (named(1),)


def test_a_selector_goes_to_the_server(fake, api):
    assert [one["metadata"]["name"] for one in api.list(PODS, selector="app=web,a!=b")] == ["web-1"]
    assert "limit=500&labelSelector=app%3Dweb%2Ca%21%3Db " in fake.heads[1]


def test_a_list_is_remembered_for_a_second_by_its_path_and_selector(fake, api, monkeypatch):
    for selector in ("", "app=web", "", "app=web"):
        api.list(PODS, selector=selector)
    assert fake.asked.count(f"GET {PODS}") == 2
    monkeypatch.setattr(api_module, "REMEMBERED_S", -1.0)
    api.list(PODS)
    assert fake.asked.count(f"GET {PODS}") == 3


def test_it_can_be_forgotten_and_is_where_something_changes(fake, api):
    api.list(PODS)
    api.forget()
    api.list(PODS)
    assert fake.asked.count(f"GET {PODS}") == 2
    api.delete(f"{PODS}/other")
    api.list(PODS)
    assert fake.asked.count(f"GET {PODS}") == 3


def test_threads_that_want_the_same_list_share_one_call(fake, api):
    barrier, seen = Barrier(8), []

    def look():
        barrier.wait()
        seen.append(api.list(PODS))

    threads = [Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen, fake.asked.count(f"GET {PODS}")) == ([(pod(),)] * 8, 1)


def test_threads_put_requests_side_by_side(fake, api):
    barrier = Barrier(4)

    def answer(connection, _head):
        barrier.wait(5)
        connection.sendall(said(200, {"metadata": {}}))

    fake.script[f"GET {NODES}"] = answer
    seen = []
    threads = [Thread(target=lambda: seen.append(api.get(NODES).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [200] * 4


def test_a_list_whose_pages_expired_is_read_once_more_from_the_first(fake, api):
    fake.script[f"GET {NODES}"] = [
        said(200, listed(named(1), token="t")),
        refusal(410, "The provided continue parameter is too old"),
        said(200, listed(named(1), token="u")),
        said(200, listed(named(2))),
    ]
    assert api.list(NODES) == (named(1), named(2))


def test_a_list_whose_pages_always_expire_is_given_up(fake, api):
    fake.script[f"GET {NODES}"] = [
        said(200, listed(named(1), token="t")),
        refusal(410, "too old"),
    ] * 2
    assert failure(api)[0] == "api-expired"


def test_a_list_that_may_not_be_read_names_the_right_and_the_cure(fake, api):
    path = "/apis/discovery.k8s.io/v1/namespaces/x/endpointslices"
    fake.script[f"GET {path}"] = refusal(403, 'User "u" cannot list resource')
    reason, words = failure(api, path)
    assert reason == "forbidden"
    assert "the right to list on endpointslices in the namespace x is missing" in words
    assert 'User "u" cannot list resource' in words
    assert "--verb=list --resource=endpointslices.discovery.k8s.io" in words


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(404, "the server could not find the requested resource"), "resource-absent"),
        (refusal(400, "unable to parse requirement"), "api-refused"),
        (refusal(410, "too old"), "api-refused"),
        (said(200, {"items": 7}), "api-garbage"),
        (said(200, {"items": [7]}), "api-garbage"),
        (said(200, {"items": [{"metadata": 7}]}), "api-garbage"),
        (said(200, listed(token="t")), "api-garbage"),
    ],
)
def test_what_is_no_list_is_not_taken_for_one(fake, api, answer, reason):
    fake.script[f"GET {NODES}"] = answer
    assert failure(api)[0] == reason


@pytest.mark.parametrize("body", [{"items": None, "metadata": 7}, {}, {"items": []}])
def test_an_empty_list_is_empty(fake, api, body):
    fake.script[f"GET {NODES}"] = said(200, body)
    assert api.list(NODES) == ()


def test_pages_without_end_are_given_up(fake, api, monkeypatch):
    monkeypatch.setattr(api_module, "MAX_OBJECTS", 10)
    fake.script[f"GET {NODES}"] = [said(200, listed(named(1), named(2), token="t"))] * 20
    reason, words = failure(api)
    assert (reason, "more than" in words) == ("api-too-large", True)
    assert fake.asked.count(f"GET {NODES}") == 6


def test_pages_that_are_too_long_together_are_given_up(fake, api, monkeypatch):
    monkeypatch.setattr(api_module, "MAX_BYTES", 10_000)
    page = said(200, listed({"metadata": {"name": "x" * 4000}}, token="t"))
    fake.script[f"GET {NODES}"] = [page] * 5
    with pytest.raises(VantageUnreachable) as caught:
        api.list(NODES)
    assert caught.value.reason == "api-too-large"


def test_an_error_is_not_remembered(fake, api):
    fake.script[f"GET {NODES}"] = [refusal(500, "etcd"), said(200, listed(named(1)))]
    with pytest.raises(VantageUnreachable):
        api.list(NODES)
    assert api.list(NODES) == (named(1),)


@pytest.mark.parametrize("status", [403, 404, 409, 422])
def test_a_no_is_a_value(fake, api, status):
    path = "/api/v1/namespaces/x"
    fake.script[f"DELETE {path}"] = refusal(status, "no\x1b[31m, never")
    answer = api.delete(path)
    assert (answer.status, answer.good, answer.message) == (status, False, "no\ufffd[31m, never")
    assert Answer(status=status, body={}).message == f"status {status}"


def test_what_is_created_and_changed_goes_as_json(fake, api):
    path = "/api/v1/namespaces"
    fake.script[f"POST {path}"] = said(201, {"kind": "Namespace"})
    fake.script[f"PATCH {path}/x"] = said(200, {"kind": "Namespace"})
    made = api.create(path, {"kind": "Namespace"})
    changed = [api.patch(f"{path}/x", [{"op": "add"}], kind="json"), api.patch(f"{path}/x", {})]
    assert [(one.status, one.good) for one in (made, *changed)] == [(201, True)] + [(200, True)] * 2
    assert list(map(json.loads, fake.bodies[1:])) == [{"kind": "Namespace"}, [{"op": "add"}], {}]
    kinds = [line for head in fake.heads for line in head.split("\r\n") if "Content-Type" in line]
    assert kinds == [
        "Content-Type: application/json",
        "Content-Type: application/json-patch+json",
        "Content-Type: application/merge-patch+json",
    ]


def test_a_deadline_is_for_the_whole_list(fake, api):
    fake.script[f"GET {NODES}"] = [
        said(200, listed(named(1), token="t")),
        lambda connection, _head: connection.recv(1),
    ]
    with pytest.raises(DeadlinePassed):
        api.list(NODES, timeout_s=0.4)


def test_nothing_secret_is_in_its_name(fake, api):
    assert api.name == (
        f"cluster here/prod (kubeconfig {fake.place}/kubeconfig, context own, "
        f"https://[::1]:{fake.port})"
    )
    assert "secret" not in repr(api)


def test_an_api_that_cannot_be_asked_leaves_nothing_open(fake):
    fake.script["GET /version"] = refusal(500, "no")
    with pytest.raises(VantageUnreachable):
        open_api(fake.spec())
    assert fake.asked == ["GET /version"]
