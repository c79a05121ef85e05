"""Are the generated pages of the documentation those of this tree, and is every public name
documented?
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest_v6probe

ROOT = Path(__file__).parents[2]


def test_the_generated_pages_are_up_to_date():
    ran = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, f"run `python docs/generate.py`: {ran.stdout}{ran.stderr}"


def test_every_public_name_says_what_it_is():
    silent = [
        name
        for name in pytest_v6probe.__all__
        if name != "Address" and not getattr(pytest_v6probe, name).__doc__
    ]
    assert silent == []


def test_every_probe_is_used_by_a_scenario():
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "scenarios").glob("*.py"))
    called = {
        ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)
    }
    page = (ROOT / "docs" / "probes.md").read_text(encoding="utf-8")
    probes = {line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")}
    assert probes
    assert probes - called == set()
