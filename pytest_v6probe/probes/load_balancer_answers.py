"""Does a service answer outsiders at its external addresses, over one family? By its name, where its
load balancer has one instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.kube import families
from pytest_v6probe.probes import load_balancer_causes, replies, service_port
from pytest_v6probe.result import Address, Endpoint, Family, Finding, Layer, Path
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.probes.kube_load_balancer import KubeLoadBalancer

MOST = 32
"""Of a larger load balancer only so many doors are asked."""
SHOWN_LINES = 12
TCP = "TCP"
LOCAL = ("no-address", "no-route")
_LAYERS = {
    "no-address": Layer.ADDRESS,
    "no-route": Layer.ROUTE,
    "name-error": Layer.ANSWER,
    "synthesised": Layer.ANSWER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One external address, or name, with a port."""

    host: Address | str
    port: int
    http: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if isinstance(self.host, str) else str(self.endpoint)

    @property
    def endpoint(self) -> Endpoint | None:
        """Address and port; None for a name."""
        return None if isinstance(self.host, str) else Endpoint(self.host, self.port)

    def operation(self, family: Family, *, page: str, timeout_s: float) -> Operation:
        """Connect, and ask for *page* where it speaks HTTP."""
        return service_port.operation(
            self.host,
            self.port,
            version=6 if family is Family.IPV6 else 4,
            page=page,
            speaks=self.http,
            timeout_s=timeout_s,
        )

    def read(self, reply: Reply) -> tuple[str, bool]:
        """What became of it, and whether that is an answer."""
        return service_port.read(reply, speaks=self.http)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerAnswers(Finding):
    """Every external address of one service over one family, asked at once on each of its TCP ports.

    Verdicts: ``answers``; ``address-missing`` (it has none of the family); ``name-error`` (its name
    has none), ``synthesised`` (its name has none, and NAT64 stood in); ``no-address``, ``no-route``
    (of the vantage itself); ``external-silent`` (a door does not answer, see *silent*). Any HTTP
    status is an answer.
    """

    layer: ClassVar[Layer] = Layer.SERVICE
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE)

    service: str
    """``namespace/name``."""
    family: Family
    name_asked: str = ""
    """The load balancer's name; empty where it has addresses."""
    answers: tuple[tuple[str, str], ...] = ()
    """Each door, and what became of asking there: ``ok``, ``open``, ``timed-out``, ``status-404``, …"""
    silent: tuple[str, ...] = ()
    """The doors that did not answer."""
    because: tuple[str, str] | None = None
    """The cause of a silence or a want, and the command that cures it."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """Who should have answered at the address, or given one."""
        return self.because


@Probe
def load_balancer_answers(
    found: KubeLoadBalancer, *, family: str, timeout_s: float = 4.0
) -> Ask[LoadBalancerAnswers]:
    """Ask every external address of *found*, what `kube_load_balancer` returned, over *family*
    (``ipv6`` or ``ipv4``) at once, on each TCP port; the first is asked for a page where the
    inventory says that it speaks HTTP. Raises ValueError for no family.
    """
    wanted = Family(family)
    places = doors(found, wanted)
    return Ask(
        operations=tuple(
            place.operation(wanted, page="/", timeout_s=timeout_s) for place in places
        ),
        judge=partial(judge, found=found, family=wanted, places=places),
        wants_prefixes=bool(found.names) and wanted is Family.IPV6,
    )


def judge(
    seen: Seen, *, found: KubeLoadBalancer, family: Family, places: tuple[Door, ...]
) -> LoadBalancerAnswers:
    """Tell by what answers whether outsiders are served. Pure."""
    read = [place.read(reply) for place, reply in zip(places, seen.replies, strict=True)]
    silent = [at for at, (_, answered) in enumerate(read) if not answered]
    ways = [replies.path_of(reply.remote, seen.nat64_prefixes) for reply in seen.replies]
    verdict = _verdict([verdict for verdict, _ in read], silent, ways)
    at = silent[0] if silent else 0
    shown = seen.replies[at] if seen.replies else None
    host = places[at].host if places else ""
    answers = tuple((str(place), verdict) for place, (verdict, _) in zip(places, read, strict=True))
    return LoadBalancerAnswers(
        vantage=seen.vantage,
        asked=f"external addresses of {found.service} over {family}",
        verdict=verdict,
        service=found.service,
        family=family,
        name_asked=found.names[0] if found.names and not found.addresses else "",
        answers=answers,
        silent=tuple(str(places[one]) for one in silent),
        because=load_balancer_causes.answers(found, verdict, host, family),
        local=shown.local if shown is not None else None,
        remote=shown.remote if shown is not None else None,
        path=ways[at] if ways else None,
        elapsed_s=max((reply.elapsed_s for reply in seen.replies), default=0.0),
        evidence=tuple(replies.shown(f"{door}: {verdict}") for door, verdict in answers)[
            :SHOWN_LINES
        ],
    )


def doors(found: KubeLoadBalancer, family: Family) -> tuple[Door, ...]:
    """Where *found* is to answer over *family*."""
    return tuple(_doors(found, family))[:MOST]


def _doors(found: KubeLoadBalancer, family: Family) -> Iterator[Door]:
    if found.balancer is None:
        return
    hosts: list[Address | str] = [one for one in found.addresses if families.of(one) == family]
    hosts += found.names
    ports = [port for port in found.balancer.service.ports if port.protocol == TCP]
    for host in hosts:
        for port in ports:
            speaks = found.http and port is found.balancer.service.ports[0]
            yield Door(host=host, port=port.port, http=speaks)


def _verdict(verdicts: list[str], silent: list[int], ways: list[Path | None]) -> str:
    if not verdicts:
        return "address-missing"
    alike = set(verdicts)
    if len(alike) == 1 and alike <= {*LOCAL, "name-error"}:
        return alike.pop()
    if silent:
        return "external-silent"
    return "synthesised" if Path.NAT64 in ways else "answers"
