"""Does every shape of lab say what it needs, and can all of that be had?"""

from __future__ import annotations

from pytest_v6probe.lab.builds import BUILDS
from pytest_v6probe.lab.needs import NEEDS
from pytest_v6probe.lab.shapes import NAMES


def test_every_shape_says_what_it_needs():
    assert set(NAMES) <= set(NEEDS)


def test_everything_that_is_to_be_built_can_be():
    assert {name for needs in NEEDS.values() for name in needs.builds} <= set(BUILDS)
