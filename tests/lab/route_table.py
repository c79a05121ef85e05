"""Which Docker Engine costs which host its default route? Measured on a lab: every owner of router
advertisements, engine, firewall backend, trigger, accept_ra.

`python -m tests.lab.route_table` measures it and writes the table of docs/docker-routes.md anew; what
stands around it there is written by hand.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_v6probe import docker_engine, ra_owner, restart_engine, route_survival
from pytest_v6probe.actions.actor import Actor, open_actor
from pytest_v6probe.actions.survival import RouteSurvival
from pytest_v6probe.inventory import toml
from pytest_v6probe.inventory.model import Inventory, Namespace
from pytest_v6probe.lab.builds import ENGINE, MOBY, MOBY_VERSION
from pytest_v6probe.lab.daemons import dockerd
from pytest_v6probe.lab.daemons.networkd import PROGRAM
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.probes.docker_engine import DockerEngine
from pytest_v6probe.session import Settings, V6Session
from pytest_v6probe.vantage import Vantage
from tests.lab.route_triggers import TRIGGERS, Trigger, engine_answers, prepared

PAGE = Path(__file__).parents[2] / "docs" / "docker-routes.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end of what is measured -->\n"
SHAPE, UP_S = "docker-routes", 120.0
AT_ONCE = 6
"""Hosts that are measured beside each other."""
WITHIN_S = 4.0  # ten intervals between the lab's router advertisements
DEADLINE_S, REFUSED_S = 64.0, 17.5
"""An engine is waited for during two thirds of what they leave; where it will not start, not long.
"""
ACCEPT_RA = {"kernel": ("1", "2"), "systemd-networkd": ("0", "2")}
AT = re.compile(r" at t\+[\d.]+ s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table, measured."""

    owner: str
    """Who handles router advertisements on that host."""
    engine: str
    backend: str
    trigger: str
    accept_ra: str
    two_owners: bool
    verdict: str
    forwarding: str
    """Before and after."""
    refused: str
    cause: str


def measured() -> list[Row]:
    """Every row, from a lab of its own; hosts beside each other, the rows of a host in turn."""
    with session() as opened:
        hosts = [opened.vantage(docker.host) for docker in opened.inventory.dockers]
        for host in hosts:  # connected in turn: the session's connection to its lab is one
            engine_answers(host)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            rows = [row for rows in pool.map(rows_of, hosts) for row in rows]
    names = [trigger.name for trigger in TRIGGERS]

    def place(row: Row) -> tuple[str, str, str, int, str]:
        return row.owner, row.engine, row.backend, names.index(row.trigger), row.accept_ra

    return sorted(rows, key=place)


@contextmanager
def session() -> Iterator[V6Session]:
    """A session on a lab with every engine under every owner."""
    name = f"v6probe-routes-{uuid.uuid4().hex[:8]}"
    keeper = bring_up(SHAPE, name=name, guardian_pid=os.getpid(), timeout_s=UP_S)
    try:
        with tempfile.TemporaryDirectory() as folder:
            environment = Path(folder, "lab.toml")
            environment.write_text(keeper.request({"do": "wait", "timeout_s": 30})[0]["inventory"])
            settings = Settings(
                lab_name=name,
                guardian_pid=0,
                environment=environment,
                disruptive=True,
                timeout_s=30,
            )
            inventory = by_namespace(toml.load(environment))
            with closing(V6Session(settings=settings, inventory=inventory)) as opened:
                yield opened
    finally:
        keeper.request({"do": "down"})
        keeper.close()


def by_namespace(inventory: Inventory) -> Inventory:
    """The same, with every host reached by a way that needs no route: what a lost one does to SSH
    is not the question here, and costs minutes.
    """
    hosts = tuple(
        replace(host, ssh=None, via=None, namespace=host.management)
        if isinstance(host.management, Namespace)
        else host
        for host in inventory.hosts
    )
    return replace(inventory, hosts=hosts)


