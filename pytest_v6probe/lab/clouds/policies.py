"""Who enforces network policies in a lab's cluster, and may see them? kube-router on each node, where the
plan says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.kube import rbac
from pytest_v6probe.lab.clouds.cluster_objects import RBAC
from pytest_v6probe.lab.daemons.kube_router import USER, KubeRouter

if TYPE_CHECKING:
    from pytest_v6probe.lab.clouds.cluster_objects import Made
    from pytest_v6probe.lab.clouds.cluster_plan import Member, Plan

NAME = "kube-router"
RULES = (
    rbac.Rule(
        resources=("namespaces", "pods", "services", "nodes", "endpoints"),
        verbs=("get", "list", "watch"),
        why="whom a policy is about",
    ),
    rbac.Rule(
        group="discovery.k8s.io",
        resources=("endpointslices",),
        verbs=("get", "list", "watch"),
        why="it waits for all that it can know of",
    ),
    rbac.Rule(
        group="networking.k8s.io",
        resources=("networkpolicies",),
        verbs=("get", "list", "watch"),
        why="what it enforces",
    ),
)


def objects(plan: Plan) -> tuple[Made, ...]:
    """What is to be made in the cluster of *plan*: the rights of kube-router."""
    if not plan.policies:
        return ()
    user = {"kind": "User", "apiGroup": rbac.GROUP, "name": USER}
    return (
        (f"{RBAC}/clusterroles", rbac.cluster_role(NAME, RULES)),
        (f"{RBAC}/clusterrolebindings", rbac.cluster_role_binding(NAME, user)),
    )


def of_node(plan: Plan, member: Member, command: str) -> tuple[KubeRouter, ...]:
    """What runs on one node; *command* is where kube-router is."""
    node = plan.node(member.name)
    router = KubeRouter(
        name=f"{node}/{NAME}",
        node=node,
        command=command,
        server=plan.server,
        host=member.name,
        services=plan.services,
    )
    return (router,) if plan.policies else ()
