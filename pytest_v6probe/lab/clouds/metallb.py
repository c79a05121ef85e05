"""Which services of a lab's cluster have external addresses, out of which pool? Those of a plan with MetalLB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.inventory.model import LoadBalancer
from pytest_v6probe.lab.clouds import metallb_objects as own

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_v6probe.lab.clouds.cluster_objects import Made
    from pytest_v6probe.lab.clouds.cluster_plan import Plan

ADDRESS_PAGE = "/cgi-bin/address"
SERVICES = (own.BALANCED, own.LOCAL)


def objects(plan: Plan, programs: Path) -> tuple[Made, ...]:
    """What is to be made in the cluster of *plan*; *programs* is the directory of MetalLB's."""
    return tuple(own.objects(programs)) if plan.metallb else ()


def ready(plan: Plan) -> tuple[tuple[str, str, int], ...]:
    """Namespace, selector and number of the pods of MetalLB."""
    if not plan.metallb:
        return ()
    return (
        (own.NAMESPACE, f"component={own.CONTROLLER}", 1),
        (own.NAMESPACE, f"component={own.SPEAKER}", plan.count),
    )


def announced(plan: Plan) -> tuple[tuple[str, int], ...]:
    """Where it is told which speaker announces a service, and for how many it is to be."""
    return ((f"{own.OWN}/servicel2statuses", len(SERVICES)),) if plan.metallb else ()


def balanced(plan: Plan) -> tuple[str, ...]:
    """The paths of the services that it announces."""
    return tuple(f"{own.SERVICES}/{name}" for name in SERVICES) if plan.metallb else ()


def load_balancers(plan: Plan, cluster: str) -> tuple[LoadBalancer, ...]:
    """What the inventory says of their external addresses."""
    return tuple(
        LoadBalancer(
            name=name,
            cluster=cluster,
            families=plan.families,
            pool=own.POOL,
            client_address_page=ADDRESS_PAGE if name == own.LOCAL else "",
        )
        for name in (SERVICES if plan.metallb else ())
    )
