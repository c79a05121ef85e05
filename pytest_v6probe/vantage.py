"""Where is a question asked from? A vantage puts asks to its agent and hands back findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.result import Finding, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from ipaddress import IPv6Address, IPv6Network

    from pytest_v6probe.agent.client import Agent
    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.inventory.model import Container, Docker, Host
    from pytest_v6probe.transport.docker.engine import Engine
    from pytest_v6probe.transport.ssh_client import SshSession

F = TypeVar("F", bound=Finding)
P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a judge reads: who asked, the replies in the order of the operations, and the NAT64
    prefixes known there.
    """

    vantage: str
    replies: tuple[Reply, ...]
    nat64_prefixes: frozenset[IPv6Network] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Generic[F]):
    """One question: the operations to run at the vantage, and the pure function that judges their
    replies.
    """

    operations: tuple[Operation, ...]
    judge: Callable[[Seen], F]
    wants_prefixes: bool = False
    """True where the judge must tell NAT64 from native: the vantage then looks up its NAT64
    prefixes (once).
    """


class Probe(Generic[P, F]):
    """A probe as scenarios use it: ``dns64(host, name)`` asks now, ``dns64.ask(name)`` is one entry
    of a `sweep`.
    """

    def __init__(self, ask: Callable[P, Ask[F]]) -> None:
        self.ask = ask
        self.__name__ = ask.__name__
        self.__qualname__ = ask.__qualname__
        self.__module__ = ask.__module__
        self.__doc__ = ask.__doc__
        self.__wrapped__ = ask

    def __call__(self, at: Vantage, /, *args: P.args, **kwargs: P.kwargs) -> F:
        return at.sweep([self.ask(*args, **kwargs)])[0]


@dataclass(slots=True, kw_only=True, eq=False)
class Vantage:
    """A place probes run from. Connects when it is first asked, and keeps that one connection.

    *connect* opens the agent (raises Unobserved); *prefixes* asks for the NAT64 prefixes of this
    place; *witness* is told every finding, in order, and *keep* every capture that begins; *login*
    logs in anew over SSH as the inventory says, None where it names no such way. *manage* opens a
    second agent by the way that does not depend on the default route; *open_engine* asks the engine
    that *docker* describes. Actions are allowed where *disruptive* is.
    """

    name: str
    region: str
    host: Host = field(repr=False)
    connect: Callable[[], Agent] = field(repr=False)
    prefixes: Callable[[Vantage], frozenset[IPv6Network]] = field(repr=False)
    witness: Callable[[Finding], None] = field(default=lambda _: None, repr=False)
    keep: Callable[[Traffic], None] = field(default=lambda _: None, repr=False)
    login: Callable[[], SshSession] | None = field(default=None, repr=False)
    manage: Callable[[], Agent] | None = field(default=None, repr=False)
    docker: Docker | None = field(default=None, repr=False)
    open_engine: Callable[[], Engine] | None = field(default=None, repr=False)
    disruptive: bool = False
    _agent: Agent | None = field(default=None, init=False, repr=False)
    _prefixes: frozenset[IPv6Network] | None = field(default=None, init=False, repr=False)
    _engine: Engine | None = field(default=None, init=False, repr=False)

    @property
    def agent(self) -> Agent:
        """The agent at this vantage, started on first use. Raises Unobserved if it cannot be."""
        if self._agent is None:
            self._agent = self.connect()
        return self._agent

    @property
    def address(self) -> IPv6Address:
        """The global address that the inventory gives this host. Raises Unobserved if it gives
        none.
        """
        if self.host.address is None:
            raise Unobserved(
                f"the inventory gives {self.name} no address: set its `address`, or `ssh` to a literal",
                reason="no-address-given",
                vantage=self.name,
            )
        return self.host.address

    @property
    def container(self) -> Container:
        """What the inventory says of this container. Raises Unobserved where this is none."""
        if self.host.container is None:
            raise Unobserved(
                f"{self.name} is no [[container]]", reason="no-container", vantage=self.name
            )
        return self.host.container

    @property
    def engine(self) -> Engine:
        """The Docker Engine of this host, asked by its API. Raises Unobserved if there is none, or
        it cannot be asked.
        """
        if self._engine is None:
            if self.open_engine is None:
                raise Unobserved(
                    f"no [[docker]] of the inventory names {self.name}",
                    reason="no-engine-given",
                    vantage=self.name,
                )
            self._engine = self.open_engine()
        return self._engine

    def management(self) -> Agent:
        """A new agent here, by the way that survives a broken default route; whoever asks closes
        it. Raises Unobserved if the inventory names no such way, or it does not work.
        """
        if self.manage is None:
            raise Unobserved(
                f"the inventory names no other way to {self.name}: set its `management`",
                reason="no-management",
                vantage=self.name,
            )
        return self.manage()

    @property
    def nat64_prefixes(self) -> frozenset[IPv6Network]:
        """The NAT64 prefixes in use at this vantage (RFC 7050), looked up once."""
        if self._prefixes is None:
            self._prefixes = self.prefixes(self)
        return self._prefixes

    def sweep(self, asks: Sequence[Ask[F]]) -> list[F]:
        """Put all of *asks* in one batch and judge each. Raises Unobserved if the vantage cannot be
        used.
        """
        findings = self.look(asks)
        for finding in findings:
            self.witness(finding)
        return findings

    def look(self, asks: Sequence[Ask[F]]) -> list[F]:
        """As `sweep`, without a witness: what is asked only to explain another finding."""
        known = self.nat64_prefixes if any(ask.wants_prefixes for ask in asks) else frozenset()
        replies = self.agent.run([operation for ask in asks for operation in ask.operations])
        findings, at = [], 0
        for ask in asks:
            end = at + len(ask.operations)
            seen = Seen(vantage=self.name, replies=tuple(replies[at:end]), nat64_prefixes=known)
            findings.append(ask.judge(seen))
            at = end
        return findings

    def close(self) -> None:
        """Stop the agent and free the connection."""
        self._engine = None
        if self._agent is not None:
            self._agent.close()
            self._agent = None


def sweep(at: Vantage, asks: Sequence[Ask[F]]) -> list[F]:
    """Put many questions at once: one batch to the agent of *at*, findings in the order of *asks*.

    UDP questions to the same server travel as one burst. Raises Unobserved if *at* cannot be used.
    """
    return at.sweep(asks)
