"""NAT64 (RFC 6146): which prefix leads to the translator (RFC 7050), and does it work together with
DNS64?
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import answers, replies
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.rfc import rfc1035, rfc6052, rfc7050
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.probes.answers import Answer

_NO_SYNTHESIS = frozenset({"nodata", "nxdomain"})  # RFC 7050 §3: there is no DNS64 then


@dataclass(frozen=True, slots=True, kw_only=True)
class Nat64Prefixes(Finding):
    """The NAT64 prefixes that one resolver uses.

    Verdicts: ``discovered``; ``no-synthesis`` (RFC 7050 §3: the well-known name has no AAAA, so
    there is no DNS64, or what it has is not made from its A records); ``other-prefix`` (not the
    expected one); else as in `answers.Answer`.
    """

    layer: ClassVar[Layer] = Layer.SYNTHESIS
    speaks_of = answers.LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE, Layer.RA, Layer.RESOLVER)

    prefixes: frozenset[IPv6Network] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nat64(Finding):
    """Whether DNS64 and NAT64 go together: the prefix that names lead to, and a connection through
    it.

    Verdicts: ``working``; ``dns64-without-nat64`` (names lead to the translator, and nothing gets
    through it); ``nat64-without-dns64`` (the translator works, no name leads to it); ``no-nat64``
    (neither is there); ``other-prefix`` (DNS64 uses a prefix that is not the expected one); else,
    where the resolver gave no usable answer, as in `answers.Answer`.
    """

    layer: ClassVar[Layer] = Layer.SYNTHESIS
    speaks_of = answers.LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE, Layer.RA, Layer.RESOLVER)

    connection: str
    """What became of the connection: ``answered``, ``timed-out``, ``no-route``, ``refused``, …"""
    prefixes: frozenset[IPv6Network] = frozenset()

    @property
    def broken_layer(self) -> Layer:
        """How the connection failed where names lead to the translator; else the resolver or the
        synthesis.
        """
        if self.verdict == "dns64-without-nat64":
            return replies.LAYERS.get(self.connection, Layer.TCP)
        return self.speaks_of.get(self.verdict, self.layer)


@Probe
def nat64_prefixes(
    expected: IPv6Network | None = None,
    *,
    server: IPv6Address | None = None,
    timeout_s: float = 3.0,
) -> Ask[Nat64Prefixes]:
    """Ask *server*, or the vantage's own first IPv6 resolver, for the AAAA of ipv4only.arpa (RFC
    7050 §3).

    If *expected* is given, the verdict is on it.
    """
    query = rfc1035.query(rfc7050.WELL_KNOWN_NAME, "AAAA")
    return Ask(
        operations=(answers.ask(server, query, timeout_s=timeout_s),),
        judge=partial(judge_prefixes, query=query, expected=expected),
    )


@Probe
def nat64(
    address: IPv4Address,
    port: int = 80,
    *,
    prefix: IPv6Network | None = None,
    server: IPv6Address | None = None,
    timeout_s: float = 3.0,
) -> Ask[Nat64]:
    """Discover the prefixes, and connect to *port* of *address* through *prefix*, both at once.

    *prefix* is by default the well-known one, 64:ff9b::/96. A refused connection also proves the
    translator. Raises ValueError for a prefix that cannot carry an IPv4 address.
    """
    query = rfc1035.query(rfc7050.WELL_KNOWN_NAME, "AAAA")
    prefix = prefix or rfc6052.WELL_KNOWN_PREFIX
    connect = wire.stream(rfc6052.embed(address, prefix), port, timeout_s=timeout_s)
    return Ask(
        operations=(answers.ask(server, query, timeout_s=timeout_s), connect),
        judge=partial(judge, query=query, prefix=prefix, asked=f"{address}:{port} behind {prefix}"),
    )


def judge_prefixes(seen: Seen, *, query: bytes, expected: IPv6Network | None) -> Nat64Prefixes:
    """Read the answer per RFC 7050 §3. Pure."""
    reply = seen.replies[0]
    answer = answers.read(reply, query)
    found = _prefixes(answer)
    return Nat64Prefixes(
        vantage=seen.vantage,
        asked=f"{rfc7050.WELL_KNOWN_NAME} AAAA",
        prefixes=found,
        verdict=_unusable(answer) or _found(found, expected),
        local=reply.local,
        remote=reply.remote,
        path=replies.path_of(reply.remote, seen.nat64_prefixes),
        elapsed_s=reply.elapsed_s,
        evidence=tuple(filter(None, (replies.said(reply), answer.why))),
    )


def judge(seen: Seen, *, query: bytes, prefix: IPv6Network, asked: str) -> Nat64:
    """Compare what names lead to with what gets through. Pure."""
    discovery, connection = seen.replies
    answer = answers.read(discovery, query)
    found = _prefixes(answer)
    return Nat64(
        vantage=seen.vantage,
        asked=asked,
        verdict=_unusable(answer) or _verdict(found, prefix, connection.outcome),
        connection=connection.outcome,
        prefixes=found,
        local=connection.local,
        remote=connection.remote,
        path=replies.path_of(connection.remote, (prefix,)),
        elapsed_s=connection.elapsed_s,
        evidence=(f"ipv4only.arpa: {answer.verdict}", f"TCP: {replies.said(connection)}"),
    )


def _found(found: frozenset[IPv6Network], expected: IPv6Network | None) -> str:
    if not found:
        return "no-synthesis"
    return "discovered" if expected is None or expected in found else "other-prefix"


def _verdict(found: frozenset[IPv6Network], prefix: IPv6Network, connection: str) -> str:
    through = connection in {
        "answered",
        "refused",
        "reset",
    }  # RFC 6146: a reset is translated as well
    if not found:
        return "nat64-without-dns64" if through else "no-nat64"
    if prefix not in found:
        return "other-prefix"
    return "working" if through else "dns64-without-nat64"


def _prefixes(answer: Answer) -> frozenset[IPv6Network]:
    found = answer.message.addresses if answer.message is not None else ()
    return rfc7050.prefixes(x for x in found if isinstance(x, IPv6Address))


def _unusable(answer: Answer) -> str:
    return "" if answer.verdict in {"answered", *_NO_SYNTHESIS} else answer.verdict
