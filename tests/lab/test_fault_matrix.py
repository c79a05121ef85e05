"""Does every fault turn exactly its declared tests red, with the declared verdict and layer, and
back to green?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from pytest_v6probe.lab.faults import FAULTS
from tests.lab.matrix import UP_S, Outcome, Row, afterwards, concerned, lab, run, shape_for

AT_ONCE = 2
"""So many labs stand beside each other: most of their time is waiting."""


@pytest.fixture(scope="module")
def measured(
    request: pytest.FixtureRequest,
) -> Iterator[Mapping[str, Future[tuple[Outcome, Outcome]]]]:
    """What each fault that is asked about turns red, and what is red when it is mended."""
    names = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(outcomes, name) for name in names}
        pool.shutdown(cancel_futures=True)


def outcomes(name: str) -> tuple[Outcome, Outcome]:
    """Run the scenarios on a lab of their own, broken and mended."""
    fault = FAULTS[name]
    with lab(shape_for(fault)) as (keeper, environment):
        keeper.request({"do": "break", "fault": name}, timeout_s=UP_S)
        broken = run(environment, *concerned(fault), shape=fault.shape)
        keeper.request({"do": "mend", "fault": name}, timeout_s=UP_S)
        return broken, run(environment, *afterwards(fault), shape=fault.shape)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_turns_exactly_its_declared_tests_red(
    name: str, measured: Mapping[str, Future[tuple[Outcome, Outcome]]]
):
    declared = frozenset(
        Row(red.test, at, red.verdict, str(red.layer)) for red in FAULTS[name].red for at in red.at
    )
    broken, mended = measured[name].result()
    assert declared, f"{name} declares no test that it turns red"
    assert sorted(broken.rows) == sorted(declared), broken.said[-6000:]
    assert sorted(mended.rows) == [], mended.said[-6000:]
    assert mended.ran > 0
