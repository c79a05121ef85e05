"""Do files and functions stay small, and does every module say which question it answers?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_v6probe"
CODE = sorted(
    file
    for room in ("pytest_v6probe", "scenarios", "tests", "benchmarks", "docs")
    for file in (ROOT / room).rglob("*.py")
)
SLEEPERS = {PACKAGE / "wait.py", PACKAGE / "agent" / "payload.py"}


def path_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", CODE, ids=path_of)
def test_no_file_is_longer_than_400_lines(file: Path):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=path_of)
def test_functions_fit_on_a_screen_and_modules_say_what_they_answer(file: Path):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree)
    long = {
        node.name: length
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > 40
    }
    assert long == {}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=path_of)
def test_only_the_agent_and_wait_sleep(file: Path):
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    assert file in SLEEPERS or not calls & {"time.sleep", "sleep"}


@pytest.mark.parametrize("file", CODE, ids=path_of)
def test_nobody_leaves_notes_to_himself(file: Path):
    notes = re.compile(
        r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b"
    )
    assert notes.search(file.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("file", sorted((ROOT / "scenarios").glob("*.py")), ids=path_of)
def test_scenarios_are_plain_assertions(file: Path):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    branches = {
        type(node).__name__
        for node in ast.walk(tree)
        if isinstance(node, ast.If | ast.For | ast.While | ast.Try)
    }
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert branches == set()
    assert all(node.name.startswith("test_") for node in functions)
    assert all((node.end_lineno or 0) - node.lineno < 25 for node in functions)
