"""What does a run of the scenarios look like under one fault of the lab? Run it, and read its JUnit
file back.

`python -m tests.lab.matrix FAULT …` prints the rows that a fault gives, as data to be read before
it is declared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.faults import FAULTS
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.transport.netns import Keeper
from tests.lab.runs import PYTEST, ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What runs on labs of one shape, and how many faults one of them goes through."""

    scenarios: tuple[str, ...]
    region: str
    """Where its faults are."""
    faults_per_lab: int
    hosts: int = 0
    """So many workers share a run in which most tests wait in vain; 0: all is of one of them."""


GROUNDS = {
    "kind": Ground(
        scenarios=("scenarios/kubernetes_dual_stack.py",),
        region="kind",
        faults_per_lab=6,
        hosts=3,
    ),
    "kind-ipv6": Ground(
        scenarios=("scenarios/kubernetes_single_stack.py",), region="kind", faults_per_lab=1
    ),
    "eks": Ground(scenarios=("scenarios/aws_eks.py",), region="us-east-1", faults_per_lab=5),
    "aks": Ground(scenarios=("scenarios/azure_aks.py",), region="eastus2", faults_per_lab=5),
    "gke": Ground(scenarios=("scenarios/gcp_gke.py",), region="us-central1", faults_per_lab=6),
    "metallb": Ground(
        scenarios=("scenarios/kubernetes_metallb.py",), region="metallb", faults_per_lab=4
    ),
    "policies": Ground(
        scenarios=("scenarios/kubernetes_network_policy.py",), region="policies", faults_per_lab=3
    ),
    "istio": Ground(scenarios=("scenarios/istio_dual_stack.py",), region="istio", faults_per_lab=4),
    "docker": Ground(scenarios=("scenarios/docker_ipv6.py",), region="us-east-1", faults_per_lab=5),
    "registry": Ground(
        scenarios=("scenarios/docker_registry.py", "scenarios/aws_services.py"),
        region="us-west-2",
        faults_per_lab=9,
    ),
    "aws": Ground(
        scenarios=("scenarios/aws_ipv6_only.py",), region="us-east-1", faults_per_lab=12, hosts=3
    ),
}
"""Each shape of lab; what takes longest is begun first."""
SMALLER = {"us-east-1/docker-20": "docker-one"}
"""A lab that is enough for a fault that only this host can notice."""
IN_VAIN = {"timed-out", "node-unreached", "not-forwarded", "dns-endpoint-silent"}
"""Verdicts of tests that wait for what does not come."""
MANY = 9
"""More of them than that, and workers are worth their start."""
UP_S = 150.0
ENVIRONMENT = dict(os.environ)
"""Of the runs. pytest changes this process's own while threads start them: one that is started with that
one, as it is just then, may fail with EFAULT.
"""


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One test that is not green: where it ran, the verdict it gave and the layer that the
    diagnosis named.
    """

    test: str
    at: str
    verdict: str
    layer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run: every test that was not green, and what it said."""

    rows: frozenset[Row]
    red: tuple[str, ...]
    """The same tests by their ids, in the order in which they ran."""
    green: tuple[str, ...]
    """Those that passed, the quickest first."""
    said: str


