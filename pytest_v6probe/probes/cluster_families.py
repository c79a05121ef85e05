"""Which families has a cluster, and which is its primary one, by the services that every cluster
has?
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.kube import families, fields, services
from pytest_v6probe.kube.services import Service
from pytest_v6probe.probes import replies
from pytest_v6probe.probes.kube_service import PREFER
from pytest_v6probe.probes.kube_service_causes import ADD_FAMILY
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from pytest_v6probe.cluster import Cluster, Lists
    from pytest_v6probe.inventory import kube
    from pytest_v6probe.result import Family

API_SERVICE = "default/kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFamilies(Finding):
    """What the ClusterIPs of the API's service and of the DNS service say of their cluster.

    Verdicts: ``as-declared`` (nothing that they say is against the inventory: both may have the
    primary family only, for that is what a service gets that asks for nothing); ``other-primary``;
    ``family-missing`` (the DNS service prefers dual stack, and has one family of the two);
    ``family-unexpected``; ``outside-range`` (an address is in none of the inventory's
    `service_ranges`); ``absent`` (one of the two services is not there); ``malformed`` (an object
    is not what the API's reference says).
    """

    layer: ClassVar[Layer] = Layer.CLUSTER
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    families: tuple[Family, ...] = ()
    """Those seen, the primary one first."""
    api: Service | None = None
    dns: Service | None = None

    @property
    def primary(self) -> str:
        """The family of a service that asks for none; empty where it was not seen."""
        return self.families[0] if self.families else ""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Which range is not there, or not the first."""
        if self.verdict not in {"other-primary", "family-missing"}:
            return None
        return (
            f"the API server gives out {families.listed(self.families)}: its first service range is "
            f"of {families.listed(self.families[:1])}, and stays the first",
            ADD_FAMILY,
        )


def cluster_families(cluster: Cluster) -> ClusterFamilies:
    """Look at the API's service and at the DNS service of *cluster*, as the inventory names it.
    Raises Unobserved.
    """
    spaces = {name.partition("/")[0] for name in (API_SERVICE, cluster.spec.dns_service)}
    return cluster.ask(
        {space: f"/api/v1/namespaces/{space}/services" for space in sorted(spaces)},
        partial(judge, spec=cluster.spec),
    )


def judge(lists: Lists, *, spec: kube.Cluster) -> ClusterFamilies:
    """Compare the families of both services with the inventory's. Pure."""
    wanted = {API_SERVICE, spec.dns_service}
    said = [one for objects in lists.values() for one in objects if fields.label(one) in wanted]
    found, complaints = fields.read_all(said, services.service)
    by_id = {service.id: service for service in found}
    api, dns = by_id.get(API_SERVICE), by_id.get(spec.dns_service)
    both = [service for service in (api, dns) if service is not None]
    seen = families.of_all(address for service in both for address in service.cluster_ips)
    verdict = "malformed" if complaints else "absent"
    if not complaints and api is not None and dns is not None:
        verdict = _verdict(api, dns, seen, spec)
    return ClusterFamilies(
        vantage=spec.id,
        asked=f"services {API_SERVICE} and {spec.dns_service}",
        verdict=verdict,
        families=seen,
        api=api,
        dns=dns,
        evidence=tuple(
            replies.shown(line)
            for line in (
                *complaints,
                *(
                    f"{service.id} {service.policy}: {' '.join(map(str, service.cluster_ips))}"
                    for service in both
                ),
            )
        ),
    )


def _verdict(api: Service, dns: Service, seen: tuple[Family, ...], spec: kube.Cluster) -> str:
    addresses = (*api.cluster_ips, *dns.cluster_ips)
    if any(family not in spec.families for family in seen):
        return "family-unexpected" if spec.families[0] == seen[0] else "other-primary"
    if api.address_families[:1] != spec.families[:1]:
        return "other-primary"
    if dns.policy == PREFER and len(dns.address_families) < len(spec.families):
        return "family-missing"
    return "outside-range" if families.outside(addresses, spec.service_ranges) else "as-declared"
