"""What did the DNS of a cluster say to each question, and each of its endpoints to one, and is that what
the API says?
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from pytest_v6probe.probes import answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from ipaddress import IPv6Network

    from pytest_v6probe.agent.wire import Reply
    from pytest_v6probe.kube.endpoint_slices import ServiceEndpoint
    from pytest_v6probe.probes.cluster_names import Question
    from pytest_v6probe.result import Address

SHOWN_LINES = 12
_RESOLVED = frozenset({"answered", "nodata", "nxdomain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterName:
    """What one question got: the addresses, and those that the API has."""

    name: str
    type: str
    verdict: str
    addresses: frozenset[Address] = frozenset()
    expected: frozenset[Address] = frozenset()
    known: bool = True
    """Whether there is such a name; the one that there is not must stay NXDOMAIN."""

    @property
    def agrees(self) -> bool:
        """Whether the DNS says what the API says."""
        if not self.known:
            return self.verdict == "nxdomain"
        return self.verdict in {"answered", "nodata"} and self.addresses == self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsEndpoint:
    """One endpoint of the DNS service, and what it said to one question."""

    address: Address
    node: str
    verdict: str

    @property
    def answered(self) -> bool:
        """Whether it said anything about the name."""
        return self.verdict in _RESOLVED


def read_names(questions: Iterable[Question], replies: Iterable[Reply]) -> tuple[ClusterName, ...]:
    """What each of *questions* got."""
    return tuple(_name(reply, asked) for asked, reply in zip(questions, replies, strict=True))


def _name(reply: Reply, asked: Question) -> ClusterName:
    answer = answers.read(reply, asked.query)
    return ClusterName(
        name=asked.name,
        type=asked.type,
        verdict=answer.verdict,
        addresses=answer.message.addresses if answer.message is not None else frozenset(),
        expected=asked.expected,
        known=asked.known,
    )


def read_endpoints(
    endpoints: Iterable[ServiceEndpoint], replies: Iterable[Reply], query: bytes
) -> tuple[DnsEndpoint, ...]:
    """What each of *endpoints* said to *query*."""
    return tuple(
        DnsEndpoint(
            address=endpoint.address,
            node=endpoint.node,
            verdict=answers.read(reply, query).verdict,
        )
        for endpoint, reply in zip(endpoints, replies, strict=True)
    )


def verdict(
    names: tuple[ClusterName, ...],
    behind: tuple[DnsEndpoint, ...],
    prefixes: Sequence[IPv6Network],
) -> str:
    """The verdict on what the ClusterIP said to all, and what the endpoints *behind* it said."""
    silent = next((one.verdict for one in behind if not one.answered), "")
    failed = next((one.verdict for one in names if one.verdict not in _RESOLVED), "")
    if silent or failed:
        return silent or ("cluster-ip-silent" if behind else failed)
    if any(_synthetic(one, prefixes) for one in names):
        return "cluster-name-synthesised"
    if any(one.known and not one.agrees for one in names):
        return "differs"
    return "agrees" if all(one.agrees for one in names) else "unknown-name-answered"


def _synthetic(one: ClusterName, prefixes: Sequence[IPv6Network]) -> bool:
    strange = one.addresses - one.expected
    return any(
        isinstance(address, IPv6Address) and any(address in prefix for prefix in prefixes)
        for address in strange
    )


def lines(names: tuple[ClusterName, ...], behind: tuple[DnsEndpoint, ...]) -> list[str]:
    """What a person reads of it, what does not agree first."""
    ordered = sorted(names, key=lambda one: one.agrees)
    said = [
        f"{one.name} {one.type}: {one.verdict} {_listed(one.addresses)}"
        + ("" if one.agrees else f", the API has {_listed(one.expected)}")
        for one in ordered[:SHOWN_LINES]
    ]
    silent = [
        f"directly {one.address}{' on ' + one.node if one.node else ''}: {one.verdict}"
        for one in behind
        if not one.answered
    ]
    return said + silent


def _listed(addresses: frozenset[Address]) -> str:
    return " ".join(sorted(map(str, addresses))) or "none"
