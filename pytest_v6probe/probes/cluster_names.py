"""Which names does a cluster's DNS know, and which addresses must they have? Kubernetes' "DNS-Based
Service Discovery".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_v6probe.kube import families
from pytest_v6probe.result import Family
from pytest_v6probe.rfc import rfc1035

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_v6probe.kube.pods import Pod
    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.result import Address

NOBODY = "v6probe-asks-for-nobody.default.svc"
MOST_NAMES = 64
_TYPES = {"AAAA": Family.IPV6, "A": Family.IPV4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, and the addresses that it must get. *known*: there is such a name."""

    name: str
    type: str
    query: bytes
    expected: frozenset[Address] = frozenset()
    known: bool = True


def questions(
    services: Sequence[KubeService], pods: Sequence[Pod], domain: str
) -> tuple[Question, ...]:
    """The AAAA and A questions for *services* and *pods*, and for a name that is not there.

    A service without any address is left out: there may be such a name, or not.
    """
    every = (*_of_services(services, domain), *_of_pods(pods, domain))
    names = [(name, addresses) for name, addresses in every if addresses][:MOST_NAMES]
    known = [
        Question(
            name=name,
            type=rtype,
            query=rfc1035.query(name, rtype),
            expected=frozenset(one for one in addresses if families.of(one) is family),
        )
        for name, addresses in names
        for rtype, family in _TYPES.items()
    ]
    nobody = f"{NOBODY}.{domain}"
    unknown = [
        Question(name=nobody, type=rtype, query=rfc1035.query(nobody, rtype), known=False)
        for rtype in _TYPES
    ]
    return (*known, *unknown)


def _of_services(
    services: Sequence[KubeService], domain: str
) -> Iterator[tuple[str, tuple[Address, ...]]]:
    for found in services:
        service = found.service
        if service is None:
            continue
        addresses = service.cluster_ips
        if service.headless:
            addresses = tuple(
                endpoint.address
                for family in service.families
                for endpoint in found.endpoints(family)
            )
        yield f"{service.name}.{service.namespace}.svc.{domain}", addresses


def _of_pods(pods: Sequence[Pod], domain: str) -> Iterator[tuple[str, tuple[Address, ...]]]:
    for pod in pods:
        for address in pod.addresses:
            dashed = str(address).replace(":", "-").replace(".", "-")
            yield f"{dashed}.{pod.namespace}.pod.{domain}", (address,)
