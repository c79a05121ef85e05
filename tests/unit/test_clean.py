"""Does `v6probe clean` show every leftover, delete those that are old, and say when it could not?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pytest_v6probe import cli
from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.ways import Ways
from tests.unit.actions.scripted_api import ScriptedApi, answer

INVENTORY = """
[environment]
name = "prod"
cloud = "aws"
[[cluster]]
name = "one"
families = ["ipv6"]
[[cluster]]
name = "two"
families = ["ipv6", "ipv4"]
"""
OLD, YOUNG = "v6probe-00000000000a", "v6probe-00000000000b"


def namespace(name, *, age_s, **metadata):
    made = datetime.now(UTC) - timedelta(seconds=age_s)
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "labels": {"app.kubernetes.io/managed-by": "pytest-v6probe"},
            "annotations": {"pytest-v6probe/run": "pid 7 on ci-1"},
            **metadata,
        }
    }


@pytest.fixture
def clean(tmp_path, monkeypatch):
    """Runs the command on clusters with the APIs *apis*, by their names."""
    file = tmp_path / "prod.toml"
    file.write_text(INVENTORY, encoding="utf-8")

    def run(apis, *options):
        def api(_, cluster_id):
            said = apis[cluster_id]
            if isinstance(said, Exception):
                raise said
            return said

        monkeypatch.setattr(Ways, "api", api)
        return cli.main(["clean", "--env", str(file), *options])

    return run


def deleted(api):
    return [entry[1].rpartition("/")[2] for entry in api.log if entry[0] == "delete"]


def both(**answers):
    listed = [[namespace(OLD, age_s=7200), namespace(YOUNG, age_s=60)]]
    return ScriptedApi(list=listed, **answers)


def test_what_is_old_is_deleted_and_what_is_young_is_spared(clean, capsys):
    one, two = both(), ScriptedApi(list=[[]])
    assert clean({"one": one, "two": two}) == cli.OK
    assert (deleted(one), deleted(two)) == ([OLD], [])
    old, young, none = capsys.readouterr().out.splitlines()
    assert old.startswith(f"one: {OLD}, 2:00:0")
    assert old.endswith(" old, of pid 7 on ci-1: deleted")
    assert "spared: its run may still go on (--older-than-s 6" in young
    assert none == "two: nothing is left"


@pytest.mark.parametrize("options", [["--all"], ["--older-than-s", "0"], ["--older-than-s", "59"]])
def test_nothing_is_spared_where_that_is_said(clean, options):
    one = both()
    assert clean({"one": one, "two": ScriptedApi(list=[[]])}, *options) == cli.OK
    assert deleted(one) == [OLD, YOUNG]


def test_what_is_being_deleted_already_is_shown(clean, capsys):
    going = namespace(OLD, age_s=7200, deletionTimestamp="2026-11-23T08:40:00Z")
    one = ScriptedApi(list=[[going]])
    assert clean({"one": one, "two": ScriptedApi(list=[[]])}) == cli.OK
    assert deleted(one) == []
    assert "being deleted already" in capsys.readouterr().out


def test_a_refused_deletion_is_told_and_the_others_go_on(clean, capsys):
    refusing = both(delete=[answer(403, message="namespaces is forbidden"), answer(200)])
    two = both()
    assert clean({"one": refusing, "two": two}, "--all") == cli.FAILED
    assert (deleted(refusing), deleted(two)) == ([OLD, YOUNG], [OLD, YOUNG])
    said = capsys.readouterr()
    assert [line.rpartition(": ")[2] for line in said.out.splitlines()] == [
        "still there",
        "deleted",
        "deleted",
        "deleted",
    ]
    assert f"the namespace {OLD} could not be deleted (HTTP 403: " in said.err


def test_a_cluster_that_cannot_be_asked_is_told_and_the_others_are_seen_to(clean, capsys):
    two = both()
    assert clean({"one": VantageUnreachable("no way", reason="refused"), "two": two}) == cli.FAILED
    assert deleted(two) == [OLD]
    assert capsys.readouterr().err == "v6probe: no way\n"


def test_an_inventory_must_be_given(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["clean"])
    assert ended.value.code == cli.USAGE
    assert "--env" in capsys.readouterr().err
