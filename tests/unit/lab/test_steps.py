"""Is a daemon stopped, or run with other options, with what it left in the kernel gone, and put back whole?"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.broken.policies import IPV4_ALONE, UNENFORCED
from pytest_v6probe.lab.steps import Changed, Stopped

NODE, NAME = "policies/node-1", "policies/node-1/kube-router"


class FakeLab:
    """It notes what is done to it, in order."""

    def __init__(self) -> None:
        self.shape = shapes.shape("policies", name="test")
        self.done: list[Any] = []

    def stop(self, name: str):
        yield from ()
        self.done.append(("stop", name))

    def run(self, node: str, *argv: str):
        yield from ()
        self.done.append(("run", node, *argv))

    def start(self, daemon: Any):
        yield from ()
        self.done.append(("start", daemon))


@pytest.fixture
def lab() -> Any:
    return FakeLab()


BEFORE = [("stop", NAME), ("run", NODE, "sh", "-e", "-c", UNENFORCED)]


def test_it_runs_on_with_one_family_and_without_the_rules_of_the_other(lab):
    step = Changed(daemon=NAME, options={"services": IPV4_ALONE}, cleared=UNENFORCED)
    list(step.apply(lab))
    *before, (_, daemon) = lab.done
    assert before == BEFORE
    assert (daemon.name, [str(net) for net in daemon.services]) == (NAME, ["10.96.0.0/16"])
    lab.done.clear()
    list(step.revert(lab))
    assert lab.done == [*BEFORE, ("start", lab.shape.daemon(NAME))]


def test_it_does_not_run_and_is_put_back_as_it_was(lab):
    step = Stopped(daemon=NAME, cleared=UNENFORCED)
    list(step.apply(lab))
    assert lab.done == BEFORE
    list(step.revert(lab))
    assert lab.done[2:] == [("stop", NAME), ("start", lab.shape.daemon(NAME))]
