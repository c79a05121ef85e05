"""What does one run of pytest hold? Its environment, the lab if it has one, and every vantage that
was asked from.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from pytest_v6probe.cluster import Cluster
from pytest_v6probe.errors import DaemonNotReady, InventoryError, LabError, Unobserved
from pytest_v6probe.inventory.model import Image, Inventory, Site
from pytest_v6probe.transport import sudo
from pytest_v6probe.transport.netns import Keeper
from pytest_v6probe.vantage import Vantage
from pytest_v6probe.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv6Network
    from pathlib import Path

    from pytest_v6probe.clouds import Cloud, KnownGap
    from pytest_v6probe.diagnose import Key
    from pytest_v6probe.inventory.model import Docker, Host, LoadBalancer, Service
    from pytest_v6probe.result import Finding, Traffic
    from pytest_v6probe.transport.docker.engine import Engine

CAPTURES_KEPT = 8
"""Of one test, the last: each may be 16 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options say. *lab_name* and *guardian_pid* are of the whole run, the same on every
    worker; *shape* is the lab's that is brought up when no inventory is given.
    """

    lab_name: str
    guardian_pid: int
    shape: str = "aws"
    environment: Path | None = None
    regions: tuple[str, ...] = ()
    disruptive: bool = False
    timeout_s: float = 10.0
    concurrency: int = 64
    fault: str = ""

    @property
    def creates(self) -> bool:
        """Whether things may be created that were not there: a lab of this run is nobody else's."""
        return self.disruptive or self.environment is None


