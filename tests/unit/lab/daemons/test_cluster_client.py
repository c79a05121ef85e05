"""Does the small client of the lab's API server make objects, and say what is not ready?"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_v6probe.lab.daemons import cluster_client
from pytest_v6probe.lab.daemons.cluster_client import Api, Reminder, lacking, unstated

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
NOT_READY = {"conditions": [{"type": "Ready", "status": "False"}]}
WANTED = {
    "nodes": ["node-1", "node-2"],
    "pods": [{"namespace": "default", "selector": "app=web", "count": 2}],
    "stated": [],
}


class Scripted(Api):
    """An API server that answers as it is told, and notes what it was asked."""

    def __init__(self, answers: dict[str, tuple[int, Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        self.asked.append((f"{method} {path}", body))
        return self.answers.get(f"{method} {path}", (200, {}))


def named(name: str, status: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": status}


def cluster(nodes: list[dict[str, Any]], pods: list[dict[str, Any]]) -> Scripted:
    path = "/api/v1/namespaces/default/pods?labelSelector=app%3Dweb"
    return Scripted(
        {
            "GET /api/v1/nodes": (200, {"items": nodes}),
            f"GET {path}": (200, {"items": pods}),
        }
    )


@pytest.mark.parametrize(
    ("nodes", "pods", "said"),
    [
        ([READY, READY], [READY, READY], ""),
        ([READY, NOT_READY], [READY, READY], "nodes that are not ready: node-2"),
        ([READY], [], "nodes that are not ready: node-2"),
        ([READY, READY], [READY, NOT_READY, {}], "1 of 2 pods app=web are ready"),
    ],
)
def test_what_is_not_ready_is_said(nodes, pods, said: str):
    api = cluster(
        [named(f"node-{at}", status) for at, status in enumerate(nodes, 1)],
        [named(f"web-{at}", status) for at, status in enumerate(pods, 1)],
    )
    assert lacking(api, WANTED) == said


def test_objects_that_have_no_status_yet_are_said():
    api = Scripted({"GET /apis/x/v1/things": (200, {"items": [{"status": {}}, {}]})})
    said = unstated(api, {"stated": [["/apis/x/v1/things", 2]]})
    assert said == "1 of 2 objects in /apis/x/v1/things have a status"


def test_who_watches_is_reminded_where_a_status_lacks_and_not_more_than_once_a_second(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(f"{cluster_client.__name__}.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(cluster_client, "PATIENCE_S", -1.0)
    api = Scripted(
        {
            "GET /api/v1/nodes": (200, {"items": []}),
            "GET /apis/x/v1/things": (200, {"items": [{}]}),
        }
    )
    wanted = {"nodes": [], "pods": [], "stated": [["/apis/x/v1/things", 1]]}
    reminder = Reminder(api, ["/api/v1/namespaces/default/services/web"])
    sent = []
    for clock[0] in (0.5, 1.0, 1.5, 2.0):
        assert cluster_client.state(api, wanted, reminder).startswith("0 of 1 objects")
        sent.append([body for path, body in api.asked if path.startswith("PATCH")])
        api.asked.clear()
    assert sent == [
        [],
        [{"metadata": {"annotations": {"v6probe/reminded": "1.0"}}}],
        [],
        [{"metadata": {"annotations": {"v6probe/reminded": "2.0"}}}],
    ]


def test_an_api_server_that_refuses_is_no_cluster_that_is_ready(monkeypatch):
    monkeypatch.setattr(cluster_client, "PATIENCE_S", 0.0)
    api = Scripted({"GET /api/v1/nodes": (403, {})})
    said = cluster_client.state(api, WANTED, Reminder(api, []))
    assert said.startswith("the API server does not answer:")


def test_an_object_that_is_there_is_changed_and_its_status_is_a_request_of_its_own():
    made = named("node-1", {"addresses": []})
    api = Scripted({"POST /api/v1/nodes": (409, {})})
    api.put("/api/v1/nodes", made)
    assert api.asked == [
        ("POST /api/v1/nodes", made),
        ("PATCH /api/v1/nodes/node-1", made),
        ("PATCH /api/v1/nodes/node-1/status", {"status": {"addresses": []}}),
    ]


def test_an_object_of_a_kind_that_is_not_served_yet_is_made_once_it_is():
    class Slow(Scripted):
        def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
            super().ask(method, path, body)
            return (201 if len(self.asked) > 2 else 404, {})

    api, path = Slow({}), "/apis/metallb.io/v1beta1/ipaddresspools"
    api.put(path, {"metadata": {"name": "outside"}})
    assert [asked for asked, _ in api.asked] == [f"POST {path}"] * 3


def test_what_the_api_server_refuses_ends_the_program_with_its_words():
    api = Scripted({"POST /api/v1/nodes": (422, {"message": "no such range"})})
    with pytest.raises(SystemExit, match=r"/api/v1/nodes/node-1: 422 .*no such range"):
        api.put("/api/v1/nodes", {"metadata": {"name": "node-1"}})
