"""How is one thing of MetalLB in the lab broken, and put back?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab.clouds import internet
from pytest_v6probe.lab.clouds import metallb_objects as own
from pytest_v6probe.lab.clouds.cluster_objects import APPS
from pytest_v6probe.lab.clouds.clusters import KIND
from pytest_v6probe.lab.clouds.metallb import ADDRESS_PAGE
from pytest_v6probe.lab.cluster_calls import (
    ASK_AGAIN_S,
    EFFECT_S,
    asked,
    contents,
    page,
    seen,
    written,
)
from pytest_v6probe.lab.loop import pause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab
    from pytest_v6probe.lab.topology import Network

STATUSES = f"{own.OWN}/servicel2statuses"
POOL_PATH = f"{own.OWN}/ipaddresspools/{own.POOL_NAME}"
SPEAKER_PATH = f"{APPS}/namespaces/{own.NAMESPACE}/daemonsets/{own.SPEAKER}"
NOWHERE = {"v6probe/nowhere": "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """The pool of MetalLB has *ranges*, and its services the addresses that are to be had there."""

    region: str
    ranges: tuple[Network, ...]

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._fill(lab, self.ranges)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._fill(lab, own.POOL)
        yield from lab.answers(contents(lab, self.region))

    def _fill(self, lab: Lab, ranges: tuple[Network, ...]) -> Task[None]:
        _, pool = own.pool(ranges)
        yield from asked(lab, self.region, "PATCH", POOL_PATH, {"spec": pool["spec"]})
        whole = {net.version for net in ranges} == {net.version for net in own.POOL}
        wanted: dict[str, set[int]] = {
            own.BALANCED: {net.version for net in ranges},
            own.LOCAL: {4, 6} if whole else set(),
        }
        for name, versions in wanted.items():
            has = partial(_has, versions)
            yield from seen(lab, self.region, f"{own.SERVICES}/{name}", has)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unannounced:
    """No speaker of MetalLB runs."""

    region: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._where(lab, NOWHERE)
        path = f"{own.SYSTEM}/pods?labelSelector=component%3D{own.SPEAKER}"
        yield from seen(lab, self.region, path, lambda found: not found["items"])
        # as the garbage collector does, which looks for kinds that are new to it every 30 s
        yield from asked(lab, self.region, "DELETE", STATUSES)
        yield from seen(lab, self.region, STATUSES, lambda found: not found["items"])

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._where(lab, dict.fromkeys(NOWHERE))
        yield from lab.answers(contents(lab, self.region))

    def _where(self, lab: Lab, nodes: Mapping[str, str | None]) -> Task[None]:
        spec = {"template": {"spec": {"nodeSelector": nodes}}}
        yield from asked(lab, self.region, "PATCH", SPEAKER_PATH, {"spec": spec})


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """The service that keeps its clients' addresses does not: its ``externalTrafficPolicy`` is
    ``Cluster``.
    """

    region: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._follow(lab, "Cluster", kept=False)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._follow(lab, "Local", kept=True)
        yield from lab.answers(contents(lab, self.region))

    def _follow(self, lab: Lab, policy: str, *, kept: bool) -> Task[None]:
        path = f"{own.SERVICES}/{own.LOCAL}"
        change = {"spec": {"externalTrafficPolicy": policy}}
        service = yield from asked(lab, self.region, "PATCH", path, change)
        until = time.monotonic() + EFFECT_S
        for address in _addresses(service):
            while (yield from _is_seen(lab, address)) != kept:
                if time.monotonic() > until:
                    raise LabError(f"{policy} is not in effect at {address} in {EFFECT_S:g} s")
                yield from pause(ASK_AGAIN_S)


def _is_seen(lab: Lab, address: str) -> Task[Any]:
    """Whether the servers behind *address* see no node's address but the client's; None: nobody
    answers.
    """
    literal = f"[{address}]" if ":" in address else address
    try:
        yield from lab.run(internet.CLIENT, *page(f"http://{literal}{ADDRESS_PAGE}"))
    except LabError:
        return None
    told = ip_address(written(internet.CLIENT).strip())
    return not any(told in known.link for known in (KIND.ipv6, KIND.ipv4))


def _has(versions: set[int], service: Mapping[str, Any]) -> bool:
    """Whether the external addresses of *service* are of just these versions of IP."""
    return {ip_address(address).version for address in _addresses(service)} == versions


def _addresses(service: Mapping[str, Any]) -> list[str]:
    ingress = service["status"]["loadBalancer"].get("ingress", [])
    return [entry["ip"] for entry in ingress]
