"""Are the faults sound as data: named well, reversible, and about things that the lab has?"""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import faults, shapes
from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.loop import Loop, Task
from pytest_v6probe.lab.process import Processes
from pytest_v6probe.lab.running import Lab
from pytest_v6probe.lab.steps import Changed, Written

SHAPES = {name: shapes.shape(name, name="test") for name in shapes.NAMES}


class Noted:
    """A step that only writes down what is done to it; it may refuse."""

    def __init__(self, name: str, log: list[str], *, refuses: bool = False) -> None:
        self.name, self.log, self.refuses = name, log, refuses

    def apply(self, lab: Lab) -> Task[None]:
        yield from ()
        self.log.append(f"break {self.name}")
        if self.refuses:
            raise LabError("no")

    def revert(self, lab: Lab) -> Task[None]:
        yield from ()
        self.log.append(f"mend {self.name}")


def lab() -> Lab:
    return Lab(shape=SHAPES["aws"], loop=Loop(), processes=Processes())


@pytest.mark.parametrize("name", faults.FAULTS)
def test_a_fault_is_named_in_kebab_case_and_says_what_it_is(name: str):
    fault = faults.named(name)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert fault.summary
    nodes = SHAPES[faults.named(name).shape].topology.nodes
    assert fault.region in {"", *(node.name.partition("/")[0] for node in nodes)}


@pytest.mark.parametrize("name", faults.FAULTS)
def test_a_fault_is_about_nodes_and_daemons_that_exist(name: str):
    shape = SHAPES[faults.named(name).shape]
    nodes = {node.name for node in shape.topology.nodes}
    for step in faults.named(name).steps:
        where = getattr(step, "region", "")  # steps of a cluster call its nodes as the cluster does
        for attribute in ("node", "squatter"):
            node = getattr(step, attribute, "")
            assert not node or (f"{where}/{node}" if where else node) in nodes
        daemon = getattr(step, "daemon", None)
        if isinstance(daemon, str):
            assert shape.daemon(daemon).name == daemon


@pytest.mark.parametrize("name", faults.FAULTS)
def test_a_fault_changes_options_that_the_daemon_has_to_other_values(name: str):
    shape = SHAPES[faults.named(name).shape]
    for step in faults.named(name).steps:
        if isinstance(step, Changed):
            daemon = shape.daemon(step.daemon)
            assert set(step.options) <= {field.name for field in fields(daemon)}
            assert all(getattr(daemon, option) != value for option, value in step.options.items())
        if isinstance(step, Written):
            assert shape.topology.node(step.node).etc[step.name] != step.text


def test_there_are_all_the_faults_that_were_asked_for():
    assert len(faults.FAULTS) >= 31


def test_an_unknown_fault_is_an_error_that_lists_them():
    with pytest.raises(LabError, match="there are: no-synthesis, synthesis-from-wrong-prefix"):
        faults.named("no")


def test_steps_are_mended_in_the_opposite_order(monkeypatch):
    log: list[str] = []
    fault = Fault(name="x", summary="x", steps=(Noted("a", log), Noted("b", log)))
    monkeypatch.setattr(Lab, "settle", lambda _: iter(()))
    list(faults.apply(fault, lab()))
    list(faults.revert(fault, lab()))
    assert log == ["break a", "break b", "mend b", "mend a"]


def test_a_fault_that_cannot_be_broken_leaves_nothing_broken():
    log: list[str] = []
    steps = (Noted("a", log), Noted("b", log, refuses=True), Noted("c", log))
    with pytest.raises(LabError, match="no"):
        list(faults.apply(Fault(name="x", summary="x", steps=steps), lab()))
    assert log == ["break a", "break b", "mend b", "mend a"]
