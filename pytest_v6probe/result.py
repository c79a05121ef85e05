"""What does a probe return? Findings, and the words every finding uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

Address = IPv4Address | IPv6Address


class Family(StrEnum):
    """The family of an address, as an inventory writes it."""

    IPV6 = "ipv6"
    IPV4 = "ipv4"


class Path(StrEnum):
    """Which way a packet went: by the family and prefix of the remote address that was really used."""

    NATIVE = "native"
    NAT64 = "nat64"
    IPV4 = "ipv4"


class Layer(StrEnum):
    """The rungs of the ladder, lowest first. The order of the members is the order of the
    diagnosis.
    """

    ADDRESS = "address"
    ROUTE = "route"
    RA = "ra"
    FORWARDING = "forwarding"
    RESOLVER = "resolver"
    ANSWER = "answer"
    SYNTHESIS = "synthesis"
    ICMP = "icmp"
    PATH_MTU = "path-mtu"
    TCP = "tcp"
    TLS = "tls"
    SSH = "ssh"
    HTTP = "http"
    NTP = "ntp"
    CONFIGURATION = "configuration"
    ENGINE = "engine"
    REGISTRY = "registry"
    POD = "pod"
    NODE = "node"
    ENDPOINTS = "endpoints"
    SERVICE = "service"
    SIDECAR = "sidecar"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of an exchange as the vantage's kernel reported it. *port* is 0 where there is none
    (ICMP).
    """

    address: Address
    port: int = 0

    def __str__(self) -> str:
        literal = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{literal}:{self.port}" if self.port else str(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one probe found, from one vantage. Frozen; equality ignores times and evidence.

    *verdict* is one lower-case word or hyphenated phrase; each probe's result class lists its own.
    *elapsed_s* is in seconds. *evidence* holds short printable lines (what came back), never
    secrets.
    """

    layer: ClassVar[Layer]
    speaks_of: ClassVar[Mapping[str, Layer]] = MappingProxyType({})
    """The rungs that verdicts speak of, where that is not *layer*."""
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE, Layer.RA)
    """The rungs that must hold for this question to have an answer; a name adds the resolver's
    (`name_asked`).
    """

    vantage: str
    asked: str
    verdict: str
    local: Endpoint | None = None
    remote: Endpoint | None = None
    path: Path | None = None
    elapsed_s: float = field(default=0.0, compare=False)
    evidence: tuple[str, ...] = field(default=(), compare=False)

    @property
    def broken_layer(self) -> Layer:
        """Which rung this finding itself speaks about, when every rung below it holds."""
        return self.speaks_of.get(self.verdict, self.layer)

    @property
    def name_asked(self) -> str:
        """The DNS name that this finding depends on; empty where it went to a literal address."""
        return ""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """The cause, and the command that cures it, where the finding itself knows them; the
        diagnosis prefers them to what is known of the cloud.
        """
        return None

    @property
    def reached(self) -> Address | None:
        """The remote address that was really used; None where nothing was reached for."""
        return self.remote.address if self.remote is not None else None


class Traffic(Protocol):
    """Packets that were captured at a vantage: what a failing test leaves behind as a file."""

    @property
    def vantage(self) -> str:
        """Where they were captured."""

    @property
    def pcap(self) -> bytes:
        """What was captured, or has been so far. Raises Unobserved if it cannot be fetched."""
