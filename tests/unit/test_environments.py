"""Does every test get the session of its own lab, and every engine a worker of its own?"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_v6probe.environments import Environments
from pytest_v6probe.errors import InventoryError, LabError
from pytest_v6probe.session import Settings

ENGINE = "us-east-1/docker-29-networkd"


SETTINGS = Settings(lab_name="unit", guardian_pid=os.getpid())


def environments(**changes) -> Environments:
    return Environments(settings=replace(SETTINGS, **changes))


def test_each_lab_has_one_session_and_a_name_of_its_own():
    labs = environments()
    assert labs.session("aws") is labs.session("aws")
    names = [labs.session(shape).inventory.environment.lab for shape in ("aws", "docker")]
    assert names == ["unit-aws", "unit-docker"]


def test_an_inventory_that_is_given_stands_for_every_lab(tmp_path: Path):
    file = tmp_path / "prod.toml"
    file.write_text('[environment]\nname = "prod"\ncloud = "aws"\n')
    given = environments(environment=file)
    assert given.session("aws") is given.session("docker") is given.first()
    assert given.first().inventory.environment.name == "prod"


def test_a_fault_breaks_the_lab_that_it_is_of_and_no_other():
    labs = environments(fault="mirror-down")
    assert labs.first() is labs.session("registry")
    assert labs.session("registry").settings.fault == "mirror-down"
    assert labs.session("aws").settings.fault == ""
    with pytest.raises(LabError, match="there is no fault 'no'"):
        environments(fault="no").first()


@pytest.mark.parametrize(
    ("test_id", "place"),
    [
        ("a.py::test[us-east-1/web-1]", ("aws", "us-east-1/web-1")),
        ("a.py::test[client-us-east-1/web-1]", ("aws", "client")),
        (f"a.py::test[{ENGINE}]", ("docker", ENGINE)),
        (f"a.py::test[{ENGINE}.web-www.google.com]", ("docker", ENGINE)),
        (f"a.py::test[client-{ENGINE}-{ENGINE}.web]", ("docker", ENGINE)),
        ("a.py::test[us-west-2/docker-1-alpine:latest]", ("registry", "us-west-2/docker-1")),
    ],
)
def test_a_test_shares_a_worker_with_all_that_concerns_its_engine(test_id, place):
    found = environments().at(test_id)
    assert found is not None
    assert (found[0].inventory.environment.lab, found[1]) == (f"unit-{place[0]}", place[1])


def test_a_test_of_somebody_else_has_no_place():
    assert environments().at("a.py::test[1-2]") is None
    assert environments().at("a.py::test") is None


def test_a_lab_without_the_region_asked_for_is_passed_over():
    east = environments(regions=("us-east-1",))
    assert east.at("a.py::test[us-west-2/docker-1]") is None
    assert east.at("a.py::test[us-east-1/web-1]") is not None
    with pytest.raises(InventoryError, match="the lab has no region 'us-east-1'"):
        east.session("registry")
