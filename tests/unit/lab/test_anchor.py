"""Does a node see of the machine's /etc what programs need, and trust whom it is meant to?"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.topology import Node

STORE = "ssl/certs/ca-certificates.crt"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch) -> Path:
    """The machine's /etc."""
    etc = tmp_path / "machine-etc"
    (etc / "ssl" / "certs").mkdir(parents=True)
    (etc / STORE).write_text("the machine's authorities")
    monkeypatch.setattr(anchor, "HOME", str(tmp_path))
    monkeypatch.setattr(anchor, "MACHINE_ETC", etc)
    monkeypatch.setattr(anchor, "AUTHORITY", str(tmp_path / "authority.pem"))
    (tmp_path / "authority.pem").write_text("the lab's authority")
    return etc


def etc_of(**options) -> Path:
    anchor.lay_out(Node(name="a/b", hostname="b", **options))
    return anchor.directory("a/b") / "etc"


def test_a_node_that_trusts_the_lab_trusts_nobody_else(machine):
    etc = etc_of(trusts_authority=True)
    assert (etc / STORE).read_text() == "the lab's authority"
    assert (machine / STORE).read_text() == "the machine's authorities"


def test_any_other_node_trusts_whom_the_machine_trusts(machine):
    assert (etc_of() / STORE).read_text() == "the machine's authorities"


def test_a_file_of_a_node_may_be_deep_below_its_etc(machine):
    etc = etc_of(etc=MappingProxyType({"docker/daemon.json": "{}"}))
    assert (etc / "docker" / "daemon.json").read_text() == "{}"
