"""Does the payload travel in one piece, and can every Python read the line that takes it?"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_v6probe.agent import bootstrap

CLAIM = "import sys; sys.version_info = (3, 5, 2); sys.argv[0:1] = ['-c']; exec(sys.argv.pop(1))"
OLD_ONES = [
    ([sys.executable, "-c", CLAIM], "3.5"),
    *(
        ([str(path), "-c"], "2.7")
        for path in (Path.home() / ".pyenv/versions").glob("2.7*/bin/python")
    ),
]


def test_the_payload_imports_only_the_standard_library_and_lazily_what_is_large():
    tree = ast.parse(bootstrap.payload())
    top = {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}
    assert b"pytest_v6probe" not in b"\n".join(
        line
        for line in bootstrap.payload().splitlines()
        if line.lstrip().startswith((b"from", b"import"))
    )
    assert top == {
        "array",
        "binascii",
        "collections",
        "errno",
        "gc",
        "json",
        "os",
        "selectors",
        "signal",
        "socket",
        "stat",
        "struct",
        "sys",
    }


STARTS = ("subprocess", "os.exec", "os.spawn", "os.posix", "os.popen", "os.system", "os.kill")
OF_RECORDS = {
    "payload_records.py": {"os.mkdir", "os.mkfifo", "os.rmdir", "os.unlink", "os.write"},
    "payload_recorder.py": {"os.fork", "os.ftruncate", "os.rename", "os.write"},
}
WRITES = set.union(
    {"os.chmod", "os.chown", "os.link", "os.makedirs", "os.remove", "os.replace"},
    *OF_RECORDS.values(),
)


def called(octets: bytes) -> set[str]:
    tree = ast.parse(octets)
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_the_payload_has_no_way_to_start_a_program():
    assert {name for name in called(bootstrap.payload()) if name.startswith(STARTS)} == set()


@pytest.mark.parametrize("part", bootstrap.PARTS)
def test_only_records_write_files_and_leave_a_process_behind(part: str):
    octets = Path(bootstrap.__file__).with_name(part).read_bytes()
    writes = called(octets) & WRITES
    if part in OF_RECORDS:
        assert writes == OF_RECORDS[part]
        return
    assert writes <= {"os.write"}
    assert octets.count(b"os.write(1, ") == octets.count(b"os.write(")


def test_no_part_of_the_payload_takes_a_name_of_another():
    """They become one module."""
    names = [
        name
        for part in bootstrap.PARTS
        for node in ast.parse(Path(bootstrap.__file__).with_name(part).read_bytes()).body
        for name in defined(node)
    ]
    assert sorted(names) == sorted(set(names))


def defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        named = [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        return [name for name in named if name != "TYPE_CHECKING"]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def test_the_command_is_safe_inside_single_quotes_on_one_line():
    line = bootstrap.command("python3", nonce="abc", concurrency=64)[4]
    assert "'" not in line
    assert "\n" not in line
    assert "!" not in line


def test_the_hello_s_mark_is_nowhere_in_the_command():
    argv = bootstrap.command("python3", nonce="abc", concurrency=64)
    assert bootstrap.MARK + "abc" not in " ".join(argv)
    assert argv == (
        "python3",
        "-I",
        "-S",
        "-c",
        bootstrap.LINE,
        "abc",
        str(len(bootstrap.payload())),
        "64",
    )


@pytest.mark.parametrize(("python", "version"), OLD_ONES, ids=[version for _, version in OLD_ONES])
def test_a_python_that_is_too_old_says_so(python: list[str], version: str):
    said = subprocess.run(
        [*python, bootstrap.LINE, "abc", "5"],
        input=b"print",
        check=False,
        capture_output=True,
        timeout=20,
    )
    assert (said.returncode, said.stdout) == (
        3,
        f"\nv6probe:abc:too-old {version}\n".encode("ascii"),
    )
