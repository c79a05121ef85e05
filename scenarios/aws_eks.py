"""Amazon EKS on IPv6 (BRKIPV-3927, rows C1 to C5): nodes, pods, services, the way out, and in."""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Cluster,
    Family,
    LoadBalancer,
    Path,
    Service,
    Site,
    Vantage,
    cluster_dns,
    cluster_families,
    dns64,
    http,
    ipv4_egress,
    kube_load_balancer,
    kube_nodes,
    kube_pods,
    kube_service,
    load_balancer_answers,
    pmtu,
    pod_network,
    service_answers,
)

pytestmark = pytest.mark.v6_lab("eks")


# Row C1, nodes


def test_every_node_has_an_internal_ipv6_address_of_its_subnet(cluster: Cluster) -> None:
    seen = kube_nodes(cluster)
    assert seen.verdict == "as-declared"
    assert all(node.internal[0].version == 6 for node in seen.nodes)


# Row C2, pods


def test_every_pod_has_an_ipv6_address_and_no_other(cluster: Cluster) -> None:
    seen = kube_pods(cluster)
    assert seen.verdict == "as-declared"
    assert all(pod.families == (Family.IPV6,) for pod in seen.networked)


def test_a_pod_reaches_every_other_pod(pod: Vantage, cluster: Cluster) -> None:
    others = pod_network(pod, kube_pods(cluster), family="ipv6")
    assert others.verdict == "all-reached"


# Row C3, services


def test_services_have_unique_local_addresses(cluster: Cluster, service: Service) -> None:
    seen, found = cluster_families(cluster), kube_service(cluster, service)
    assert seen.verdict == "as-declared"
    assert found.verdict == "as-declared"
    assert [address.is_private for address in found.cluster_ips] == [True]


def test_a_service_answers_a_pod(pod: Vantage, cluster: Cluster, service: Service) -> None:
    found = kube_service(cluster, service)
    answers = service_answers(pod, found, family="ipv6")
    assert answers.verdict == "answers"


def test_the_dns_of_the_cluster_knows_its_services_and_pods(
    pod: Vantage, cluster: Cluster, service: Service
) -> None:
    services, pods = [kube_service(cluster, service)], kube_pods(cluster)
    dns = kube_service(cluster, cluster.spec.dns_service)
    names = cluster_dns(pod, dns, services, family="ipv6", pods=pods.networked)
    assert names.verdict == "agrees"


# Row C4, the way out


def test_a_pod_reaches_a_dual_stack_site_natively(pod: Vantage, dual_stack_site: Site) -> None:
    page = http(pod, dual_stack_site.url, ca=dual_stack_site.ca)
    assert page.answered
    assert page.path is Path.NATIVE


def test_an_ipv4_only_name_is_synthesised_for_a_pod(pod: Vantage, ipv4_only_site: Site) -> None:
    answer = dns64(pod, ipv4_only_site.name)
    assert answer.verdict == "synthesised"


def test_a_pod_reaches_an_ipv4_only_site_through_nat64(pod: Vantage, ipv4_only_site: Site) -> None:
    page = http(pod, ipv4_only_site.url, ca=ipv4_only_site.ca)
    assert page.status == 200
    assert page.path is Path.NAT64


def test_large_packets_come_back_to_a_pod(pod: Vantage, ipv4_only_site: Site) -> None:
    transfer = pmtu(
        pod, ipv4_only_site.url, large_url=ipv4_only_site.large_url, ca=ipv4_only_site.ca
    )
    assert transfer.whole


def test_a_pod_keeps_no_way_out_over_ipv4(pod: Vantage, ipv4_only_site: Site) -> None:
    egress = ipv4_egress(pod, ipv4_only_site.name)
    assert egress.verdict == "none"


# Row C5, a Service with an NLB


def test_an_nlb_is_asked_for_with_both_families(
    cluster: Cluster, load_balancer: LoadBalancer
) -> None:
    found = kube_load_balancer(cluster, load_balancer)
    assert found.verdict == "as-declared"


def test_the_aaaa_of_an_nlb_serves_the_page_of_the_pods(
    outside_host: Vantage, cluster: Cluster, load_balancer: LoadBalancer
) -> None:
    found = kube_load_balancer(cluster, load_balancer)
    answers = load_balancer_answers(outside_host, found, family="ipv6")
    assert answers.verdict == "answers"
    assert answers.path is Path.NATIVE
