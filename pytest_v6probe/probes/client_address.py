"""Do the servers behind a load balancer see who asks them, or an address of a node?
``externalTrafficPolicy``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.probes import http, load_balancer_causes, replies
from pytest_v6probe.probes.load_balancer_answers import LOCAL, doors
from pytest_v6probe.result import Address, Family, Finding, Layer, Path
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.probes.kube_load_balancer import KubeLoadBalancer
    from pytest_v6probe.probes.load_balancer_answers import Door

LONGEST = 64
"""Octets of a page that is an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAddress(Finding):
    """The address that servers behind one load balancer saw, over one family.

    Verdicts: ``kept`` (the vantage's own, or a global one where the vantage has a private address
    behind a NAT); ``replaced`` (another); ``untold`` (the page is no address); ``address-missing``
    (the load balancer has none of the family); ``external-silent`` (no answer came), ``no-address``,
    ``no-route`` (of the vantage itself); ``status-404`` and the like, as of `http`.
    """

    layer: ClassVar[Layer] = Layer.SERVICE
    speaks_of = replies.LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE)

    service: str
    """``namespace/name``."""
    family: Family
    seen_as: Address | None = None
    """The address that the server was asked from, as it says."""
    local_only: bool = False
    """``externalTrafficPolicy: Local``."""

    because: tuple[str, str] | None = None
    """The cause of a silence or a want, and the command that cures it."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Who replaced it, or should have answered."""
        if self.verdict != "replaced" or self.local_only:
            return self.because
        namespace, _, name = self.service.partition("/")
        return (
            "its externalTrafficPolicy is Cluster: the node that takes a packet puts its own address "
            "in the place of the client's",
            f"kubectl -n {namespace} patch service {name} -p "
            '\'{"spec":{"externalTrafficPolicy":"Local"}}\'',
        )


@Probe
def client_address(
    found: KubeLoadBalancer, *, family: str, timeout_s: float = 4.0
) -> Ask[ClientAddress]:
    """Ask the load balancer *found*, what `kube_load_balancer` returned, over *family* (``ipv6`` or
    ``ipv4``) for its `client_address_page`. Raises ValueError for no family, or without such a page.
    """
    wanted = Family(family)
    if not found.client_address_page:
        raise ValueError(f"the inventory names no client_address_page of {found.service}")
    places = tuple(place for place in doors(found, wanted) if place.http)[:1]
    return Ask(
        operations=tuple(
            place.operation(wanted, page=found.client_address_page, timeout_s=timeout_s)
            for place in places
        ),
        judge=partial(judge, found=found, family=wanted, places=places),
    )


def judge(
    seen: Seen, *, found: KubeLoadBalancer, family: Family, places: tuple[Door, ...]
) -> ClientAddress:
    """Compare the address that the server tells with the vantage's own. Pure."""
    balancer = found.balancer
    asked = f"who asks {found.service} over {family}"
    finding = partial(
        ClientAddress,
        vantage=seen.vantage,
        asked=asked,
        service=found.service,
        family=family,
        local_only=balancer is not None and balancer.service.local_only,
    )
    if not places:
        return finding(verdict="address-missing", because=found.known_cause)
    reply = seen.replies[0]
    verdict, response = http.read(reply, secure=False)
    told = address_in(response.body) if response is not None and verdict == "ok" else None
    if verdict == "ok":
        own = reply.local.address if reply.local is not None else None
        verdict = "untold" if told is None else "kept" if is_of(told, own) else "replaced"
    elif response is None and verdict not in LOCAL:
        verdict = "external-silent"
    return finding(
        verdict=verdict,
        seen_as=told,
        because=load_balancer_causes.answers(found, verdict, places[0].host, family),
        local=reply.local,
        remote=reply.remote,
        path=Path.NATIVE if family is Family.IPV6 else Path.IPV4,
        elapsed_s=reply.elapsed_s,
        evidence=(
            *((f"the server says that {told} asked it",) if told is not None else ()),
            *http.evidence(reply, response),
        ),
    )


def address_in(page: bytes) -> Address | None:
    """The address that *page* is; None if it is none. One of IPv4 in IPv6's notation is of IPv4."""
    try:
        told = ip_address(page[:LONGEST].decode("ascii").strip())
    except ValueError:
        return None
    mapped = told.ipv4_mapped if isinstance(told, IPv6Address) else None
    return mapped or told


def is_of(told: Address, own: Address | None) -> bool:
    """Whether a server that was asked from *told* was asked by who has the address *own*."""
    if own is None or told == own:
        return own is not None
    return told.is_global and not own.is_global and told.version == own.version
