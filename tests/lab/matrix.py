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

SCENARIOS = {
    "aws": ("scenarios/aws_ipv6_only.py",),
    "docker": ("scenarios/docker_ipv6.py",),
    "registry": ("scenarios/docker_registry.py", "scenarios/aws_services.py"),
}
"""What runs on each shape of lab."""
REGIONS = {"aws": "us-east-1", "docker": "us-east-1", "registry": "us-west-2"}
"""Where the faults of each are."""
SMALLER = {"us-east-1/docker-20": "docker-one"}
"""A lab that is enough for a fault that only this host can notice."""
UP_S = 90.0


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
    """One run: how many tests ran, and every one that was not green."""

    ran: int
    rows: frozenset[Row]
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
    chosen = ("-k", f"{fault.host} or not disruptive") if fault.host else ()
    return (*_workers(fault), *chosen)


def afterwards(fault: Fault) -> tuple[str, ...]:
    """The options that choose what must be green again: what was red, and all that changes nothing."""
    red = sorted({red.test for red in fault.red})
    return (*_workers(fault), "-k", " or ".join(["not disruptive", *red]))


def _workers(fault: Fault) -> tuple[str, ...]:
    """No workers where all tests are of one engine: they would be one worker's."""
    return ("-n", "0") if fault.host in SMALLER else ()


def run(environment: Path, *options: str, shape: str) -> Outcome:
    """Run the scenario files of *shape*, with what they may change, on *environment* in a process
    of its own and read what became of each test.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        argv = (
            *PYTEST,
            *SCENARIOS[shape],
            "--v6-disruptive",
            "--v6-env",
            str(environment),
            "--v6-region",
            REGIONS[shape],
            "--junitxml",
            str(report),
            "-n",
            "3",
            *options,
        )
        ran = subprocess.run(
            argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
        )
        if not report.exists():
            raise AssertionError(f"no report:\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")
        cases = list(ET.parse(report).iter("testcase"))
    return Outcome(ran=len(cases), rows=frozenset(filter(None, map(_row, cases))), said=ran.stdout)


def _row(case: ET.Element) -> Row | None:
    if case.find("failure") is None and case.find("error") is None:
        return None
    said = {prop.get("name"): prop.get("value", "") for prop in case.iter("property")}
    test = case.get("name", "").split("[")[0]
    return Row(
        test=test,
        at=said.get("v6_vantage") or "",
        verdict=said.get("v6_verdict") or "",
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
