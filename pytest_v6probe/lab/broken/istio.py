"""What can be broken in the lab "istio"? Its faults, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.lab.broken.kubernetes import of
from pytest_v6probe.lab.clouds import istio
from pytest_v6probe.lab.clouds.cluster_objects import WEB
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.clouds.istio_objects import DUAL_STACK
from pytest_v6probe.lab.clouds.istio_sidecar import INBOUND_PORT
from pytest_v6probe.lab.steps import options
from pytest_v6probe.lab.steps_istio import Directed, Refiltered, Remade, Uncaptured, Unlearned
from pytest_v6probe.lab.steps_kubernetes import Rewired

if TYPE_CHECKING:
    from pytest_v6probe.lab.fault import Fault

PLAN = PLANS["istio"]
FAR = PLAN.members[1]
OFF = options(**{DUAL_STACK: "false"})
LOOPBACK = {"socket_address": {"address": "127.0.0.1", "port_value": INBOUND_PORT}}
"""An address in place of the one of IPv6: a list cannot be replaced by an empty one."""

FAULTS: tuple[Fault, ...] = (
    of(
        PLAN,
        "dual-stack-off",
        f"istiod runs without {DUAL_STACK}",
        Directed(region=PLAN.region, settings=OFF),
    ),
    of(
        PLAN,
        "sidecars-not-restarted",
        f"istiod got {DUAL_STACK} when the mesh ran already, whose pods were not made anew",
        Unlearned(region=PLAN.region, settings=OFF),
    ),
    of(
        PLAN,
        "listener-without-ipv6",
        "the sidecars of the servers have no IPv6 address that they take connections at",
        Refiltered(
            region=PLAN.region,
            app=WEB,
            value=options(additional_addresses=[{"address": LOOPBACK}]),
        ),
    ),
    of(
        PLAN,
        "inbound-not-captured",
        "ip6tables of the servers' pods does not redirect what comes in to their sidecars",
        Uncaptured(
            region=PLAN.region,
            app=WEB,
            chain="PREROUTING",
            rule=("-p", "tcp", "-j", "ISTIO_INBOUND"),
        ),
    ),
    of(
        PLAN,
        "outbound-not-captured",
        "ip6tables of the client's pod does not redirect what goes out to its sidecar",
        Uncaptured(
            region=PLAN.region, app=istio.CLIENT, chain="OUTPUT", rule=("-j", "ISTIO_OUTPUT")
        ),
    ),
    of(
        PLAN,
        "pod-single-stack",
        f"the pod of {WEB} on {FAR.name} has no IPv4 address",
        Rewired(
            region=PLAN.region,
            node=FAR.name,
            ranges=tuple(net for net in FAR.pods if net.version == 6),
            was=FAR.pods,
            namespace=istio.NAMESPACE,
            selector=f"app={WEB}",
        ),
    ),
    of(
        PLAN,
        "service-single-stack",
        "the service of the mesh is of IPv4 alone",
        Remade(region=PLAN.region, families=("IPv4",)),
    ),
)
