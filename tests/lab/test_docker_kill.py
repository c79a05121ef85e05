"""Whatever ends a run while a host is changed: is the host put back?"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from pytest_v6probe import default_route, docker_engine
from pytest_v6probe.lab.clouds.docker import DEBIAN
from pytest_v6probe.wait import eventually
from tests.lab import dockers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import Popen

    from tests.lab.dockers import DockerLab

DEADLINE_S = 9.0
PATIENCE_S = 30.0
GONE_S = 6.0
"""How long after a watchdog's deadline its last process, and the recorder's, may take."""
SOURCE = """
import pytest
from pytest_v6probe import daemon_json, restart_engine, route_survival
from pytest_v6probe.actions import route_survival as recorded

recorded.BACK_S = 2.0  # a recorder lives so long after the watchdog's deadline

@pytest.mark.disruptive
def test_the_route_survives(docker_host):
    found = route_survival(docker_host, {action}, within_s={within_s}, deadline_s={deadline_s})
    assert found.verdict == "renewed"
"""


def source(action: str, *, within_s: float = 4.0, deadline_s: float = DEADLINE_S) -> str:
    return SOURCE.format(action=action, within_s=within_s, deadline_s=deadline_s)


@pytest.fixture(scope="module")
def lab() -> Iterator[DockerLab]:
    with dockers.docker_lab("docker-one") as lab:
        yield lab


def route_until_lost(process: Popen[bytes], lab: DockerLab) -> dict[str, Any]:
    """The default route once it is lost, or what is left of it when *process* has ended."""
    return eventually(
        lab.default_route,
        until=lambda there: not there or process.poll() is not None,
        within_s=PATIENCE_S,
        every_s=0.01,
    )


def is_renewed(lab: DockerLab) -> bool:
    """Whether an advertisement moves the expiry of the default route on."""
    with lab.session() as session:
        host = session.vantage(DEBIAN.node)
        before = default_route(host)
        return eventually(
            lambda: default_route(host).renewed_since(before), until=bool, within_s=PATIENCE_S
        )


def test_the_default_route_is_back_when_a_run_was_killed_after_it_was_lost(
    lab: DockerLab, tmp_path: Path
):
    with dockers.fault(lab, "restart-purges-route"):
        route, state = lab.learned(), lab.state()
        with dockers.run(lab, source("restart_engine()"), tmp_path) as process:
            assert not route_until_lost(process, lab), (tmp_path / "said").read_text()
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
        lost = lab.learned()
        back = eventually(
            lab.learned, until=lambda seen: seen == route, within_s=DEADLINE_S, every_s=0.1
        )
        left = eventually(lab.programs, until=lambda seen: not seen, within_s=GONE_S)
        assert route[0] == "ra"
        assert (lost, back, left) == (("", ""), route, [])
        assert {**lab.state(), "engine": ""} == {**state, "engine": ""}
        assert is_renewed(lab)


def test_the_default_route_is_back_at_once_when_a_run_is_interrupted(
    lab: DockerLab, tmp_path: Path
):
    with dockers.fault(lab, "restart-purges-route"):
        route, state = lab.learned(), lab.state()
        long = source("restart_engine()", within_s=60, deadline_s=600)
        with dockers.run(lab, long, tmp_path) as process:
            assert not route_until_lost(process, lab), (tmp_path / "said").read_text()
            process.send_signal(signal.SIGINT)
            status = process.wait(PATIENCE_S)
        assert (status, lab.learned()) == (pytest.ExitCode.INTERRUPTED, route)
        assert {**lab.state(), "engine": ""} == {**state, "engine": ""}
        assert eventually(lab.programs, until=lambda seen: not seen, within_s=GONE_S) == []


def test_daemon_json_is_back_and_the_engine_restarted_when_a_run_was_killed_while_it_was_changed(
    lab: DockerLab, tmp_path: Path
):
    before = lab.state()
    with dockers.run(lab, source("daemon_json({'debug': True})"), tmp_path) as process:
        changed = eventually(
            lambda: lab.state()["daemon.json"],
            until=lambda text: text != before["daemon.json"] or process.poll() is not None,
            within_s=PATIENCE_S,
            every_s=0.01,
        )
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    assert '"debug": true' in changed, (tmp_path / "said").read_text()
    restarted = eventually(
        lab.engine_pid, until=lambda pid: pid not in {"", before["engine"]}, within_s=DEADLINE_S
    )
    back = eventually(
        lab.state,
        until=lambda seen: seen["daemon.json"] == before["daemon.json"],
        within_s=DEADLINE_S,
    )
    left = eventually(lab.programs, until=lambda seen: not seen, within_s=PATIENCE_S)
    assert {**back, "engine": "", "armed": []} == {**before, "engine": ""}
    assert left == []
    assert lab.engine_pid() not in {"", before["engine"], restarted}
    with lab.session() as session:
        assert docker_engine(session.vantage(DEBIAN.node)).verdict == "agrees"
