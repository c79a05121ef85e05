"""What is in a mesh of a lab's cluster? Two servers and a client, each with a sidecar, where the plan has
Istio.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

from pytest_v6probe.inventory.model import Host, Pod, Role, Service
from pytest_v6probe.lab.clouds import istio_objects as own
from pytest_v6probe.lab.clouds import istio_sidecar
from pytest_v6probe.lab.clouds.cluster_objects import (
    APPS,
    CORE,
    PORT,
    WEB,
    apart,
    named,
    on,
    soon,
    web,
)
from pytest_v6probe.lab.daemons.containerd import PYTHON_IMAGE
from pytest_v6probe.result import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.lab.clouds.cluster_objects import Made
    from pytest_v6probe.lab.clouds.cluster_plan import Plan
    from pytest_v6probe.lab.clouds.istio_sidecar import Places

NAMESPACE, CLIENT = "mesh", "client"
MESH = f"{CORE}/namespaces/{NAMESPACE}"
DEPLOYMENTS = f"{APPS}/namespaces/{NAMESPACE}/deployments"
ADMIN = Endpoint(IPv6Address("::1"), 15000)
"""Envoy's, where the first address of its pod is of IPv6 and Istio has dual stack."""


def objects(plan: Plan, places: Places) -> tuple[Made, ...]:
    """What is to be made in the cluster of *plan*, whose nodes have Istio and Envoy at *places*."""
    if not plan.istio:
        return ()
    return (*own.objects(places.istio / "bin"), *_mesh(plan, places))


def ready(plan: Plan) -> tuple[tuple[str, str, int], ...]:
    """Namespace, selector and number of the pods of Istio and of the mesh."""
    if not plan.istio:
        return ()
    return (
        (own.NAMESPACE, f"app={own.ISTIOD}", 1),
        (NAMESPACE, f"app={WEB}", plan.count),
        (NAMESPACE, f"app={CLIENT}", 1),
    )


def pods(plan: Plan, cluster: str, prefix: str) -> tuple[Host, ...]:
    """What the inventory says of the pods in the mesh; their names begin with *prefix*."""
    if not plan.istio:
        return ()
    known = {
        f"{WEB}-{at}": Pod(
            cluster=cluster,
            namespace=NAMESPACE,
            selector=f"app={WEB}",
            container=WEB,
            node=member.name,
            envoy_admin=ADMIN,
        )
        for at, member in enumerate(plan.members, 1)
    }
    known[CLIENT] = Pod(
        cluster=cluster,
        namespace=NAMESPACE,
        selector=f"app={CLIENT}",
        container=CLIENT,
        envoy_admin=ADMIN,
    )
    return tuple(
        Host(name=f"{prefix}.{NAMESPACE}-{name}", region=plan.region, role=Role.POD, pod=pod)
        for name, pod in known.items()
    )


def services(plan: Plan, cluster: str) -> tuple[Service, ...]:
    """What the inventory says of the service in the mesh."""
    if not plan.istio:
        return ()
    return (
        Service(name=WEB, cluster=cluster, namespace=NAMESPACE, families=plan.families, mesh=True),
    )


def _mesh(plan: Plan, places: Places) -> Iterator[Made]:
    yield f"{CORE}/namespaces", named(NAMESPACE)
    yield f"{MESH}/serviceaccounts", named("default")
    yield DEPLOYMENTS, _deployment(WEB, web(), plan.count, places, affinity=apart({"app": WEB}))
    idle = {"name": CLIENT, "image": PYTHON_IMAGE}
    yield DEPLOYMENTS, _deployment(CLIENT, idle, 1, places, nodeSelector=on(plan.members[0]))
    yield f"{MESH}/services", service()


def service() -> dict[str, Any]:
    """The service of the mesh."""
    spec = {
        "ipFamilyPolicy": "PreferDualStack",
        "selector": {"app": WEB},
        "ports": [{"name": "http", "port": PORT}],
    }
    return named(WEB, {"app": WEB}, spec=spec)


def _deployment(
    name: str, container: dict[str, Any], count: int, places: Places, **where: Any
) -> dict[str, Any]:
    labels = {"app": name}
    spec = {
        "replicas": count,
        "selector": {"matchLabels": labels},
        "strategy": {"type": "Recreate"},
        "template": istio_sidecar.template(name, container, {**soon(), **where}, places),
    }
    return named(name, labels, spec=spec)
