"""Can every scenario test fail? Each has at least one fault that is declared to turn it red."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from pytest_v6probe.fixtures import SHAPE
from pytest_v6probe.lab.faults import FAULTS

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.py"))


def test_every_scenario_test_has_a_fault_of_its_lab():
    tests = {(shape_of(file), test) for file in SCENARIOS for test in names_in(file)}
    rows = [(fault.shape, red) for fault in FAULTS.values() for red in fault.red]
    looked = {(shape, red.test) for shape, red in rows if red.layer is not None}
    assert tests - looked == set()
    assert {(shape, red.test) for shape, red in rows} - tests == set()


def names_in(file: Path) -> list[str]:
    return [
        node.name
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def shape_of(file: Path) -> str:
    """The lab that a scenario file runs on, by its mark."""
    marked = re.search(r'v6_lab\("([^"]+)"\)', file.read_text(encoding="utf-8"))
    return marked[1] if marked else SHAPE
