"""Kubernetes network policies with two families (BRKIPV-3927, row H1): is what a policy denies over
IPv4 denied over IPv6, and the other way round?
"""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Cluster,
    Family,
    eventually,
    kube_namespace,
    policy_parity,
    policy_pods,
    restrict_egress,
    restrict_ingress,
)

pytestmark = pytest.mark.v6_lab("policies")

ENFORCED_WITHIN_S = 10.0
"""How long a new policy may take to be enforced."""
OTHER_FAMILY_S = 2.0
"""How long after IPv4 it may be enforced over IPv6."""
NEIGHBOURS_WITHIN_S = 5.0
"""Neighbour discovery gives up after 3 s (RFC 4861 §10)."""


# Row H1, ingress


@pytest.mark.creates
def test_what_no_rule_lets_in_is_denied_over_both_families(policy_cluster: Cluster) -> None:
    with kube_namespace(policy_cluster) as namespace, policy_pods(namespace) as pods:
        before = policy_parity(pods.denied, pods.server, allowed=True)
        assert before.verdict == "equal", "without a policy all is allowed"
        restrict_ingress(namespace, allow=True)
        after = eventually(
            lambda: policy_parity(pods.denied, pods.server, allowed=False),
            until=lambda seen: seen.verdict == "equal",
            within_s=ENFORCED_WITHIN_S,
        )
    assert after.verdict == "equal"


@pytest.mark.creates
def test_what_a_rule_lets_in_is_allowed_over_both_families(policy_cluster: Cluster) -> None:
    with kube_namespace(policy_cluster) as namespace, policy_pods(namespace) as pods:
        restrict_ingress(namespace, allow=True)
        eventually(
            lambda: policy_parity(pods.denied, pods.server, allowed=False),
            until=lambda seen: seen.verdict == "equal",
            within_s=ENFORCED_WITHIN_S,
        )
        found = policy_parity(pods.allowed, pods.server, allowed=True)
    assert found.verdict == "equal"


@pytest.mark.creates
def test_a_policy_without_rules_lets_nobody_in_over_both_families(
    policy_cluster: Cluster,
) -> None:
    with kube_namespace(policy_cluster) as namespace, policy_pods(namespace) as pods:
        before = policy_parity(pods.allowed, pods.server, allowed=True)
        assert before.verdict == "equal", "without a policy all is allowed"
        restrict_ingress(namespace, allow=False)
        after = eventually(
            lambda: policy_parity(pods.allowed, pods.server, allowed=False),
            until=lambda seen: seen.verdict == "equal",
            within_s=ENFORCED_WITHIN_S,
        )
    assert after.verdict == "equal"


# Row H1, egress


@pytest.mark.creates
def test_what_no_rule_lets_out_is_denied_over_both_families(policy_cluster: Cluster) -> None:
    with kube_namespace(policy_cluster) as namespace, policy_pods(namespace) as pods:
        before = policy_parity(pods.allowed, pods.other, allowed=True)
        assert before.verdict == "equal", "without a policy all is allowed"
        restrict_egress(namespace, allow=True)
        after = eventually(
            lambda: policy_parity(pods.allowed, pods.other, allowed=False),
            until=lambda seen: seen.verdict == "equal",
            within_s=ENFORCED_WITHIN_S,
        )
    assert after.verdict == "equal"


@pytest.mark.creates
def test_what_a_rule_lets_out_is_allowed_over_both_families(policy_cluster: Cluster) -> None:
    """Nothing is asked over IPv6 before the policy is enforced: the pod must find its neighbours under
    it.
    """
    with kube_namespace(policy_cluster) as namespace, policy_pods(namespace) as pods:
        restrict_egress(namespace, allow=True)
        eventually(
            lambda: policy_parity(pods.allowed, pods.other, allowed=False, over=[Family.IPV4]),
            until=lambda seen: seen.verdict == "equal",
            within_s=ENFORCED_WITHIN_S,
            held_s=OTHER_FAMILY_S,
        )
        found = policy_parity(
            pods.allowed, pods.server, allowed=True, timeout_s=NEIGHBOURS_WITHIN_S
        )
    assert found.verdict == "equal"


@pytest.mark.creates
def test_a_policy_without_rules_lets_nobody_out_over_both_families(
    policy_cluster: Cluster,
) -> None:
    with kube_namespace(policy_cluster) as namespace, policy_pods(namespace) as pods:
        before = policy_parity(pods.denied, pods.server, allowed=True)
        assert before.verdict == "equal", "without a policy all is allowed"
        restrict_egress(namespace, allow=False)
        after = eventually(
            lambda: policy_parity(pods.denied, pods.server, allowed=False),
            until=lambda seen: seen.verdict == "equal",
            within_s=ENFORCED_WITHIN_S,
        )
    assert after.verdict == "equal"
