"""What does one run of pytest hold? Its environment, the lab if it has one, and every vantage that
was asked from.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.errors import (
    DaemonNotReady,
    DeadlinePassed,
    InventoryError,
    LabError,
    Unobserved,
    V6ProbeError,
    VantageUnreachable,
)
from pytest_v6probe.inventory.model import Host, Inventory, Login, Namespace, Site
from pytest_v6probe.transport.local import LocalTransport
from pytest_v6probe.transport.netns import Keeper, NamespaceDial, NamespaceTransport
from pytest_v6probe.vantage import Vantage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ipaddress import IPv6Network
    from pathlib import Path

    from pytest_v6probe.clouds import Cloud, KnownGap
    from pytest_v6probe.diagnose import Diagnosis, Key
    from pytest_v6probe.result import Finding
    from pytest_v6probe.transport.channel import Transport
    from pytest_v6probe.transport.ssh import SshSession, SshTransport
    from pytest_v6probe.transport.ssh_login import Credentials

LAB = "aws"
"""The lab that is brought up when no inventory is given."""

MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    V6ProbeError,
)
"""Whatever may go wrong in a diagnosis: the failure that it explains must be seen all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options say. *lab_name* and *guardian_pid* are of the whole run, the same on every
    worker.
    """

    lab_name: str
    guardian_pid: int
    environment: Path | None = None
    regions: tuple[str, ...] = ()
    disruptive: bool = False
    timeout_s: float = 10.0
    concurrency: int = 64
    fault: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class V6Session:
    """The environment of one pytest process. Nothing is brought up or connected before it is asked
    for.
    """

    settings: Settings
    inventory: Inventory
    findings: list[Finding] = field(default_factory=list)
    """What the running test has found so far, in order."""
    ways: dict[str, str] = field(default_factory=dict)
    """Which way each open vantage is reached, and why not another."""
    _vantages: dict[str, Vantage] = field(default_factory=dict)
    _ssh: dict[str, SshTransport] = field(default_factory=dict)
    _lost: dict[str, tuple[str, str]] = field(default_factory=dict)
    _rungs: dict[Key, Finding] = field(default_factory=dict)
    _no_lab: str = ""
    _keeper: Keeper | None = None

    @property
    def cloud(self) -> Cloud:
        """What is known of the environment's cloud, with the NAT64 prefix that the inventory
        states, if it does.
        """
        from pytest_v6probe.clouds import cloud  # noqa: PLC0415  # data of all clouds

        environment = self.inventory.environment
        known = cloud(environment.cloud)
        return (
            replace(known, nat64_prefix=environment.nat64_prefix)
            if environment.nat64_prefix
            else known
        )

    def site(self, name: str) -> Site:
        """The site called *name*. A lab's https site is trusted by the lab's authority, known once
        the lab is up: it is brought up then. Raises KeyError, Unobserved.
        """
        declared = {site.name: site for site in self.inventory.sites}[name]
        if not declared.https or declared.ca or not self.inventory.environment.lab:
            return declared
        from pytest_v6probe.lab import live  # noqa: PLC0415  # only a run on a lab

        return live.site(self._lab(), declared, timeout_s=self.settings.timeout_s)

    def vantage(self, host_id: str) -> Vantage:
        """The vantage with the id ``region/name``: one for the whole run, connected when it is
        first asked.
        """
        if host_id not in self._vantages:
            host = self.inventory.host(host_id)
            login = partial(self._log_in, host, host.ssh) if host.ssh is not None else None
            self._vantages[host_id] = Vantage(
                name=host.id,
                region=host.region,
                host=host,
                connect=partial(self._connect, host),
                prefixes=self._nat64_prefixes,
                witness=self.findings.append,
                login=login,
            )
        return self._vantages[host_id]

    def vantage_in(self, test_id: str) -> str:
        """The id of the host that stands first in the brackets of *test_id*; empty if none does."""
        run = test_id.partition("[")[2].rpartition("]")[0]
        found = [
            host.id
            for host in self.inventory.hosts
            if run == host.id or run.startswith(f"{host.id}-")
        ]
        return max(found, key=len, default="")

    def gap(self, gap_id: str) -> str:
        """The dated statement of the known gap *gap_id*. Raises KeyError."""
        gap = _gaps()[gap_id]
        return f"{gap.statement} (since {gap.since}, checked {gap.checked}: {gap.source})"

    def no_gap(self, gap_id: str = "") -> str:
        """Why *gap_id* is not the id of a known gap, with the nearest one; empty if it is."""
        known = _gaps()
        return (
            ""
            if gap_id in known
            else f"no known gap is called {gap_id!r}{_did_you_mean(gap_id, known)}"
        )

    def explain(self, vantage_id: str) -> tuple[str, dict[str, str]]:
        """What a failing test's last finding comes from: the text for people, and the report's
        properties.

        The ladder is walked at the vantage of that finding. An error on the way never hides the
        failure: the text says it.
        """
        from pytest_v6probe.report import terminal  # noqa: PLC0415  # only a failing test

        last = self.findings[-1] if self.findings else None
        at = last.vantage if last is not None else vantage_id
        diagnosis, undiagnosed = None, ""
        try:
            diagnosis = self._diagnosis(last) if last is not None else None
        except MISTAKES as why:
            undiagnosed = f"{type(why).__name__}: {why}"
        text = terminal.failure(
            last,
            vantage=at,
            way=self.ways.get(at, ""),
            diagnosis=diagnosis,
            undiagnosed=undiagnosed,
        )
        return text, {
            "v6_verdict": last.verdict if last is not None else "",
            "v6_vantage": at,
            "v6_layer": str(diagnosis.layer) if diagnosis is not None else "",
        }

    def _diagnosis(self, last: Finding) -> Diagnosis:
        from pytest_v6probe.diagnose import diagnose  # noqa: PLC0415  # only a failing test

        return diagnose(self.vantage(last.vantage), last, self.cloud, seen=self._rungs)

    def close(self) -> None:
        """Close every vantage, and take down the lab if this is the process that it ends with. May
        be called twice.
        """
        ends = [
            *(vantage.close for vantage in self._vantages.values()),
            *(way.close for way in self._ssh.values()),
        ]
        for end in reversed(ends):
            with suppress(Unobserved, OSError, EOFError):  # what is gone already need not be closed
                end()
        self._vantages.clear()
        self._ssh.clear()
        with suppress(LabError, Unobserved):
            self._take_down()
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _take_down(self) -> None:
        if self.settings.environment is None and self.settings.guardian_pid == os.getpid():
            self._keeper = self._keeper or Keeper.connect(self.settings.lab_name)
            self._keeper.request({"do": "down"})

    def _nat64_prefixes(self, vantage: Vantage) -> frozenset[IPv6Network]:
        """What its resolver says (RFC 7050), and what is stated: behind all of them is a
        translator.
        """
        from pytest_v6probe.probes.nat64 import nat64_prefixes  # noqa: PLC0415  # with the first probe that asks
        from pytest_v6probe.rfc.rfc6052 import WELL_KNOWN_PREFIX  # noqa: PLC0415  # as the line above

        stated = self.cloud.nat64_prefix
        found = vantage.look([nat64_prefixes.ask()])[0].prefixes
        return found | {WELL_KNOWN_PREFIX} | ({stated} if stated else set())

    def _log_in(self, host: Host, login: Login) -> SshSession:
        """A new login by the way the inventory names, whatever connection is open. Raises
        Unobserved.
        """
        connection = self._ssh_by(login, via=self._via(host))
        try:
            return connection.session()
        finally:
            connection.close()

    def _connect(self, host: Host) -> Agent:
        """Open the agent of *host* by the first way that works. What was lost once stays lost for
        this run.
        """
        if host.id not in self._lost:
            refused: list[Unobserved] = []
            ways = list(self._ways_to(host))
            for transport in ways:
                try:
                    agent = open_agent(
                        transport,
                        python=host.python,
                        vantage=host.id,
                        timeout_s=self.settings.timeout_s / len(ways),
                        concurrency=self.settings.concurrency,
                    )
                except (VantageUnreachable, DeadlinePassed) as why:
                    refused.append(why)
                else:
                    self.ways[host.id] = "; ".join(
                        [transport.name, *(f"not {why}" for why in refused)]
                    )
                    return agent
            self._lost[host.id] = "; ".join(map(str, refused)), refused[0].reason
        message, reason = self._lost[host.id]
        raise VantageUnreachable(message, reason=reason, vantage=host.id)

    def _ways_to(self, host: Host) -> Iterator[Transport]:
        """Every way to *host*, the one that its own traffic takes first."""
        if host.local:
            yield LocalTransport()
        if host.namespace is not None:
            yield NamespaceTransport(self._lab(), host.namespace.name)
        if host.ssh is not None:
            yield self._ssh_to(host, host.ssh)
        if isinstance(host.management, Namespace):
            yield NamespaceTransport(self._lab(), host.management.name)
        elif host.management is not None:
            yield self._ssh_by(host.management)

    def _ssh_to(self, host: Host, login: Login) -> SshTransport:
        """The one SSH connection to *host*: its own vantage and those behind it share it."""
        if host.id not in self._ssh:
            self._ssh[host.id] = self._ssh_by(login, via=self._via(host))
        return self._ssh[host.id]

    def _via(self, host: Host) -> SshTransport | NamespaceDial | None:
        """Through what SSH to *host* goes, as its ``via`` says."""
        if isinstance(host.via, Namespace):
            return NamespaceDial(self._lab(), host.via.name)
        if host.via is None:
            return None
        bastion = self.inventory.named(host.via, near=host)
        return self._ssh_to(bastion, bastion.ssh) if bastion.ssh is not None else None

    def _ssh_by(
        self, login: Login, *, via: SshTransport | NamespaceDial | None = None
    ) -> SshTransport:
        from pytest_v6probe.transport.ssh import SshTransport  # noqa: PLC0415  # paramiko loads on first use

        credentials = self._credentials() if self.inventory.environment.lab else None
        return SshTransport(
            login, via=via, credentials=credentials, timeout_s=self.settings.timeout_s
        )

    def _credentials(self) -> Credentials:
        from pytest_v6probe.transport.ssh_login import Credentials  # noqa: PLC0415  # only on a lab

        said, _ = self._lab().request({"do": "credentials"})
        return Credentials(user=said["user"], key=said["key"], known_hosts=said["known_hosts"])

    def _lab(self) -> Keeper:
        """The keeper of the environment's lab, brought up if it is this run's own. Raises
        Unobserved.
        """
        if self._keeper is None and not self._no_lab:
            try:
                self._keeper = join_lab(self.settings, self.inventory)
            except (LabError, DaemonNotReady) as why:
                self._no_lab = str(why)
        if self._keeper is None:
            raise Unobserved(
                self._no_lab, reason="no-lab"
            )  # not VantageUnreachable: it says nothing of a host
        return self._keeper


def open_session(settings: Settings) -> V6Session:
    """The session for *settings*, with the inventory read or declared. Raises InventoryError,
    LabError.
    """
    if settings.environment is None:
        from pytest_v6probe.lab import faults, shapes  # noqa: PLC0415  # only a run on the lab

        if settings.fault:
            faults.named(settings.fault)
        inventory = shapes.shape(LAB, name=settings.lab_name).inventory
    else:
        from pytest_v6probe.inventory import toml  # noqa: PLC0415  # only a run on an inventory

        if settings.fault:
            raise LabError(
                "--v6-fault breaks a lab that this run brings up: it does not go with --v6-env "
                "(v6probe lab break FAULT does that for a lab that is up)"
            )
        inventory = toml.load(settings.environment)
    for region in settings.regions:
        if region not in inventory.regions:
            raise InventoryError(
                f"{settings.environment or 'the lab'} has no region {region!r}"
                f"{_did_you_mean(region, inventory.regions)} (it has {', '.join(inventory.regions) or 'none'})",
                file=settings.environment or "",
            )
    return V6Session(settings=settings, inventory=inventory)


def require_lab(session: V6Session) -> None:
    """Raises LabError, with the command that helps, if the run needs a lab and none can be had.
    Brings nothing up.
    """
    if session.settings.environment is None:
        from pytest_v6probe.lab import doctor  # noqa: PLC0415  # only a run that needs one

        if lacking := doctor.lacking():
            raise LabError(f"no inventory is given (--v6-env FILE), and {doctor.report(lacking)}")
    elif session.inventory.environment.lab:
        Keeper.connect(session.inventory.environment.lab).close()


def join_lab(settings: Settings, inventory: Inventory) -> Keeper:
    """A connection to the lab of *inventory*, which is up. Raises LabError, DaemonNotReady."""
    if settings.environment is not None:
        return Keeper.connect(inventory.environment.lab)
    from pytest_v6probe.lab import up  # noqa: PLC0415  # only a run on the lab

    return up.bring_up(
        LAB,
        name=settings.lab_name,
        fault=settings.fault or None,
        guardian_pid=settings.guardian_pid,
    )


def _gaps() -> dict[str, KnownGap]:
    from pytest_v6probe.clouds import known_gaps  # noqa: PLC0415  # data of all clouds

    return {gap.id: gap for gap in known_gaps()}


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
