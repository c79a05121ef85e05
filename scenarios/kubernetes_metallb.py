"""MetalLB with a pool of both families (BRKIPV-3927, row H2): has a Service an external address of each,
and do both serve?
"""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Cluster,
    Family,
    LoadBalancer,
    Vantage,
    client_address,
    kube_load_balancer,
    kube_service,
    load_balancer_answers,
)

pytestmark = pytest.mark.v6_lab("metallb")


# Row H2, the external addresses


def test_a_service_has_an_external_address_of_each_family_from_the_pool(
    cluster: Cluster, load_balancer: LoadBalancer
) -> None:
    found = kube_load_balancer(cluster, load_balancer)
    assert found.verdict == "as-declared"
    assert set(found.families) == set(load_balancer.families)


def test_external_addresses_are_of_the_families_of_the_cluster_addresses(
    cluster: Cluster, load_balancer: LoadBalancer
) -> None:
    service = kube_service(cluster, load_balancer.service_name)
    assert service.verdict == "as-declared"
    found = kube_load_balancer(cluster, load_balancer)
    assert set(found.families) == set(service.families)


# Row H2, from outside the cluster


def test_each_external_address_serves_from_outside(
    outside_host: Vantage, cluster: Cluster, load_balancer: LoadBalancer, family: Family
) -> None:
    found = kube_load_balancer(cluster, load_balancer)
    answers = load_balancer_answers(outside_host, found, family=family)
    assert answers.verdict == "answers"


def test_a_local_service_sees_who_asks_it_from_outside(
    outside_host: Vantage, cluster: Cluster, local_load_balancer: LoadBalancer, family: Family
) -> None:
    found = kube_load_balancer(cluster, local_load_balancer)
    seen = client_address(outside_host, found, family=family)
    assert seen.verdict == "kept"
