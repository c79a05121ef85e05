"""DNS64 (RFC 6147): does an IPv4-only name get AAAA records, and do they lead where its A records
lead?
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pytest_v6probe.probes import answers, replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.rfc import rfc1035, rfc6052
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.probes.answers import Answer

MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4-mapped addresses say nothing: a DNS64 excludes them (RFC 6147 §5.1.4), and so do we."""


_LAYERS = {
    **dict.fromkeys(("nxdomain", "servfail", "no-records", "link-local"), Layer.ANSWER),
    **answers.LAYERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns64(Finding):
    """The addresses of one name as one resolver answers: native ones, and synthetic ones with what
    is inside them.

    Verdicts: ``synthesised`` (all in a NAT64 prefix, and the IPv4 addresses inside are the A
    records); ``embedded-mismatch`` (they are others); ``link-local`` (the A records are link-local:
    synthesised or not, they lead nowhere, so that the name has no usable record); ``wrong-prefix``
    (in another prefix than the one that was expected); ``mixed`` (native and synthetic ones);
    ``unverified`` (synthetic, but the A question got no answer to compare with); ``native``;
    ``no-aaaa`` (only A records); ``no-records`` (neither); ``nxdomain`` and what else
    `answers.Answer` lists for the AAAA question.
    """

    layer: ClassVar[Layer] = Layer.SYNTHESIS
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE, Layer.RA, Layer.RESOLVER)

    name: str
    native: frozenset[IPv6Address] = frozenset()
    synthetic: frozenset[IPv6Address] = frozenset()
    embedded: frozenset[IPv4Address] = frozenset()
    """The IPv4 addresses inside the synthetic ones."""
    ipv4_addresses: frozenset[IPv4Address] = frozenset()
    """The A records, from the same resolver."""
    prefixes: frozenset[IPv6Network] = frozenset()
    """The NAT64 prefixes that the synthetic addresses lie in."""

    @property
    def synthesised(self) -> bool:
        """Whether any AAAA record was made from an A record."""
        return bool(self.synthetic)


@Probe
def dns64(
    name: str,
    *,
    server: IPv6Address | None = None,
    prefix: IPv6Network | None = None,
    timeout_s: float = 3.0,
) -> Ask[Dns64]:
    """Ask *server*, or the vantage's own first IPv6 resolver, for the AAAA and A records of *name*,
    over UDP.

    A synthetic address is one in *prefix*, in a prefix that RFC 7050 finds at the vantage, or in a
    well-known one; if *prefix* is given, every other one is the wrong prefix. Raises ValueError for
    what is not a DNS name.
    """
    # Neither DO nor CD is set: RFC 6147 §5.5 would rightly not synthesise.
    queries = (rfc1035.query(name, "AAAA"), rfc1035.query(name, "A"))
    return Ask(
        operations=tuple(answers.ask(server, query, timeout_s=timeout_s) for query in queries),
        judge=partial(judge, name=name, queries=queries, prefix=prefix),
        wants_prefixes=True,
    )


def judge(
    seen: Seen, *, name: str, queries: tuple[bytes, bytes], prefix: IPv6Network | None
) -> Dns64:
    """Compare the AAAA answer with the A answer per RFC 6147 §5.1. Pure."""
    reply = seen.replies[0]
    aaaa = answers.read(reply, queries[0])
    a = answers.read(seen.replies[1], queries[1])
    found = _sort(
        aaaa, a, [*replies.TRANSLATED, *seen.nat64_prefixes, *((prefix,) if prefix else ())]
    )
    return Dns64(
        vantage=seen.vantage,
        asked=f"{name} AAAA and A",
        name=name,
        verdict=_verdict(aaaa.verdict, a.verdict, found, prefix),
        native=found.native,
        synthetic=found.synthetic,
        embedded=found.embedded,
        ipv4_addresses=found.ipv4,
        prefixes=found.prefixes,
        local=reply.local,
        remote=reply.remote,
        elapsed_s=max(reply.elapsed_s, seen.replies[1].elapsed_s),
        evidence=tuple(filter(None, (f"AAAA: {aaaa.verdict}", aaaa.why, f"A: {a.verdict}", a.why))),
    )


class _Sorted(NamedTuple):
    """The addresses of both answers by what they are."""

    native: frozenset[IPv6Address]
    synthetic: frozenset[IPv6Address]
    embedded: frozenset[IPv4Address]
    prefixes: frozenset[IPv6Network]
    ipv4: frozenset[IPv4Address]


def _sort(aaaa: Answer, a: Answer, known: list[IPv6Network]) -> _Sorted:
    native, inside, prefixes = set(), {}, set()
    for address in _ipv6(aaaa):
        prefix = rfc6052.prefix_of(address, known)
        if prefix is None:
            native.add(address)
        else:
            inside[address] = _inside(address, prefix)
            prefixes.add(prefix)
    found = a.message.addresses if a.message else ()
    return _Sorted(
        native=frozenset(native),
        synthetic=frozenset(inside),
        embedded=frozenset(v4 for v4 in inside.values() if v4 is not None),
        prefixes=frozenset(prefixes),
        ipv4=frozenset(x for x in found if isinstance(x, IPv4Address)),
    )


def _verdict(  # noqa: PLR0911  one return for each verdict
    aaaa: str,
    a: str,
    found: _Sorted,
    prefix: IPv6Network | None,
) -> str:
    if aaaa not in {"answered", "nodata"}:
        return aaaa
    nowhere = bool(found.ipv4) and all(address.is_link_local for address in found.ipv4)
    if not found.synthetic and not found.native:
        return "link-local" if nowhere else "no-aaaa" if found.ipv4 else "no-records"
    if not found.synthetic:
        return "native"
    if found.native:
        return "mixed"
    if prefix is not None and found.prefixes != {prefix}:
        return "wrong-prefix"
    if a not in {"answered", "nodata", "nxdomain"}:
        return "unverified"
    if nowhere:
        return "link-local"
    return "synthesised" if found.embedded == found.ipv4 else "embedded-mismatch"


def _ipv6(answer: Answer) -> list[IPv6Address]:
    found = answer.message.addresses if answer.message else ()
    return [x for x in found if isinstance(x, IPv6Address) and x not in MAPPED]


def _inside(address: IPv6Address, prefix: IPv6Network) -> IPv4Address | None:
    try:
        return rfc6052.extract(address, prefix)
    except ValueError:  # a length without a rule for it, or bits 64 to 71 are set
        return None
