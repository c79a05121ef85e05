"""What can be broken at the load balancers of the labs "eks", "aks" and "gke"? Their faults, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_v6probe.kube.load_balancers import IP_ADDRESS_TYPE
from pytest_v6probe.lab.broken.kubernetes import of
from pytest_v6probe.lab.clouds import balancers
from pytest_v6probe.lab.clouds.balancers import BALANCERS
from pytest_v6probe.lab.clouds.cluster_network import ROUTER
from pytest_v6probe.lab.clouds.cluster_objects import DEFAULT
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.cluster_calls import NAMESPACES
from pytest_v6probe.lab.steps import Filtered
from pytest_v6probe.lab.steps_kubernetes import Patched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.lab.clouds.cluster_plan import Plan
    from pytest_v6probe.lab.fault import Fault

PATH = f"{NAMESPACES}/{DEFAULT}/services/{balancers.NAME}"


def _patched(plan: Plan, path: str, change: dict[str, Any], undo: dict[str, Any]) -> Patched:
    return Patched(region=plan.region, path=path, change=change, undo=undo)


def _without_ipv6(plan: Plan) -> Fault:
    ingress = BALANCERS[plan.shape].ingress
    only_four = [known for known in ingress if ":" not in known["ip"]]
    return of(
        plan,
        "balancer-without-ipv6",
        "the cloud gave the service an external IPv4 address only",
        _patched(
            plan,
            f"{PATH}/status",
            {"status": balancers.status(*only_four)},
            {"status": balancers.status(*ingress)},
        ),
    )


def _not_dual_stack(plan: Plan) -> Fault:
    noted = BALANCERS[plan.shape].annotations

    def annotated(kind: str) -> dict[str, Any]:
        return {"metadata": {"annotations": {IP_ADDRESS_TYPE: kind}}}

    return of(
        plan,
        "balancer-not-dual-stack",
        "the service asks AWS for IPv4 only",
        _patched(plan, PATH, annotated("ipv4"), annotated(noted[IP_ADDRESS_TYPE])),
    )


def _silent(plan: Plan) -> Fault:
    address = next(known for known in BALANCERS[plan.shape].addresses if known.version == 6)
    return of(
        plan,
        "balancer-silent",
        "packets to the load balancer vanish over IPv6",
        Filtered(
            node=plan.node(ROUTER), hook="forward", rule=f"ct original ip6 daddr {address} drop"
        ),
    )


def _faults() -> Iterator[Fault]:
    yield _not_dual_stack(PLANS["eks"])
    for shape in ("aks", "gke"):
        yield _without_ipv6(PLANS[shape])
    for shape in BALANCERS:
        yield _silent(PLANS[shape])


FAULTS: tuple[Fault, ...] = tuple(_faults())
