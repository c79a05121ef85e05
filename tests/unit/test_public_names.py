"""Is what a scenario may import what is said, typed and loaded, and does importing the package stay
cheap?
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_v6probe

FILE = Path(pytest_v6probe.__file__ or "")


@pytest.mark.parametrize("name", pytest_v6probe.__all__)
def test_every_public_name_loads_and_is_itself(name):
    value = getattr(pytest_v6probe, name)
    assert getattr(value, "__name__", name) == name


def test_the_type_checker_is_told_of_exactly_these_names():
    block = next(
        node
        for node in ast.parse(FILE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.If)
    )
    told = {
        alias.asname
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == set(pytest_v6probe.__all__)
    assert list(pytest_v6probe.__all__) == sorted(pytest_v6probe.__all__, key=ast_order)


def ast_order(name):
    return (not name[0].isupper(), name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pytest_v6probe.nothing


def test_importing_the_package_loads_no_other_module_of_it():
    code = "import sys, pytest_v6probe; print([m for m in sys.modules if m.startswith('pytest_v6probe.')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