@contextmanager
def lab(shape: str) -> Iterator[tuple[Keeper, Path]]:
    """A lab of this process's own, with the inventory that `v6probe lab up --env` would write."""
    keeper = bring_up(
        shape,
        name=f"v6probe-matrix-{uuid.uuid4().hex[:8]}",
        guardian_pid=os.getpid(),
        timeout_s=UP_S,
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            environment = Path(folder, "lab.toml")
            environment.write_text(keeper.request({"do": "wait", "timeout_s": 30})[0]["inventory"])
            yield keeper, environment
    finally:
        keeper.request({"do": "down"})
        keeper.close()


def shape_for(fault: Fault) -> str:
    """The smallest shape of lab that shows all of *fault*."""
    return SMALLER.get(fault.host, fault.shape)


def concerned(fault: Fault) -> tuple[str, ...]:
    """The options that choose the tests that *fault* can turn red: of the host that can notice it all,
    and on every other one those that change nothing. Where it is declared to turn none of the tests
    red that restart an engine, these are left out, for they take most of the time.
    """
    if fault.shape == "docker" and not any("_survives_" in red.test for red in fault.red):
        return (*_workers(fault), "-k", "not _survives_")
    chosen = ("-k", f"[{fault.host}] or not disruptive") if fault.host else ()
    return (*_workers(fault), *chosen)


def afterwards(broken: Outcome) -> tuple[str, ...]:
    """What must be green when it is mended: what was red when it was *broken*, and the quickest of
    the others. That these are green the run before has shown.
    """
    return (*broken.red, *broken.green[:1])


def _workers(fault: Fault) -> tuple[str, ...]:
    waiting = sum(len(red.at) for red in fault.red if red.verdict in IN_VAIN)
    return ("-n", str(GROUNDS[fault.shape].hosts)) if waiting > MANY else ()


def run(environment: Path, *options: str, shape: str, tests: tuple[str, ...] = ()) -> Outcome:
    """Run *tests*, or all of the scenario files of *shape*, with what they may change, on *environment*
    in a process of its own and read what became of each.
    """
    ground = GROUNDS[shape]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        argv = (
            *PYTEST,
            "--noconftest",
            *(tests or ground.scenarios),
            "--v6-disruptive",
            "--v6-env",
            str(environment),
            "--v6-region",
            ground.region,
            "--junitxml",
            str(report),
            *options,
        )
        ran = subprocess.run(
            argv,
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if not report.exists():
            raise AssertionError(f"no report:\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")
        cases = list(ET.parse(report).iter("testcase"))
    rows = [(case, _row(case)) for case in cases]
    return Outcome(
        rows=frozenset(row for _, row in rows if row is not None),
        red=tuple(_id(case) for case, row in rows if row is not None),
        green=tuple(
            _id(case)
            for case, row in sorted(rows, key=lambda each: float(each[0].get("time", 0)))
            if row is None and case.find("skipped") is None
        ),
        said=ran.stdout,
    )


def _id(case: ET.Element) -> str:
    """As pytest takes it."""
    return f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"


def _row(case: ET.Element) -> Row | None:
    if case.find("failure") is None and case.find("error") is None:
        return None
    said = {prop.get("name"): prop.get("value", "") for prop in case.iter("property")}
    test = case.get("name", "").split("[")[0]
    return Row(
        test=test,
        at=said.get("v6_vantage") or "",
        verdict=said.get("v6_verdict") or said.get("v6_unobserved") or "",
        layer=said.get("v6_layer") or "",
    )


def toml(fault: str, rows: Iterable[Row]) -> str:
    """The rows as `lab/expected/SHAPE.toml` declares them: by test, with every host that gives the same."""
    places: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in sorted(rows):
        places[row.test, row.verdict, row.layer].append(row.at)
    lines: dict[str, list[str]] = defaultdict(list)
    for (test, verdict, layer), at in places.items():
        lines[test].append(f'{{ verdict = "{verdict}", layer = "{layer}", at = {json.dumps(at)} }}')
    return "\n".join(
        [f"[{fault}]", *(f"{test} = [{', '.join(said)}]" for test, said in lines.items()), ""]
    )


def main(faults: list[str]) -> None:
    """Print what each fault turns red, and whether all is green again when it is mended."""
    for fault in faults:
        known = FAULTS[fault]
        with lab(shape_for(known)) as (keeper, environment):
            keeper.request({"do": "break", "fault": fault}, timeout_s=UP_S)
            broken = run(environment, shape=known.shape)
            print(toml(fault, broken.rows))
            keeper.request({"do": "mend", "fault": fault}, timeout_s=UP_S)
            left = sorted(run(environment, shape=known.shape).rows)
            print(f"# not green when mended: {left}\n" if left else "", end="", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
