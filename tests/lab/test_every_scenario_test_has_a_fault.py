"""Can every scenario test fail? Each has at least one fault that is declared to turn it red."""

from __future__ import annotations

import ast
from pathlib import Path

from pytest_v6probe.lab.faults import FAULTS

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_every_scenario_test_has_a_fault():
    tests = {
        node.name
        for file in SCENARIOS.glob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    turned_red = {red.test for fault in FAULTS.values() for red in fault.red}
    assert tests - turned_red == set()
    assert turned_red - tests == set()
