"""Do the lab's commands choose the lab and the host that is meant, and say so where that is not
clear?
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import commands, names
from pytest_v6probe.lab.faults import FAULTS

LAB: dict[str, Any] = {
    "name": "aws",
    "shape": "aws",
    "state": "up",
    "fault": "no-ra",
    "nodes": {"us-east-1/web-1": 10, "us-west-2/web-1": 15, "client": 22},
    "daemons": {"dns": "running", "us-east-1/radvd": "stopped"},
}


def labs(monkeypatch, *there: str) -> None:
    monkeypatch.setattr(names, "mine", lambda: there)


def test_the_only_lab_need_not_be_named(monkeypatch):
    labs(monkeypatch, "aws")
    assert commands._chosen(None) == "aws"


def test_one_of_several_labs_is_chosen_by_its_name(monkeypatch):
    labs(monkeypatch, "a", "b")
    assert commands._chosen("b") == "b"


@pytest.mark.parametrize(
    ("there", "name", "said"),
    [
        ((), None, "no lab is up; bring one up: v6probe lab up aws"),
        (("a", "b"), None, "several labs are up: say which by --name: a, b"),
        (("a",), "c", "there is no lab c: say which by --name: a"),
    ],
)
def test_a_lab_that_is_not_clear_is_asked_for(monkeypatch, there, name, said: str):
    labs(monkeypatch, *there)
    with pytest.raises(LabError, match=said):
        commands._chosen(name)


@pytest.mark.parametrize(
    ("host", "node"), [("client", "client"), ("us-west-2/web-1", "us-west-2/web-1")]
)
def test_a_host_is_found_by_its_id_or_by_a_name_that_only_it_has(host: str, node: str):
    assert commands._anchor(LAB, host) == (node, LAB["nodes"][node])


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("web-1", r"which web-1\? There is us-east-1/web-1, us-west-2/web-1"),
        ("web", "there is no web in this lab. There is client, us-east"),
    ],
)
def test_a_host_that_is_not_clear_is_asked_for(host: str, said: str):
    with pytest.raises(LabError, match=said):
        commands._anchor(LAB, host)


def test_a_lab_is_one_line_with_what_is_wrong_in_it():
    assert (
        commands._line(LAB)
        == "aws: aws, up, 3 nodes, 2 daemons, fault: no-ra, us-east-1/radvd stopped"
    )


def test_status_without_a_lab_is_an_exit_status(monkeypatch, capsys):
    labs(monkeypatch)
    assert (commands.status(), capsys.readouterr().out) == (commands.FAILED, "no lab is up\n")


def test_faults_are_a_table_and_json(capsys):
    assert commands.faults() == commands.OK
    table = capsys.readouterr().out
    assert commands.faults(as_json=True) == commands.OK
    listed = json.loads(capsys.readouterr().out)
    assert [fault["name"] for fault in listed] == list(FAULTS)
    assert all(f"{fault['name']} " in table and fault["summary"] in table for fault in listed)
