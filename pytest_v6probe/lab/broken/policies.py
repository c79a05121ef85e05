"""What can be broken in the lab "policies"? Its faults, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_v6probe.lab.broken.kubernetes import of
from pytest_v6probe.lab.clouds import policies
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.daemons.kube_router import MENDED, SPELT_ALIKE
from pytest_v6probe.lab.steps import Changed, Stopped, options

if TYPE_CHECKING:
    from pytest_v6probe.lab.fault import Fault

PLAN = PLANS["policies"]
ROUTERS = tuple(f"{PLAN.node(member.name)}/{policies.NAME}" for member in PLAN.members)
IPV4_ALONE = tuple(net for net in PLAN.services if net.version == 4)
NO_RULES = f"/--match-set KUBE-SRC-/d;{MENDED}"
UNENFORCED = """for tool in iptables ip6tables; do
  $tool --flush
  $tool --delete-chain
done
ipset destroy
"""
"""Nobody else has rules in these tables: kube-proxy's are nftables' own."""


def _changed(router: str, **changes: Any) -> Changed:
    return Changed(daemon=router, options=options(**changes), cleared=UNENFORCED)


FAULTS: tuple[Fault, ...] = (
    of(
        PLAN,
        "ipv4-only",
        "kube-router enforces network policies over IPv4 only",
        *(_changed(router, services=IPV4_ALONE) for router in ROUTERS),
    ),
    of(
        PLAN,
        "not-enforced",
        "nothing enforces network policies",
        *(Stopped(daemon=router, cleared=UNENFORCED) for router in ROUTERS),
    ),
    of(
        PLAN,
        "rules-ipv4-only",
        "what a rule of a network policy names is allowed over IPv4 only",
        *(_changed(router, ipv6_rules=NO_RULES) for router in ROUTERS),
    ),
    of(
        PLAN,
        "discovery-denied",
        "a network policy for egress denies neighbour discovery",
        *(_changed(router, ipv6_rules=SPELT_ALIKE) for router in ROUTERS),
    ),
)
