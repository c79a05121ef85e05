"""Do the rooms keep to their places: imports point one way, every library has one door, pure rooms
are pure?
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_v6probe"
FILES = sorted(PACKAGE.rglob("*.py"))

ROOMS = (
    {"errors", "result"},
    {"rfc", "linux", "kube", "inventory", "clouds"},
    {"agent.wire"},
    {"transport"},
    {"agent"},
    {"vantage", "cluster"},
    {"probes", "actions", "wait"},
    {"diagnose"},
    {"report"},
    {"lab"},
    {"ways"},
    {"session"},
    {"environments", "failure", "clean"},
    {"fixtures", "plugin", "cli"},
)
"""From left to right: a room may import from its own set and from those before it."""

PURE = {
    "rfc",
    "linux",
    "kube",
    "clouds",
    "errors",
    "result",
    "inventory.model",
    "inventory.kube",
    "inventory.keys",
    "inventory.schema_kube",
    "inventory.literals",
    "inventory.schema",
    "inventory.readers",
}
IMPURE_MODULES = {"socket", "subprocess", "time", "os", "selectors", "threading", "signal"}
TWO_DOORS = {"pytest": {"plugin.py", "fixtures.py"}, "_pytest": {"plugin.py", "fixtures.py"}}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)


def rank(name: str) -> int | None:
    best = max(
        (room for rooms in ROOMS for room in rooms if name == room or name.startswith(room + ".")),
        key=len,
        default=None,
    )
    return next((at for at, rooms in enumerate(ROOMS) if best in rooms), None)


def imports(file: Path, *, at_run_time_only: bool = False) -> set[str]:
    """Every module that *file* imports, anywhere in it, as full dotted names."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if at_run_time_only
        and isinstance(node, ast.If)
        and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_module_has_a_room():
    homeless = [
        name
        for name in map(name_of, FILES)
        if not name.endswith("__init__") and name != "__init__" and rank(name) is None
    ]
    assert homeless == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_point_to_the_left(file: Path):
    own = rank(name_of(file))
    if own is None:  # the package's own __init__ re-exports from every room
        assert name_of(file).endswith("__init__")
        return
    wrong = {
        module
        for module in imports(file, at_run_time_only=True)
        if module.startswith("pytest_v6probe.")
        and (theirs := rank(module.removeprefix("pytest_v6probe."))) is not None
        and theirs > own
    }
    assert wrong == set()


def test_the_lab_and_the_probes_do_not_know_each_other():
    for room, other in (("lab", "probes"), ("probes", "lab")):
        for file in (PACKAGE / room).rglob("*.py"):
            assert not {m for m in imports(file) if m.startswith(f"pytest_v6probe.{other}")}, file


def test_every_library_has_one_door():
    doors: dict[str, set[str]] = defaultdict(set)
    for file in FILES:
        for module in imports(file, at_run_time_only=True):
            top = module.split(".")[0]
            if top not in sys.stdlib_module_names and top != "pytest_v6probe":
                doors[top].add(file.relative_to(PACKAGE).as_posix())
    wide = {
        name: files
        for name, files in doors.items()
        if len(files) > 1 and not files <= TWO_DOORS.get(name, set())
    }
    assert wide == {}


@pytest.mark.parametrize(
    "file",
    [f for f in FILES if any(name_of(f) == p or name_of(f).startswith(p + ".") for p in PURE)],
    ids=name_of,
)
def test_pure_rooms_touch_nothing(file: Path):
    assert {module.split(".")[0] for module in imports(file)} & IMPURE_MODULES == set()


def test_the_payload_imports_the_standard_library_only():
    modules = {module.split(".")[0] for module in imports(PACKAGE / "agent" / "payload.py")}
    assert modules <= set(sys.stdlib_module_names)
