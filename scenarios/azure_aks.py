"""Azure AKS with two families (BRKIPV-3927, rows E4 and E5): nodes, pods and services have both, IPv4 first
or IPv6 first.
"""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Cluster,
    Family,
    LoadBalancer,
    Service,
    Vantage,
    cluster_families,
    create_service,
    kube_load_balancer,
    kube_namespace,
    kube_nodes,
    kube_pods,
    kube_service,
    load_balancer_answers,
    pod_network,
    service_answers,
)

pytestmark = pytest.mark.v6_lab("aks")


def test_every_node_has_an_address_of_each_family(dual_stack_cluster: Cluster) -> None:
    seen = kube_nodes(dual_stack_cluster)
    assert seen.verdict == "as-declared"


def test_every_pod_has_an_address_of_each_family(dual_stack_cluster: Cluster) -> None:
    seen = kube_pods(dual_stack_cluster)
    assert seen.verdict == "as-declared"
    assert all(len(pod.families) == 2 for pod in seen.networked)


def test_pods_and_services_have_unique_local_addresses(
    dual_stack_cluster: Cluster, service: Service
) -> None:
    seen, found = cluster_families(dual_stack_cluster), kube_service(dual_stack_cluster, service)
    assert seen.verdict == "as-declared"
    assert found.verdict == "as-declared"
    assert all(address.is_private for address in found.cluster_ips)


@pytest.mark.creates
def test_the_first_family_of_a_service_sets_its_cluster_ip(dual_stack_cluster: Cluster) -> None:
    with kube_namespace(dual_stack_cluster) as namespace:
        made = create_service(namespace, policy="RequireDualStack", families=("ipv6", "ipv4"))
    assert made.verdict == "accepted"
    assert [address.version for address in made.cluster_ips] == [6, 4]


def test_a_pod_reaches_every_other_pod(
    pod: Vantage, dual_stack_cluster: Cluster, family: Family
) -> None:
    others = pod_network(pod, kube_pods(dual_stack_cluster), family=family)
    assert others.verdict == "all-reached"


def test_a_service_answers_a_pod(
    pod: Vantage, dual_stack_cluster: Cluster, service: Service, family: Family
) -> None:
    found = kube_service(dual_stack_cluster, service)
    answers = service_answers(pod, found, family=family)
    assert answers.verdict == "answers"


# Row E5, a Service of type LoadBalancer


def test_a_load_balancer_has_an_address_of_each_family(
    dual_stack_cluster: Cluster, load_balancer: LoadBalancer
) -> None:
    found = kube_load_balancer(dual_stack_cluster, load_balancer)
    assert found.verdict == "as-declared"
    assert set(found.families) == set(dual_stack_cluster.spec.families)


def test_a_load_balancer_serves_over_each_family(
    outside_host: Vantage,
    dual_stack_cluster: Cluster,
    load_balancer: LoadBalancer,
    family: Family,
) -> None:
    found = kube_load_balancer(dual_stack_cluster, load_balancer)
    answers = load_balancer_answers(outside_host, found, family=family)
    assert answers.verdict == "answers"
