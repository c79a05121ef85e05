"""Has a lab's cluster a mesh where its plan says so, and nothing of it elsewhere?"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_v6probe.inventory.model import Service
from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.clouds import istio
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.clouds.istio_sidecar import Places
from tests.unit.lab.clouds.filled import contents

OTHERS = sorted(set(PLANS) - {"istio"})
PLACES = Places(istio=Path("/home/x/istio"), envoy=Path("/home/x/_bin/envoy"))


@pytest.mark.parametrize("kind", OTHERS)
def test_no_other_cluster_pays_for_istio(kind: str):
    assert not any("istio" in path or "/mesh" in path for path, _ in contents(kind).objects)
    inventory = shapes.shape(kind, name="test").inventory
    assert not any(host.pod and host.pod.envoy_admin for host in inventory.hosts)
    assert not any(service.mesh for service in inventory.services)
    assert istio.objects(PLANS[kind], PLACES) == ()


def test_the_cluster_is_ready_when_istiod_and_every_pod_of_the_mesh_are():
    assert contents("istio").pods[-3:] == (
        ("istio-system", "app=istiod", 1),
        ("mesh", "app=web", 2),
        ("mesh", "app=client", 1),
    )


def test_the_inventory_says_where_each_sidecar_is_asked():
    hosts = shapes.shape("istio", name="test").inventory.hosts
    asked = {
        host.name: (host.pod.selector, host.pod.node, str(host.pod.envoy_admin))
        for host in hosts
        if host.pod and host.pod.envoy_admin
    }
    assert asked == {
        "lab.mesh-web-1": ("app=web", "node-1", "[::1]:15000"),
        "lab.mesh-web-2": ("app=web", "node-2", "[::1]:15000"),
        "lab.mesh-client": ("app=client", "", "[::1]:15000"),
    }


def test_the_inventory_says_which_service_is_in_the_mesh():
    services = shapes.shape("istio", name="test").inventory.services
    assert [service for service in services if service.mesh] == [
        Service(
            name="web",
            cluster="istio/lab",
            namespace="mesh",
            families=("ipv6", "ipv4"),
            mesh=True,
        )
    ]


def test_servers_are_on_different_nodes_and_the_client_on_the_first():
    made = {
        one["metadata"]["name"]: one["spec"]
        for path, one in istio.objects(PLANS["istio"], PLACES)
        if path == istio.DEPLOYMENTS
    }
    web, client = (made[name]["template"]["spec"] for name in ("web", "client"))
    assert (made["web"]["replicas"], made["client"]["replicas"]) == (2, 1)
    assert "podAntiAffinity" in web["affinity"]
    assert client["nodeSelector"] == {"kubernetes.io/hostname": "node-1"}


def test_the_service_prefers_both_families():
    spec = istio.service()["spec"]
    assert (spec["ipFamilyPolicy"], spec["selector"]) == ("PreferDualStack", {"app": "web"})
