"""Do the tests of clusters, pods, services and load balancers run where they belong together, once for each family?"""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from pytest_v6probe.inventory.choice import Choice, choose
from pytest_v6probe.inventory.model import (
    Cluster,
    Environment,
    Host,
    Inventory,
    LoadBalancer,
    Pod,
    Role,
    Service,
)
from pytest_v6probe.result import Endpoint

INVENTORY = Inventory(
    environment=Environment(name="prod", cloud="aws"),
    hosts=(
        Host(name="n1", region="east", role=Role.NODE, cluster="east/k", local=True),
        Host(name="home", role=Role.OUTSIDE, local=True),
        Host(name="k.web", region="east", role=Role.POD, pod=Pod(cluster="east/k")),
        Host(name="six.web", region="west", role=Role.POD, pod=Pod(cluster="west/six")),
    ),
    clusters=(
        Cluster(name="k", region="east", families=("ipv6", "ipv4"), probe_image="python:3"),
        Cluster(name="six", region="west", families=("ipv6",)),
    ),
    services=(
        Service(name="web", cluster="east/k", families=("ipv6",)),
        Service(name="port", cluster="east/k", families=("ipv4", "ipv6"), type="NodePort"),
        Service(name="head", cluster="west/six", families=("ipv6",), type="Headless"),
    ),
    load_balancers=(
        LoadBalancer(name="shop", cluster="east/k", families=("ipv6", "ipv4")),
        LoadBalancer(
            name="local", cluster="west/six", families=("ipv6",), client_address_page="/whoami"
        ),
    ),
)


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        (["cluster"], (("east/k",), ("west/six",))),
        (["dual_stack_cluster"], (("east/k",),)),
        (["single_stack_cluster"], (("west/six",),)),
        (["policy_cluster"], (("east/k",),)),
        (["pod"], (("east/k.web",), ("west/six.web",))),
        (["node"], (("east/n1",),)),
        (
            ["pod", "family"],
            (("east/k.web", "ipv6"), ("east/k.web", "ipv4"), ("west/six.web", "ipv6")),
        ),
        (
            ["pod", "cluster", "service"],
            (
                ("east/k.web", "east/k", "east/k/default/web"),
                ("east/k.web", "east/k", "east/k/default/port"),
            ),
        ),
        (
            ["outside_host", "cluster", "node_port_service", "family"],
            (
                ("home", "east/k", "east/k/default/port", "ipv4"),
                ("home", "east/k", "east/k/default/port", "ipv6"),
            ),
        ),
        (
            ["outside_host", "cluster", "load_balancer", "family"],
            (
                ("home", "east/k", "east/k/shop", "ipv6"),
                ("home", "east/k", "east/k/shop", "ipv4"),
                ("home", "west/six", "west/six/local", "ipv6"),
            ),
        ),
        (["cluster", "local_load_balancer"], (("west/six", "west/six/local"),)),
        (["cluster", "headless_service"], (("west/six", "west/six/default/head"),)),
    ],
)
def test_what_is_of_one_cluster_runs_together(asked, runs):
    assert choose(INVENTORY, asked) == Choice(fixtures=tuple(asked), runs=runs, vantage=0)


ADMIN = Endpoint(ip_address("::1"), 15000)
MESH = replace(
    INVENTORY,
    hosts=(
        *INVENTORY.hosts,
        Host(
            name="k.app",
            region="east",
            role=Role.POD,
            pod=Pod(cluster="east/k", envoy_admin=ADMIN),
        ),
    ),
    services=(
        *INVENTORY.services,
        Service(name="app", cluster="east/k", families=("ipv6", "ipv4"), mesh=True),
    ),
)


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        (["mesh_pod"], (("east/k.app",),)),
        (["plain_pod"], (("east/k.web",), ("west/six.web",))),
        (["pod"], (("east/k.web",), ("west/six.web",), ("east/k.app",))),
        (["cluster", "mesh_service"], (("east/k", "east/k/default/app"),)),
        (
            ["plain_pod", "mesh_pod", "mesh_service", "family"],
            (
                ("east/k.web", "east/k.app", "east/k/default/app", "ipv6"),
                ("east/k.web", "east/k.app", "east/k/default/app", "ipv4"),
            ),
        ),
    ],
)
def test_pods_of_a_mesh_are_told_from_others(asked, runs):
    assert choose(MESH, asked) == Choice(fixtures=tuple(asked), runs=runs, vantage=0)


def test_regions_and_patterns_limit_clusters_too():
    assert choose(INVENTORY, ["cluster"], regions=["west"]).runs == (("west/six",),)
    assert choose(INVENTORY, ["cluster"], patterns=["east/*"]).runs == (("east/k",),)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (["cluster"], "prod.toml has no [[cluster]]"),
        (["dual_stack_cluster"], "prod.toml has no [[cluster]] with two families"),
        (
            ["policy_cluster"],
            "prod.toml has no [[cluster]] with two families and the key probe_image",
        ),
        (["pod"], "prod.toml has no [[pod]]"),
        (["node"], 'prod.toml has no [[host]] with role = "node"'),
        (
            ["service"],
            "prod.toml has no [[service]] with type = ClusterIP or NodePort or LoadBalancer",
        ),
        (["mesh_pod"], "prod.toml has no [[pod]] with the key envoy_admin"),
        (["plain_pod"], "prod.toml has no [[pod]] without the key envoy_admin"),
        (
            ["mesh_service"],
            "prod.toml has no [[service]] with type = ClusterIP or NodePort or LoadBalancer and mesh = true",
        ),
        (["load_balancer"], "prod.toml has no [[load_balancer]]"),
        (
            ["local_load_balancer"],
            "prod.toml has no [[load_balancer]] with the key client_address_page",
        ),
    ],
)
def test_what_is_missing_is_said(asked, reason):
    empty = Inventory(environment=INVENTORY.environment, source="prod.toml")
    assert choose(empty, asked).reason == reason


def test_a_cluster_that_names_no_image_is_none_to_try_policies_in():
    two = Cluster(name="two", families=("ipv6", "ipv4"))
    known = Inventory(environment=INVENTORY.environment, clusters=(two,))
    assert [len(choose(known, [name]).runs) for name in ("cluster", "policy_cluster")] == [1, 0]
