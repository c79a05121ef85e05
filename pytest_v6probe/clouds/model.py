"""What is known of a cloud? The shape of the data: local services, prefixes, gaps, and commands
that cure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from ipaddress import IPv4Address, IPv6Address, IPv6Network

    from pytest_v6probe.result import Layer

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value was seen, and when somebody looked."""

    value: str
    """The field of `Cloud` (or ``metadata``, for all of it) that this is about."""
    where: str
    checked: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """An instance metadata service that speaks IPv6: plain HTTP at a literal."""

    address: IPv6Address
    port: int = 80
    hostname_path: str
    """A path that every instance has, and whose value is no secret."""
    headers: Headers = ()
    """What every request for a value carries."""
    token_path: str = ""
    """Where a PUT gives a session token; empty: there are no tokens."""
    token_headers: Headers = ()
    """What the request for a token carries."""
    token_header: str = ""
    """The header that carries the token."""

    @property
    def kind(self) -> str:
        """``session-token`` (as IMDSv2), ``flavor-header``, or ``plain``."""
        if self.token_path:
            return "session-token"
        return "flavor-header" if self.headers else "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """For a verdict on a layer: the likely cause, and the command that cures it. *verdict* "" is
    any.

    Parts in angle brackets are for the reader to fill in.
    """

    layer: Layer
    verdict: str = ""
    cause: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGap:
    """Something that a cloud or a tool cannot do yet: true until a test shows otherwise, and then
    it is to be told.
    """

    id: str
    statement: str
    since: str
    """When it was first known: a year, a month or a day."""
    source: str
    checked: date
    row: str
    """The row of the talk's demos that it belongs to."""
    notice: str
    """How a test would see that it is closed."""
    closed: str = ""
    """When it closed, as far as is known; empty: it is open."""

    @property
    def open(self) -> bool:
        """Whether it is still so."""
        return not self.closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One cloud. None means that the cloud has no such thing over IPv6."""

    name: str
    resolver: IPv6Address | None = None
    """The resolver that every instance can ask, whatever its subnet."""
    time_server: IPv6Address | None = None
    pod_identity: IPv6Address | None = None
    metadata: Metadata | None = None
    metadata_ipv4: IPv4Address | None = None
    """Where the metadata service answers over IPv4; never asked instead."""
    nat64_prefix: IPv6Network | None = None
    """The prefix of the cloud's own DNS64 and NAT64."""
    sources: tuple[Source, ...] = ()
    gaps: tuple[KnownGap, ...] = ()
    cures: tuple[Cure, ...] = ()

    def cure(self, layer: Layer, verdict: str = "") -> Cure | None:
        """The cure for *verdict* on *layer*: that of exactly this verdict, else the layer's own,
        else none.
        """
        of_layer = [cure for cure in self.cures if cure.layer is layer]
        exact = (cure for cure in of_layer if cure.verdict == verdict)
        general = (cure for cure in of_layer if not cure.verdict)
        return next(exact, None) or next(general, None)

    def gap(self, gap_id: str) -> KnownGap:
        """The known gap of that id. Raises KeyError."""
        return {gap.id: gap for gap in self.gaps}[gap_id]
