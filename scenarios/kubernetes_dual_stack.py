"""Kubernetes with two families (BRKIPV-3927, row H1): has everything an address of each, does each
answer, and does a Service get what it asks for?
"""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Cluster,
    Family,
    Service,
    Vantage,
    change_policy,
    cluster_dns,
    cluster_families,
    create_service,
    kube_namespace,
    kube_nodes,
    kube_pods,
    kube_service,
    pod_network,
    service_answers,
)

pytestmark = pytest.mark.v6_lab("kind")


# Row H1, what the API says


def test_the_cluster_has_its_families_in_order(cluster: Cluster) -> None:
    seen = cluster_families(cluster)
    assert seen.verdict == "as-declared"
    assert seen.primary == cluster.spec.families[0]


def test_every_node_has_its_families_and_ranges(cluster: Cluster) -> None:
    seen = kube_nodes(cluster)
    assert seen.verdict == "as-declared"


def test_every_pod_has_an_address_of_each_family(cluster: Cluster) -> None:
    seen = kube_pods(cluster)
    assert seen.verdict == "as-declared"


def test_a_service_has_addresses_and_endpoints_of_its_families(
    cluster: Cluster, service: Service
) -> None:
    found = kube_service(cluster, service)
    assert found.verdict == "as-declared"
    assert found.families == service.families


def test_a_headless_service_has_endpoints_of_its_families(
    cluster: Cluster, headless_service: Service
) -> None:
    found = kube_service(cluster, headless_service)
    assert found.verdict == "as-declared"
    assert found.cluster_ips == ()


# Row H1, what answers


def test_a_pod_reaches_every_other_pod(pod: Vantage, cluster: Cluster, family: Family) -> None:
    others = pod_network(pod, kube_pods(cluster), family=family)
    assert others.verdict == "all-reached"


def test_a_service_answers_a_pod(
    pod: Vantage, cluster: Cluster, service: Service, family: Family
) -> None:
    found = kube_service(cluster, service)
    answers = service_answers(pod, found, family=family)
    assert answers.verdict == "answers"


def test_a_service_answers_a_node(
    node: Vantage, cluster: Cluster, service: Service, family: Family
) -> None:
    found = kube_service(cluster, service)
    answers = service_answers(node, found, family=family)
    assert answers.verdict == "answers"


def test_a_node_port_answers_from_outside_on_every_node(
    outside_host: Vantage, cluster: Cluster, node_port_service: Service, family: Family
) -> None:
    found = kube_service(cluster, node_port_service)
    answers = service_answers(outside_host, found, family=family, outside=True)
    assert answers.verdict == "answers"


def test_the_dns_of_the_cluster_knows_its_services_and_pods(
    pod: Vantage, cluster: Cluster, service: Service, headless_service: Service, family: Family
) -> None:
    services = [kube_service(cluster, service), kube_service(cluster, headless_service)]
    pods, dns = kube_pods(cluster), kube_service(cluster, cluster.spec.dns_service)
    names = cluster_dns(pod, dns, services, family=family, pods=pods.networked)
    assert names.verdict == "agrees"


# Row H1, what a Service asks for and what it gets (kubernetes.io, "IPv4/IPv6 dual-stack")


@pytest.mark.creates
def test_a_service_that_asks_for_nothing_has_the_primary_family_alone(cluster: Cluster) -> None:
    with kube_namespace(cluster) as namespace:
        made = create_service(namespace)
    assert made.verdict == "accepted"
    assert made.policy == "SingleStack"
    assert made.families == cluster.spec.families[:1]


@pytest.mark.creates
def test_a_service_that_prefers_dual_stack_gets_both_families(dual_stack_cluster: Cluster) -> None:
    with kube_namespace(dual_stack_cluster) as namespace:
        made = create_service(namespace, policy="PreferDualStack")
    assert made.verdict == "accepted"
    assert made.families == dual_stack_cluster.spec.families


@pytest.mark.creates
def test_a_service_that_requires_dual_stack_gets_both_families(dual_stack_cluster: Cluster) -> None:
    with kube_namespace(dual_stack_cluster) as namespace:
        made = create_service(namespace, policy="RequireDualStack")
    assert made.verdict == "accepted"
    assert made.families == dual_stack_cluster.spec.families


@pytest.mark.creates
def test_the_order_of_the_families_is_that_of_the_addresses(dual_stack_cluster: Cluster) -> None:
    with kube_namespace(dual_stack_cluster) as namespace:
        first = create_service(namespace, policy="RequireDualStack", families=("ipv6", "ipv4"))
        assert first.verdict == "accepted"
        other = create_service(namespace, policy="RequireDualStack", families=("ipv4", "ipv6"))
    assert other.verdict == "accepted"
    assert [address.version for address in first.cluster_ips] == [6, 4]
    assert [address.version for address in other.cluster_ips] == [4, 6]


@pytest.mark.creates
def test_a_service_may_have_the_other_family_alone(dual_stack_cluster: Cluster) -> None:
    with kube_namespace(dual_stack_cluster) as namespace:
        made = create_service(namespace, families=dual_stack_cluster.spec.families[1:])
    assert made.verdict == "accepted"
    assert made.policy == "SingleStack"


@pytest.mark.creates
def test_a_headless_service_without_a_selector_is_dual_stack(cluster: Cluster) -> None:
    with kube_namespace(cluster) as namespace:
        made = create_service(namespace, kind="Headless")
    assert made.verdict == "accepted"
    assert made.policy == "RequireDualStack"
    assert made.families[:1] == cluster.spec.families[:1]
    assert len(made.families) == 2


@pytest.mark.creates
def test_a_headless_service_with_a_selector_has_the_primary_family_alone(cluster: Cluster) -> None:
    with kube_namespace(cluster) as namespace:
        made = create_service(namespace, kind="Headless", selector={"app": "web"})
    assert made.verdict == "accepted"
    assert made.policy == "SingleStack"
    assert made.families == cluster.spec.families[:1]


@pytest.mark.creates
def test_a_service_is_upgraded_to_both_families_and_back(dual_stack_cluster: Cluster) -> None:
    with kube_namespace(dual_stack_cluster) as namespace:
        made = create_service(namespace, policy="SingleStack")
        assert made.verdict == "accepted"
        upgraded = change_policy(namespace, made.name, policy="PreferDualStack")
        assert upgraded.verdict == "upgraded"
        assert upgraded.families == dual_stack_cluster.spec.families
        assert upgraded.cluster_ips[:1] == made.cluster_ips
        back = change_policy(namespace, made.name, policy="SingleStack")
    assert back.verdict == "downgraded"
    assert back.cluster_ips == made.cluster_ips


@pytest.mark.creates
def test_a_service_is_upgraded_by_requiring_both_families(dual_stack_cluster: Cluster) -> None:
    with kube_namespace(dual_stack_cluster) as namespace:
        made = create_service(namespace, policy="SingleStack")
        assert made.verdict == "accepted"
        upgraded = change_policy(namespace, made.name, policy="RequireDualStack")
    assert upgraded.verdict == "upgraded"
    assert upgraded.cluster_ips[:1] == made.cluster_ips


@pytest.mark.creates
def test_the_primary_family_of_a_service_cannot_be_changed(dual_stack_cluster: Cluster) -> None:
    families = dual_stack_cluster.spec.families
    with kube_namespace(dual_stack_cluster) as namespace:
        made = create_service(namespace, policy="RequireDualStack", families=families)
        assert made.verdict == "accepted"
        changed = change_policy(namespace, made.name, families=families[::-1])
    assert changed.verdict == "refused"
    assert "spec.clusterIPs[0]" in changed.refused_for
