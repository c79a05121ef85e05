"""Is what a cluster of the lab is filled with as its plan says?"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_v6probe.lab.clouds import cluster_objects
from pytest_v6probe.lab.clouds.clusters import PLANS

COREDNS = Path("/home/x/bin/coredns")


def made(kind: str) -> dict[str, dict]:
    objects = cluster_objects.objects(PLANS[kind], COREDNS)
    return {f"{path}/{one['metadata']['name']}": one for path, one in objects}


@pytest.mark.parametrize("kind", PLANS)
def test_every_object_is_made_once_and_after_what_it_needs(kind: str):
    objects = cluster_objects.objects(PLANS[kind], COREDNS)
    keys = [f"{path}/{one['metadata']['name']}" for path, one in objects]
    assert len(keys) == len(set(keys))
    accounts = "/api/v1/namespaces/kube-system/serviceaccounts/coredns"
    deployment = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
    assert keys.index(accounts) < keys.index(deployment)


def test_a_node_has_its_prefixes_and_addresses_before_its_kubelet_runs():
    node = made("aks")["/api/v1/nodes/node-2"]
    assert node["spec"] == {
        "podCIDR": "10.244.2.0/24",
        "podCIDRs": ["10.244.2.0/24", "fd12:3456:789a:0:2::/80"],
    }
    assert [one["address"] for one in node["status"]["addresses"]] == [
        "10.224.0.4",
        "fd00:db8:deca:deed::4",
        "node-2",
    ]
    assert node["status"]["allocatable"] == node["status"]["capacity"] == {"pods": "110"}


def test_the_clusters_dns_has_the_tenth_address_of_each_range():
    service = made("kind")["/api/v1/namespaces/kube-system/services/kube-dns"]["spec"]
    assert service["clusterIPs"] == ["fd00:10:96::a", "10.96.0.10"]
    assert service["ipFamilyPolicy"] == "PreferDualStack"


def test_coredns_is_this_machines_program():
    spec = made("kind")["/apis/apps/v1/namespaces/kube-system/deployments/coredns"]["spec"]
    pod = spec["template"]["spec"]
    assert pod["containers"][0]["command"][0] == "/program/coredns"
    assert pod["volumes"][1]["hostPath"] == {"path": "/home/x/bin"}


def test_there_is_a_web_pod_on_each_node_and_two_of_coredns_at_most():
    few = cluster_objects.ready(PLANS["kind"])
    assert few == (
        ("kube-system", "k8s-app=kube-dns", 2),
        ("default", "app=web", 2),
        ("default", "app=plain", 1),
        ("default", "app=host", 1),
    )
