"""What can be broken in the lab "metallb"? Its faults, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.lab.broken.kubernetes import of
from pytest_v6probe.lab.clouds import metallb_objects as own
from pytest_v6probe.lab.clouds.cluster_network import ROUTER
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.steps import Forgotten
from pytest_v6probe.lab.steps_metallb import Pooled, Relayed, Unannounced

if TYPE_CHECKING:
    from pytest_v6probe.lab.fault import Fault

PLAN = PLANS["metallb"]
FORGETFUL = Forgotten(nodes=(PLAN.node(ROUTER),))
"""The router asks anew on its link who has an external address."""


FAULTS: tuple[Fault, ...] = (
    of(
        PLAN,
        "pool-one-family",
        "the pool of MetalLB has IPv4 addresses only",
        Pooled(region=PLAN.region, ranges=tuple(net for net in own.POOL if net.version == 4)),
    ),
    of(
        PLAN,
        "speaker-down",
        "no speaker of MetalLB runs",
        Unannounced(region=PLAN.region),
        FORGETFUL,
    ),
    of(
        PLAN,
        "client-address-replaced",
        f"the externalTrafficPolicy of {own.LOCAL} is Cluster",
        Relayed(region=PLAN.region),
    ),
)
