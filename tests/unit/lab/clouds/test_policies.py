"""Does each node of a cluster enforce policies where the plan says so, and only there?"""

from __future__ import annotations

import pytest

from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.clouds import policies
from pytest_v6probe.lab.clouds.clusters import PLANS

PLAN = PLANS["policies"]


def routers(shape: str) -> list[str]:
    daemons = shapes.shape(shape, name="test").daemons
    return [known.name for known in daemons if known.name.endswith("/kube-router")]


def test_every_node_of_the_shape_runs_kube_router():
    assert routers("policies") == ["policies/node-1/kube-router", "policies/node-2/kube-router"]


@pytest.mark.parametrize("shape", ["kind", "metallb", "aks"])
def test_another_shape_pays_nothing(shape):
    assert (routers(shape), policies.objects(PLANS[shape])) == ([], ())


def test_kube_router_may_read_what_policies_are_about_and_change_nothing():
    (_, role), (_, binding) = policies.objects(PLAN)
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert {name for rule in role["rules"] for name in rule["resources"]} == {
        "namespaces",
        "pods",
        "services",
        "nodes",
        "endpoints",
        "endpointslices",
        "networkpolicies",
    }
    assert [known["name"] for known in binding["subjects"]] == ["system:kube-router"]


def test_pods_can_be_made_of_an_image_of_the_lab():
    (cluster,) = shapes.shape("policies", name="test").inventory.clusters
    assert (cluster.families, cluster.probe_image) == (
        ("ipv4", "ipv6"),
        "docker.io/v6probe/python:lab",
    )
