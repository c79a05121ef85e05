"""Does every fault turn exactly its declared tests red, with the declared verdict and layer, and
back to green?
"""

from __future__ import annotations

import pytest

from pytest_v6probe.lab.faults import FAULTS
from tests.lab.matrix import Row, lab, run


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_turns_exactly_its_declared_tests_red(name: str):
    declared = frozenset(
        Row(red.test, at, red.verdict, str(red.layer)) for red in FAULTS[name].red for at in red.at
    )
    with lab() as (keeper, environment):
        keeper.request({"do": "break", "fault": name})
        broken = run(environment)
        keeper.request({"do": "mend", "fault": name})
        mended = run(environment)
    assert declared, f"{name} declares no test that it turns red"
    assert sorted(broken.rows) == sorted(declared), broken.said[-6000:]
    assert sorted(mended.rows) == [], mended.said[-6000:]
    assert broken.ran == mended.ran > 0
