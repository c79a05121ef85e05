"""What can be broken in the lab "policies"? Its faults, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.daemons.kube_router import SPELT_ALIKE
from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.steps_policies import Reenforced, Unenforced

if TYPE_CHECKING:
    from pytest_v6probe.lab.steps import Step

PLAN = PLANS["policies"]
NODES = tuple(PLAN.node(member.name) for member in PLAN.members)
IPV4_ALONE = tuple(net for net in PLAN.services if net.version == 4)
NO_SOURCES = f"/--match-set KUBE-SRC-/d;{SPELT_ALIKE}"


def _fault(name: str, summary: str, *steps: Step) -> Fault:
    return Fault(name=name, summary=summary, steps=steps, region=PLAN.region, shape=PLAN.shape)


FAULTS: tuple[Fault, ...] = (
    _fault(
        "policies-ipv4-only",
        "kube-router enforces network policies over IPv4 only",
        *(Reenforced(node=node, options={"services": IPV4_ALONE}) for node in NODES),
    ),
    _fault(
        "policies-not-enforced",
        "nothing enforces network policies",
        *(Unenforced(node=node) for node in NODES),
    ),
    _fault(
        "policies-sources-ipv4-only",
        "kube-router lets in over IPv4 only whom a network policy allows",
        *(Reenforced(node=node, options={"ipv6_rules": NO_SOURCES}) for node in NODES),
    ),
)
