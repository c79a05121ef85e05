"""What must an account be allowed so that v6probe can ask a cluster? Rules of RBAC, each with its
reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

GROUP = "rbac.authorization.k8s.io"
NAME = "v6probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; *group* is empty for the API's core."""

    group: str = ""
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str


LOOK = (
    Rule(
        resources=("nodes", "pods", "services", "events"),
        verbs=("get", "list"),
        why="what the cluster says of itself",
    ),
    Rule(
        group="discovery.k8s.io",
        resources=("endpointslices",),
        verbs=("get", "list"),
        why="the endpoints of each family",
    ),
    Rule(
        group="metallb.io",
        resources=("servicel2statuses", "servicebgpstatuses"),
        verbs=("get", "list"),
        why="which node announces an external address of MetalLB",
    ),
    Rule(
        resources=("pods/exec",),
        # before Kubernetes 1.35 a WebSocket's request counts as get, from then on as create
        verbs=("create", "get"),
        why="a pod is a place to ask from",
    ),
)
"""What every run needs."""
DEBUG = (
    Rule(
        resources=("pods/ephemeralcontainers",),
        verbs=("patch",),
        why="a pod without python3, where the inventory names a debug_image",
    ),
)
CREATE = (
    Rule(
        resources=("namespaces",),
        verbs=("get", "list", "create", "delete"),
        why="a namespace of its own, v6probe-…, and `v6probe clean`",
    ),
    Rule(
        resources=("pods",),
        verbs=("create",),
        why="a node is asked from a pod on its network, where the inventory names a debug_image",
    ),
    Rule(
        resources=("services",),
        verbs=("create", "patch"),
        why="services of each policy, in that namespace",
    ),
    Rule(
        resources=("pods",),
        verbs=("create",),
        why="pods that a network policy is tried on, in that namespace",
    ),
    Rule(
        group="networking.k8s.io",
        resources=("networkpolicies",),
        verbs=("create",),
        why="the network policy that is tried",
    ),
)
"""What tests that create something need as well: those with the mark `creates`."""


def cluster_role(name: str, rules: Iterable[Rule]) -> dict[str, Any]:
    """The ClusterRole called *name* with these *rules*."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [
            {
                "apiGroups": [rule.group],
                "resources": list(rule.resources),
                "verbs": list(rule.verbs),
            }
            for rule in rules
        ],
    }


def cluster_role_binding(name: str, *subjects: dict[str, str]) -> dict[str, Any]:
    """What gives that role to *subjects*."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
        "subjects": list(subjects),
    }
