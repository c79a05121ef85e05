"""Google GKE with two families (BRKIPV-3927, rows F3 to F5): services, NodePorts, load balancers, pods."""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Cluster,
    Family,
    LoadBalancer,
    Service,
    Vantage,
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

pytestmark = pytest.mark.v6_lab("gke")


# Row F3, services


@pytest.mark.creates
def test_a_service_that_prefers_dual_stack_gets_both_families(dual_stack_cluster: Cluster) -> None:
    with kube_namespace(dual_stack_cluster) as namespace:
        made = create_service(namespace, policy="PreferDualStack")
    assert made.verdict == "accepted"
    assert made.families == dual_stack_cluster.spec.families


def test_a_service_has_an_address_of_each_family(
    dual_stack_cluster: Cluster, service: Service
) -> None:
    found = kube_service(dual_stack_cluster, service)
    assert found.verdict == "as-declared"


def test_a_service_answers_a_pod(
    pod: Vantage, dual_stack_cluster: Cluster, service: Service, family: Family
) -> None:
    found = kube_service(dual_stack_cluster, service)
    answers = service_answers(pod, found, family=family)
    assert answers.verdict == "answers"


def test_a_node_port_answers_on_every_node_over_ipv6(
    outside_host: Vantage, dual_stack_cluster: Cluster, node_port_service: Service
) -> None:
    found = kube_service(dual_stack_cluster, node_port_service)
    answers = service_answers(outside_host, found, family="ipv6", outside=True)
    assert answers.verdict == "answers"


# Row F5, pods


def test_every_node_has_an_address_of_each_family(dual_stack_cluster: Cluster) -> None:
    seen = kube_nodes(dual_stack_cluster)
    assert seen.verdict == "as-declared"


def test_every_pod_has_an_address_of_each_family(dual_stack_cluster: Cluster) -> None:
    seen = kube_pods(dual_stack_cluster)
    assert seen.verdict == "as-declared"
    assert all(len(pod.families) == 2 for pod in seen.networked)


def test_a_pod_is_reached_from_every_other_pod(
    pod: Vantage, dual_stack_cluster: Cluster, family: Family
) -> None:
    others = pod_network(pod, kube_pods(dual_stack_cluster), family=family)
    assert others.verdict == "all-reached"


# Row F4, a Service of type LoadBalancer: a gap in 2023, closed on 2025-11-14 (ingress-gce)


def test_a_load_balancer_has_an_external_ipv6_address(
    dual_stack_cluster: Cluster, load_balancer: LoadBalancer
) -> None:
    found = kube_load_balancer(dual_stack_cluster, load_balancer)
    assert found.verdict == "as-declared"
    assert Family.IPV6 in found.families


def test_the_external_ipv6_address_of_a_load_balancer_serves(
    outside_host: Vantage, dual_stack_cluster: Cluster, load_balancer: LoadBalancer
) -> None:
    found = kube_load_balancer(dual_stack_cluster, load_balancer)
    answers = load_balancer_answers(outside_host, found, family="ipv6")
    assert answers.verdict == "answers"
