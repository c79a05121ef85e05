"""A cluster with one family (BRKIPV-3927, row H1): is it said where a Service wants two?"""

from __future__ import annotations

import pytest

from pytest_v6probe import Cluster, change_policy, create_service, kube_namespace

pytestmark = pytest.mark.v6_lab("kind-ipv6")


@pytest.mark.creates
def test_a_service_that_prefers_dual_stack_falls_back_to_the_one_family(
    single_stack_cluster: Cluster,
) -> None:
    with kube_namespace(single_stack_cluster) as namespace:
        made = create_service(namespace, policy="PreferDualStack")
    assert made.verdict == "fell-back"
    assert made.policy == "PreferDualStack"
    assert made.families == single_stack_cluster.spec.families


@pytest.mark.creates
def test_a_service_that_requires_dual_stack_is_refused(single_stack_cluster: Cluster) -> None:
    with kube_namespace(single_stack_cluster) as namespace:
        made = create_service(namespace, policy="RequireDualStack")
    assert made.verdict == "refused"
    assert made.refused_for == ("spec.ipFamilyPolicy",)


@pytest.mark.creates
def test_a_service_cannot_be_upgraded_to_both_families(single_stack_cluster: Cluster) -> None:
    with kube_namespace(single_stack_cluster) as namespace:
        made = create_service(namespace)
        assert made.verdict == "accepted"
        preferred = change_policy(namespace, made.name, policy="PreferDualStack")
        assert preferred.verdict == "fell-back"
        assert preferred.cluster_ips == made.cluster_ips
        required = change_policy(namespace, made.name, policy="RequireDualStack")
    assert required.verdict == "refused"
