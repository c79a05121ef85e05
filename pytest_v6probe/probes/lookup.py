"""Which records does a name have, as a resolver answers the vantage? RFC 1035, RFC 3596."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.probes import answers, replies
from pytest_v6probe.result import Address, Finding, Layer
from pytest_v6probe.rfc import rfc1035
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.rfc.rfc1035 import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup(Finding):
    """The answer to one DNS question.

    Verdicts: ``answered``, ``nodata``, ``nxdomain``, ``servfail``, … and those of `answers.Answer`.
    """

    layer: ClassVar[Layer] = Layer.ANSWER
    speaks_of = answers.LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE, Layer.RA, Layer.RESOLVER)

    name: str
    type: str
    addresses: frozenset[Address] = frozenset()
    """Those of an A or AAAA question, the alias chain followed."""
    aliases: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()

    @property
    def ipv4_addresses(self) -> frozenset[IPv4Address]:
        """Those of an A question."""
        return frozenset(address for address in self.addresses if isinstance(address, IPv4Address))


@Probe
def lookup(
    name: str, rtype: str = "AAAA", *, server: IPv6Address | None = None, timeout_s: float = 3.0
) -> Ask[Lookup]:
    """Ask *server*, or the vantage's own first IPv6 resolver, for the records of type *rtype* of
    *name*, over UDP.

    Raises ValueError for a name or type that cannot be asked.
    """
    query = rfc1035.query(name, rtype)
    return Ask(
        operations=(answers.ask(server, query, timeout_s=timeout_s),),
        judge=partial(judge, name=name, rtype=rtype, query=query),
    )


def judge(seen: Seen, *, name: str, rtype: str, query: bytes) -> Lookup:
    """Read one DNS exchange. Pure."""
    reply = seen.replies[0]
    answer = answers.read(reply, query)
    message = answer.message
    return Lookup(
        vantage=seen.vantage,
        asked=f"{name} {rtype}",
        verdict=answer.verdict,
        name=name,
        type=rtype,
        addresses=message.addresses if message else frozenset(),
        aliases=message.aliases if message else (),
        records=message.answers if message else (),
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=tuple(filter(None, (replies.said(reply), answer.why))),
    )
