"""Which faults are there, and how is a lab broken and mended by one?"""

from __future__ import annotations

from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.errors import DaemonNotReady, LabError
from pytest_v6probe.lab.broken import (
    aws,
    balancers,
    docker,
    eks,
    istio,
    kubernetes,
    metallb,
    policies,
    registry,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.fault import Fault
    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab
    from pytest_v6probe.lab.steps import Step

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            *aws.FAULTS,
            *docker.FAULTS,
            *registry.FAULTS,
            *kubernetes.FAULTS,
            *eks.FAULTS,
            *metallb.FAULTS,
            *policies.FAULTS,
            *istio.FAULTS,
            *balancers.FAULTS,
        )
    }
)
"""Every fault, by its name."""


def named(name: str) -> Fault:
    """The fault called *name*. Raises LabError that lists the names."""
    if name not in FAULTS:
        raise LabError(f"there is no fault {name!r}; there are: {', '.join(FAULTS)}")
    return FAULTS[name]


def apply(fault: Fault, lab: Lab) -> Task[None]:
    """Break *lab*; returns when the fault has taken effect. Raises LabError, and then nothing is
    broken.
    """
    done: list[Step] = []
    try:
        for step in fault.steps:
            done.append(step)
            yield from step.apply(lab)
    except BaseException:
        for step in reversed(done):
            with suppress(LabError, DaemonNotReady):  # what was not broken yet cannot be mended
                yield from step.revert(lab)
        raise


def revert(fault: Fault, lab: Lab) -> Task[None]:
    """Mend *lab*; returns when its hosts have their addresses and routes again. Raises LabError."""
    for step in reversed(fault.steps):
        yield from step.revert(lab)
    yield from lab.settle()
