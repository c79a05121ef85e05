"""Does every fault turn exactly its declared tests red, with the declared verdict and layer, and
back to green? Is every test green where nothing is broken?
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_v6probe.lab.faults import FAULTS
from tests.lab import turns
from tests.lab.matrix import GROUNDS


@pytest.fixture(scope="module")
def sight(request: pytest.FixtureRequest) -> Iterator[turns.Sight]:
    """What there is to see of each fault and shape that is asked about."""
    asked = [
        item.callspec.params
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module
    ]
    faults, shapes = (
        [str(params[key]) for params in asked if key in params] for key in ("name", "shape")
    )
    with turns.sight(faults, shapes) as found:
        yield found


@pytest.mark.parametrize("name", [name for turn in turns.turns(FAULTS) for name in turn])
def test_a_fault_turns_exactly_its_declared_tests_red(name: str, sight: turns.Sight):
    expected = turns.declared(FAULTS[name])
    found = sight.faults[name].result()
    assert expected, f"{name} declares no test that it turns red"
    assert sorted(found.broken.rows) == sorted(expected), found.broken.said[-6000:]
    assert sorted(found.mended.rows) == [], found.mended.said[-6000:]
    assert set(found.broken.red) <= set(found.mended.green)


@pytest.mark.parametrize("shape", [shape for shape in GROUNDS if shape != "aws"])
def test_every_scenario_is_green_on_a_healthy_lab_disruptive_ones_as_well(
    shape: str, sight: turns.Sight
):
    whole = sight.healthy[shape].result()
    assert sorted(whole.rows) == [], whole.said[-6000:]
    assert whole.green