@dataclass(slots=True, kw_only=True, eq=False)
class V6Session:
    """The environment of one pytest process. Nothing is brought up or connected before it is asked
    for.
    """

    settings: Settings
    inventory: Inventory
    findings: list[Finding] = field(default_factory=list)
    """What the running test has found so far, in order."""
    captures: deque[Traffic] = field(default_factory=lambda: deque(maxlen=CAPTURES_KEPT))
    """What the running test has captured so far, in order."""
    ways: Ways = field(init=False)
    _vantages: dict[str, Vantage] = field(default_factory=dict)
    _clusters: dict[str, Cluster] = field(default_factory=dict)
    rungs: dict[Key, Finding] = field(default_factory=dict)
    """What the ladder said, at every vantage where it was walked."""
    _disturbed: bool = False
    _told: Inventory | None = None
    _no_lab: str = ""
    _keeper: Keeper | None = None
    _joining: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        """Know the ways to every host; none is taken yet."""
        self.ways = Ways(
            inventory=self.inventory,
            lab=self._lab,
            timeout_s=self.settings.timeout_s,
            concurrency=self.settings.concurrency,
            creates=self.settings.creates,
        )

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

    def begin(self, *, disruptive: bool) -> None:
        """A test begins: it answers for its own findings only, and what the ladder said before a
        *disruptive* one is not said any more after it.
        """
        self.findings.clear()
        self.captures.clear()
        if self._disturbed:
            self.rungs.clear()
        self._disturbed = disruptive

    def site(self, name: str) -> Site:
        """The site called *name*, with the authority that it is trusted by. Raises KeyError,
        Unobserved.
        """
        declared = {site.name: site for site in self.inventory.sites}[name]
        if not declared.https or declared.ca:
            return declared
        return next((live for live in self._live().sites if live.name == name), declared)

    def image(self, reference: str) -> Image:
        """The image *reference*, with the authority that its registry is trusted by. Raises
        KeyError, Unobserved.
        """
        declared = {image.id: image for image in self.inventory.images}[reference]
        if declared.ca:
            return declared
        return next((live for live in self._live().images if live.id == reference), declared)

    def service(self, service_id: str) -> Service:
        """The service with the id ``cluster/namespace/name``. Raises KeyError."""
        return {service.id: service for service in self.inventory.services}[service_id]

    def load_balancer(self, balancer_id: str) -> LoadBalancer:
        """The load balancer with the id ``cluster/name``. Raises KeyError."""
        return {known.id: known for known in self.inventory.load_balancers}[balancer_id]

    def _live(self) -> Inventory:
        """The inventory with what is known of a lab only once it is up: it is brought up then."""
        if not self.inventory.environment.lab:
            return self.inventory
        if self._told is None:
            from pytest_v6probe.lab import live  # noqa: PLC0415  # only a run on a lab

            self._told = live.inventory(self._lab(), timeout_s=self.settings.timeout_s)
        return self._told

    def vantage(self, host_id: str) -> Vantage:
        """The vantage with the id ``region/name``: one for the whole run, connected when it is
        first asked.
        """
        if host_id not in self._vantages:
            host, ways = self.inventory.host(host_id), self.ways
            docker = self.inventory.docker_at(host_id)
            self._vantages[host_id] = Vantage(
                name=host.id,
                region=host.region,
                host=host,
                connect=partial(ways.connect, host, self._engine_of),
                prefixes=self._nat64_prefixes,
                witness=self.findings.append,
                keep=self.captures.append,
                login=partial(ways.log_in, host, host.ssh) if host.ssh is not None else None,
                manage=partial(ways.manage, host) if host.management is not None else None,
                docker=docker,
                open_engine=partial(self._open_engine, host, docker) if docker else None,
                disruptive=self.settings.disruptive,
            )
        return self._vantages[host_id]

    def cluster(self, cluster_id: str) -> Cluster:
        """The cluster with the id ``region/name``: one for the whole run, connected when it is first
        asked. Raises KeyError.
        """
        if cluster_id not in self._clusters:
            self._clusters[cluster_id] = Cluster(
                spec=self.inventory.cluster(cluster_id),
                open_api=partial(self.ways.api, cluster_id),
                witness=self.findings.append,
                disruptive=self.settings.creates,
                timeout_s=self.settings.timeout_s,
            )
        return self._clusters[cluster_id]

    def _engine_of(self, container: Host) -> Engine:
        carrier = self.inventory.named(container.behind, near=container)
        return self.vantage(carrier.id).engine

    def _open_engine(self, host: Host, docker: Docker) -> Engine:
        from pytest_v6probe.transport.docker.engine import open_engine  # noqa: PLC0415  # docker loads on first use

        directly = bool(docker.url) or (host.local and not host.sudo)
        through = None if directly else self.vantage(host.id).agent.transport
        return open_engine(
            docker,
            host_id=host.id,
            through=through,
            sudo=through is not None and sudo.needed(host, through),
            timeout_s=self.settings.timeout_s,
        )

    def vantage_in(self, test_id: str) -> str:
        """The id of the host or cluster that stands first in the brackets of *test_id*; empty if
        none does.
        """
        run = test_id.partition("[")[2].rpartition("]")[0]
        ids = [host.id for host in self.inventory.hosts]
        ids += [cluster.id for cluster in self.inventory.clusters]
        found = [known for known in ids if run == known or run.startswith(f"{known}-")]
        return max(found, key=len, default="")

    def group_in(self, test_id: str) -> str:
        """What *test_id* must share a worker with others for: the engine that it is about, else its
        vantage.
        """
        run = test_id.partition("[")[2].rpartition("]")[0]
        engines = [docker.host for docker in self.inventory.dockers if docker.host in run]
        return max(engines, key=len, default="") or self.vantage_in(test_id)

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

    def close(self) -> None:
        """Close every vantage, and take down the lab if this is the process that it ends with. May
        be called twice.
        """
        for vantage in reversed(self._vantages.values()):
            with suppress(Unobserved, OSError, EOFError):  # what is gone already need not be closed
                vantage.close()
        self._vantages.clear()
        self.ways.close()
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

    def _lab(self) -> Keeper:
        """The keeper of the environment's lab, brought up if it is this run's own. Raises
        Unobserved.
        """
        with self._joining:
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

        if settings.fault and faults.named(settings.fault).shape != settings.shape:
            settings = replace(settings, fault="")
        inventory = shapes.shape(settings.shape, name=settings.lab_name).inventory
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

        if lacking := doctor.lacking(session.settings.shape):
            raise LabError(f"no inventory is given (--v6-env FILE), and {doctor.report(lacking)}")
    elif session.inventory.environment.lab:
        Keeper.connect(session.inventory.environment.lab).close()


def join_lab(settings: Settings, inventory: Inventory) -> Keeper:
    """A connection to the lab of *inventory*, which is up. Raises LabError, DaemonNotReady."""
    if settings.environment is not None:
        return Keeper.connect(inventory.environment.lab)
    from pytest_v6probe.lab import up  # noqa: PLC0415  # only a run on the lab

    return up.bring_up(
        settings.shape,
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