def rows_of(host: Vantage) -> list[Row]:
    """The rows of one host."""
    owner = "systemd-networkd" if host.name.endswith("-networkd") else "kernel"
    host.engine.remove_container(dockerd.WEB)
    host.engine.remove_container(dockerd.PLAIN)
    host.engine.remove_network(dockerd.WEB)
    backend = docker_engine(host).firewall_backend
    agent = host.management()
    with closing(agent), closing(open_actor(agent.transport, vantage=host.name)) as actor:
        return [
            row(host, actor, owner, trigger, accept_ra)
            for trigger in TRIGGERS
            if backend in trigger.backends
            for accept_ra in ACCEPT_RA[owner]
        ]


def row(host: Vantage, actor: Actor, owner: str, trigger: Trigger, accept_ra: str) -> Row:
    """One row, from a host as the trigger wants it."""
    engine = docker_engine(host)
    with prepared(host, actor, owner, trigger, accept_ra):
        owners = ra_owner(host)
        found = route_survival(
            host,
            trigger.action,
            within_s=WITHIN_S,
            deadline_s=REFUSED_S if will_not_start(engine, trigger) else DEADLINE_S,
        )
        refused = refusal(host, found)
    return Row(
        owner=owner,
        engine=engine.version,
        backend=engine.firewall_backend,
        trigger=trigger.name,
        accept_ra=accept_ra,
        two_owners=owners.verdict == "two-owners",
        verdict=found.verdict,
        forwarding=forwarding(found, trigger),
        refused=refused,
        cause=AT.sub("", found.cause[0]) if found.cause else "",
    )


def will_not_start(engine: DockerEngine, trigger: Trigger) -> bool:
    """Whether that engine leaves forwarding to others, and its daemon.json asks for IPv6."""
    off = engine.firewall_backend == "nftables" and trigger.forwarding == "0"
    return off and trigger.action == restart_engine()


def refusal(host: Vantage, found: RouteSurvival) -> str:
    """What the engine refused to do, in words."""
    if not found.refused:
        return ""
    return "refuses the network" if docker_engine(host).version else "does not start"


def forwarding(found: RouteSurvival, trigger: Trigger) -> str:
    """Whether forwarding changed: then the watchdog had to put it back."""
    turned_on = any(
        line.startswith("sysctl net.ipv6.conf.all.forwarding: 1 to 0") for line in found.put_back
    )
    return "0→1" if turned_on else trigger.forwarding


def table(rows: list[Row]) -> str:
    """The table as Markdown."""
    return (
        "| RA owner | accept_ra | engine | backend | trigger | forwarding | default route | what was seen |\n"
        "|---|---|---|---|---|---|---|---|\n"
    ) + "".join(
        f"| {row.owner} | {row.accept_ra} | {row.engine} | {row.backend} | {row.trigger} "
        f"| {row.forwarding} | {'' if row.verdict == 'renewed' else '**'}{row.verdict}"
        f"{'' if row.verdict == 'renewed' else '**'} | {seen(row)} |\n"
        for row in rows
    )


def seen(row: Row) -> str:
    """What there is to say of a row besides its verdict."""
    refused = f"the engine {row.refused}" if row.refused else ""
    owners = "two owners: the kernel has a default route as well" if row.two_owners else ""
    return "; ".join(filter(None, (refused, row.cause, owners)))


def machine() -> str:
    """When and where it was measured."""
    networkd = subprocess.run((PROGRAM, "--version"), capture_output=True, text=True, check=True)
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}, Linux {platform.release()}, "
        f"{networkd.stdout.splitlines()[0]}; engine {ENGINE} is built from {MOBY} {MOBY_VERSION}."
    )


def published() -> tuple[str, str, str, str]:
    """The page: what stands before the table, when and where that was measured, it, and what stands
    behind.
    """
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    measurement, after = rest.split(END)
    stamp, _, rows = measurement.partition("\n\n")
    return before, stamp, rows, after


def main() -> int:
    rows = table(measured())
    before, _, _, after = published()
    text = f"{before}{BEGIN}{machine()}\n\n{rows}{END}{after}"
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
