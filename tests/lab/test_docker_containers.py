"""Is a container asked on every engine, and does a hostile one or a silent engine hold nothing up?"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from pytest_v6probe import addresses, default_route, http
from pytest_v6probe.agent import wire
from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved
from pytest_v6probe.inventory.model import Container, Host, Role
from pytest_v6probe.lab import cgroups
from pytest_v6probe.lab.clouds import docker
from pytest_v6probe.lab.clouds.docker import DEBIAN, NEWEST
from pytest_v6probe.lab.daemons.dockerd import PLAIN, PLAIN_IMAGE, PYTHON_IMAGE, WEB
from pytest_v6probe.wait import eventually
from tests.lab import dockers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.lab.clouds.docker import Engine
    from pytest_v6probe.session import V6Session
    from pytest_v6probe.vantage import Vantage
    from tests.lab.dockers import DockerLab

ENGINES = [pytest.param(DEBIAN, id="20.10"), pytest.param(NEWEST, id="29")]
HOSTILE = "hostile"
WITHOUT_NETWORK = {DEBIAN.name: "no-address", NEWEST.name: "no-route"}
"""20.10 leaves a container without ::1 as well."""
GONE_S = 10.0
LATE_S = 0.7
"""So much later than its deadline a machine in use may be."""


AGENTS = (
    "own=$(readlink /proc/self/ns/net); for p in /proc/[0-9]*; do "
    "grep -q '<v6probe>' $p/cmdline 2>/dev/null && [ $(readlink $p/ns/net) != $own ] && "
    "grep -q {cgroup} $p/cgroup && echo ${{p#/proc/}}; done"
)


@pytest.fixture(scope="module")
def lab() -> Iterator[DockerLab]:
    with dockers.docker_lab("docker") as lab:
        yield lab


@contextmanager
def hostile(lab: DockerLab, engine: Engine, image: str) -> Iterator[tuple[V6Session, Vantage]]:
    """A session, and the vantage in a container of its own on the network web of *engine*."""
    known = lab.inventory
    spec = Host(
        name=f"{engine.name}.{HOSTILE}",
        region=docker.REGION,
        role=Role.CONTAINER,
        behind=engine.name,
        container=Container(name=HOSTILE, helper_image=PYTHON_IMAGE),
    )
    with lab.session(replace(known, hosts=(*known.hosts, spec))) as session:
        carrier = session.vantage(engine.node).engine
        made = carrier.run(image, command=("sleep", "300"), name=HOSTILE, network=WEB)
        assert isinstance(made, str), made
        try:
            yield session, session.vantage(spec.id)
        finally:
            carrier.remove_container(HOSTILE)


def names_of(session: V6Session, engine: Engine) -> set[str]:
    """The containers of *engine* that there are, running or not."""
    there = session.vantage(engine.node).engine.containers(everything=True)
    return {name for container in there for name in container["Names"]}


def execute(session: V6Session, engine: Engine, *argv: str) -> None:
    """Run *argv* in the hostile container; it is not waited for."""
    started = session.vantage(engine.node).engine.execute(HOSTILE, argv)
    assert isinstance(started, tuple), started
    _, channel, _ = started
    channel.receive(timeout_s=5)
    channel.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_agent_runs_in_a_container_that_has_python(lab: DockerLab, engine: Engine):
    with lab.session() as session:
        before = names_of(session, engine)
        container = session.vantage(f"{engine.node}.{WEB}")
        found = addresses(container, engine.web)
        during = names_of(session, engine)
    assert (found.verdict, during) == ("usable", before)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_helper_stands_by_a_container_without_python_and_goes_afterwards(
    lab: DockerLab, engine: Engine
):
    with lab.session() as session:
        before = names_of(session, engine)
        container = session.vantage(f"{engine.node}.{PLAIN}")
        found = addresses(container, engine.plain)
        during = names_of(session, engine)
        container.close()
        after = eventually(
            lambda: names_of(session, engine), until=lambda seen: seen == before, within_s=GONE_S
        )
    assert (found.verdict, len(during - before), after) == ("usable", 1, before)


@pytest.mark.parametrize("image", [PYTHON_IMAGE, PLAIN_IMAGE], ids=["python", "helper"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_agent_is_said_and_the_next_question_has_another(
    lab: DockerLab, engine: Engine, image: str
):
    with hostile(lab, engine, image) as (_, container):
        before = default_route(container)
        agents = AGENTS.format(cgroup=cgroups.name(lab.keeper.name))
        pids = lab.sh(agents, node=engine.node).split()
        killer = Timer(0.3, lab.sh, [f"kill -KILL {' '.join(pids)}"], {"node": engine.node})
        killer.start()
        with pytest.raises(AgentUnusable) as caught:
            container.agent.run([wire.watch(groups=0, timeout_s=20)])
        killer.join()
        after = default_route(container)
    assert len(pids) == 1
    assert caught.value.reason == "agent-died"
    assert (before.verdict, after.verdict) == ("present", "present")


@pytest.mark.parametrize("flood", ["yes | head -c 40000000", "head -c 40000000 /dev/zero"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_container_that_fills_the_output_of_its_agent_is_unobserved_in_time(
    lab: DockerLab, engine: Engine, flood: str
):
    with hostile(lab, engine, PYTHON_IMAGE) as (session, container):
        pid = container.agent.hello["pid"]
        execute(session, engine, "sh", "-c", f"{flood} > /proc/{pid}/fd/1 & echo begun")
        with pytest.raises(Unobserved) as caught:
            ask_until_refused(container)
        again = eventually(lambda: asked(container), until=bool, within_s=GONE_S)
    assert caught.value.reason == "agent-garbage"
    assert again == "present"


def ask_until_refused(container: Vantage) -> None:
    """Ask, until the flood has begun and an answer is not one."""
    while True:
        default_route(container)


def asked(container: Vantage) -> str:
    """The verdict on its default route; empty if it cannot be asked."""
    try:
        return default_route(container).verdict
    except Unobserved:
        return ""


@pytest.mark.parametrize("image", [PYTHON_IMAGE, PLAIN_IMAGE], ids=["python", "helper"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_container_that_loses_its_network_gives_findings(
    lab: DockerLab, engine: Engine, image: str
):
    url = f"http://[{engine.web}]/"
    with hostile(lab, engine, image) as (_, container):
        before = http(container, url)
        cut: dict[str, Any] = {"Container": HOSTILE, "Force": True}
        status = lab.post(f"/networks/{WEB}/disconnect", cut, node=engine.node)
        page, route = http(container, url, timeout_s=2), default_route(container)
    assert (before.verdict, status) == ("ok", 200)
    assert (page.verdict, route.verdict) == (WITHOUT_NETWORK[engine.name], "absent")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_that_stops_in_the_middle_of_a_call_is_unobserved_in_time_and_goes_on(
    lab: DockerLab, engine: Engine
):
    with lab.session() as session:
        asked = session.vantage(engine.node).engine
        before, pid = names_of(session, engine), lab.engine_pid(node=engine.node)
        lab.sh(f"kill -STOP {pid}", node=engine.node)
        try:
            started_s = monotonic()
            with pytest.raises(DeadlinePassed):
                asked.run(PLAIN_IMAGE, command=("sleep", "9"), name="late", timeout_s=2.0)
            took_s = monotonic() - started_s
        finally:
            lab.sh(f"kill -CONT {pid}", node=engine.node)
        eventually(lambda: names_of(session, engine), until=lambda s: "/late" in s, within_s=1)
        asked.remove_container("late")
        after = names_of(session, engine)
    assert (took_s < 2.0 + LATE_S, after) == (True, before), took_s


@pytest.mark.parametrize("name", [WEB, PLAIN])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_question_to_a_container_whose_engine_stops_is_unobserved_in_time(
    lab: DockerLab, engine: Engine, name: str
):
    with lab.session() as session:
        container = session.vantage(f"{engine.node}.{name}")
        before, pid = default_route(container), lab.engine_pid(node=engine.node)
        lab.sh(f"kill -STOP {pid}", node=engine.node)
        try:
            started_s = monotonic()
            with pytest.raises(DeadlinePassed) as caught:
                container.agent.run([wire.read("/etc/hostname", timeout_s=0.1)])
            took_s = monotonic() - started_s
        finally:
            lab.sh(f"kill -CONT {pid}", node=engine.node)
        after = eventually(lambda: asked(container), until=bool, within_s=GONE_S)
    within_s = float(str(caught.value).partition(" within ")[2].partition(" s")[0])
    assert (before.verdict, after) == ("present", "present")
    assert took_s < within_s + LATE_S
