"""Is every scenario green on a healthy lab, what changes its target as well?"""

from __future__ import annotations

import pytest

from tests.lab.matrix import SCENARIOS, lab, run


@pytest.mark.parametrize("shape", [shape for shape in SCENARIOS if shape != "aws"])
def test_every_scenario_is_green_on_a_healthy_lab_disruptive_ones_as_well(shape: str):
    with lab(shape) as (_, environment):
        healthy = run(environment, shape=shape)
    assert sorted(healthy.rows) == [], healthy.said[-6000:]
    assert healthy.ran > 0
