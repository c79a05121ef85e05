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

from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.transport.netns import Keeper

ROOT = Path(__file__).parents[2]
SCENARIO = "scenarios/aws_ipv6_only.py"
REGION = "us-east-1"


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
def lab() -> Iterator[tuple[Keeper, Path]]:
    """A lab of this process's own, with the inventory that `v6probe lab up --env` would write."""
    keeper = bring_up(
        "aws", name=f"v6probe-matrix-{uuid.uuid4().hex[:8]}", guardian_pid=os.getpid()
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            environment = Path(folder, "lab.toml")
            environment.write_text(keeper.request({"do": "wait", "timeout_s": 30})[0]["inventory"])
            yield keeper, environment
    finally:
        keeper.request({"do": "down"})
        keeper.close()


def run(environment: Path, *options: str, scenario: str = SCENARIO) -> Outcome:
    """Run the scenario file on *environment* in a process of its own and read what became of each
    test.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        argv = (
            sys.executable,
            "-m",
            "pytest",
            scenario,
            "--v6-env",
            str(environment),
            "--v6-region",
            REGION,
            "--junitxml",
            str(report),
            "-p",
            "no:cacheprovider",
            "-q",
            "-n",
            "3",
            *options,
        )
        ran = subprocess.run(
            argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
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
    """The rows as `lab/red.toml` declares them: by test, with every host that gives the same."""
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
        with lab() as (keeper, environment):
            keeper.request({"do": "break", "fault": fault})
            print(toml(fault, run(environment).rows))
            keeper.request({"do": "mend", "fault": fault})
            left = sorted(run(environment).rows)
            print(f"# not green when mended: {left}\n" if left else "", end="", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
