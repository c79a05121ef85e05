"""Are the leftovers of killed runs found, and is nothing else taken for one?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pytest_v6probe.actions.kube_leftovers import Leftover, leftovers
from tests.unit.actions.scripted_api import ScriptedApi, cluster

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OURS = "v6probe-0123456789ab"


def namespace(name=OURS, *, made="2026-11-23T08:30:00Z", owner="pytest-v6probe", **metadata):
    labels = {"app.kubernetes.io/managed-by": owner}
    return {
        "metadata": {"name": name, "creationTimestamp": made, "labels": labels, **metadata},
    }


def found(*namespaces):
    api = ScriptedApi(list=[namespaces])
    seen = leftovers(cluster(api)[0], now=NOW)
    assert api.log == [
        ("list", "/api/v1/namespaces", "app.kubernetes.io/managed-by=pytest-v6probe")
    ]
    return seen


def test_a_leftover_says_how_old_it_is_and_whose():
    said = namespace(annotations={"pytest-v6probe/run": "pid 7 on ci-1, 2026-11-23T08:30:00Z"})
    assert found(said) == (
        Leftover(name=OURS, age_s=1800, run="pid 7 on ci-1, 2026-11-23T08:30:00Z"),
    )


def test_the_oldest_comes_first():
    other = namespace("v6probe-ba9876543210", made="2026-11-22T08:30:00Z")
    assert [left.age_s for left in found(namespace(), other)] == [88_200, 1800]


def test_one_that_is_being_deleted_is_told_apart():
    said = namespace(deletionTimestamp="2026-11-23T08:40:00Z")
    assert found(said) == (Leftover(name=OURS, age_s=1800, going=True),)


@pytest.mark.parametrize(
    "said",
    [
        namespace("production"),
        namespace("v6probe-production"),
        namespace("v6probe-0123456789ab/../kube-system"),
        namespace(owner="Helm"),
        namespace(labels={}),
        namespace(labels=None),
        namespace(made="yesterday"),
        {"metadata": {}},
        {},
    ],
)
def test_what_is_not_surely_ours_is_left_alone(said):
    assert found(said) == ()


def test_what_a_run_says_of_itself_is_bounded():
    said = namespace(annotations={"pytest-v6probe/run": "\x1b[2J" + "x" * 4000})
    assert len(found(said)[0].run) == 160
