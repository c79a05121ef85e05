"""Does a session reach each vantage by the first way that works, once, and close what it opened?"""

from __future__ import annotations

import os
from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path

import pytest

from pytest_v6probe.errors import (
    DeadlinePassed,
    InventoryError,
    LabError,
    Unobserved,
    VantageUnreachable,
)
from pytest_v6probe.failure import diagnosis, explain
from pytest_v6probe.inventory.model import (
    Cluster,
    Container,
    Environment,
    Host,
    Inventory,
    Login,
    Role,
    Site,
)
from pytest_v6probe.probes.addresses import addresses
from pytest_v6probe.probes.cluster_families import cluster_families
from pytest_v6probe.result import Endpoint, Finding, Layer
from pytest_v6probe.session import CAPTURES_KEPT, Settings, V6Session, open_session, require_lab
from pytest_v6probe.transport.fake import FakeTransport
from pytest_v6probe.transport.ssh import SshTransport
from pytest_v6probe.ways import Ways

SETTINGS = Settings(
    lab_name="unit", guardian_pid=os.getpid(), environment=Path("prod.toml"), timeout_s=2
)
WEB = Host(
    name="web-1",
    region="east",
    ssh=Login(host=IPv6Address("2001:db8::1"), user="ec2-user"),
    management=Login(host="bastion"),
)
BEHIND = Host(name="db-1", region="east", ssh=Login(host=IPv6Address("2001:db8::2")), via="web-1")
HERE = Host(name="here", local=True, role=Role.OUTSIDE)
INVENTORY = Inventory(
    environment=Environment(name="prod", cloud="aws"),
    hosts=(WEB, BEHIND, HERE),
    sites=(Site(name="v4.example", url="http://v4.example/", families=("ipv4",)),),
)


class Closed(FakeTransport):
    """A way on which nobody answers."""

    def start(self, argv, *, timeout_s):
        self.asked.append({"argv": argv, "timeout_s": timeout_s})
        raise VantageUnreachable(f"{self.name}: timed out", reason="timed-out")


def answer(operation):
    return {"outcome": "timed-out"}


def no_engine(host):
    raise AssertionError(f"{host} is no container")


def session(monkeypatch, *ways, inventory: Inventory = INVENTORY) -> V6Session:
    made = V6Session(settings=SETTINGS, inventory=inventory)
    monkeypatch.setattr(Ways, "_ways_to", lambda self, host, engine_of: iter(ways))
    return made


def test_a_vantage_is_made_once_and_connected_when_it_is_asked(monkeypatch):
    way = FakeTransport(answer)
    made = session(monkeypatch, way)
    vantage = made.vantage("east/web-1")
    assert (made.vantage("east/web-1") is vantage, made.ways.taken) == (True, {})
    addresses(vantage)
    addresses(vantage)
    assert made.ways.taken == {"east/web-1": "fake"}
    assert len(made.findings) == 2
    assert {finding.vantage for finding in made.findings} == {"east/web-1"}


def test_the_second_way_is_taken_where_the_first_fails_and_that_is_told(monkeypatch):
    first, second = Closed(answer, name="ssh web-1"), FakeTransport(answer, name="ssh bastion")
    made = session(monkeypatch, first, second)
    addresses(made.vantage("east/web-1"))
    assert made.ways.taken == {"east/web-1": "ssh bastion; not ssh web-1: timed out"}
    assert first.asked[0]["timeout_s"] == pytest.approx(
        1, abs=0.2
    )  # each way has its share of the time


def test_a_vantage_that_was_lost_is_not_tried_again(monkeypatch):
    first, second = Closed(answer, name="one"), Closed(answer, name="two")
    made = session(monkeypatch, first, second)
    for _ in range(3):
        with pytest.raises(VantageUnreachable, match="one: timed out; two: timed out") as caught:
            addresses(made.vantage("east/web-1"))
        assert (caught.value.reason, caught.value.vantage) == ("timed-out", "east/web-1")
    assert (len(first.asked), len(second.asked)) == (1, 1)


def test_an_api_that_was_lost_is_not_tried_again(monkeypatch):
    tried = []

    def silent(spec, **_):
        tried.append(spec.id)
        raise DeadlinePassed("TLS: the server says nothing", reason="deadline-passed")

    monkeypatch.setattr("pytest_v6probe.transport.pod.api.open_api", silent)
    clusters = (Cluster(name="prod", region="east", families=("ipv6",)),)
    environment = Environment(name="prod", cloud="aws")
    made = V6Session(
        settings=SETTINGS, inventory=Inventory(environment=environment, clusters=clusters)
    )
    for _ in range(3):
        with pytest.raises(Unobserved, match="the server says nothing") as caught:
            cluster_families(made.cluster("east/prod"))
        assert caught.value.reason == "deadline-passed"
    assert tried == ["east/prod"]


def test_a_host_without_python_is_not_reached_another_way(monkeypatch):
    second = Closed(answer, name="two")
    made = session(monkeypatch, FakeTransport(answer, pythons={}), second)
    with pytest.raises(Unobserved) as caught:
        addresses(made.vantage("east/web-1"))
    assert (caught.value.reason, second.asked) == ("no-python3", [])


def test_everything_is_closed_even_if_something_is_gone_already(monkeypatch):
    made = session(monkeypatch, FakeTransport(answer))
    closed = []
    first, second = made.vantage("east/web-1"), made.vantage("here")

    def close(vantage):
        closed.append(vantage.name)
        raise EOFError

    monkeypatch.setattr(type(first), "close", close)
    made.close()
    assert closed == [second.name, first.name]
    made.close()
    assert len(closed) == 2


def test_ssh_through_another_host_shares_its_connection():
    made = V6Session(settings=SETTINGS, inventory=INVENTORY)
    in_band, management = made.ways._ways_to(WEB, no_engine)
    (behind,) = made.ways._ways_to(BEHIND, no_engine)
    assert isinstance(behind, SshTransport)
    assert (in_band.name, management.name, behind.name) == (
        "ssh ec2-user@[2001:db8::1]",
        "ssh bastion",
        "ssh [2001:db8::2]",
    )
    assert behind._via is in_band
    assert [way.name for way in made.ways._ways_to(HERE, no_engine)] == ["local"]


def test_only_a_host_with_ssh_can_be_logged_in_to(monkeypatch):
    made = session(monkeypatch)
    assert made.vantage("here").login is None
    assert made.vantage("east/web-1").login is not None


def test_what_is_translated_is_known_by_discovery_and_by_statement(monkeypatch):
    stated = IPv6Network("2001:db8:64::/96")
    inventory = Inventory(
        environment=Environment(name="prod", cloud="aws", nat64_prefix=stated), hosts=(HERE,)
    )
    made = session(monkeypatch, FakeTransport(answer), inventory=inventory)
    assert made.vantage("here").nat64_prefixes == {stated, IPv6Network("64:ff9b::/96")}
    assert made.cloud.nat64_prefix == stated
    assert made.findings == []


def test_a_test_id_tells_its_vantage():
    made = V6Session(settings=SETTINGS, inventory=INVENTORY)
    ids = [
        "t.py::test[east/web-1]",
        "t.py::test[east/web-1-v4.example]",
        "t.py::test[east/web-10]",
        "t.py::test",
        "t.py::test[here-x]@here",
        "t.py::test[there]",
    ]
    assert [made.vantage_in(test_id) for test_id in ids] == [
        "east/web-1",
        "east/web-1",
        "",
        "",
        "here",
        "",
    ]


def test_a_known_gap_is_dated_and_sourced():
    made = V6Session(settings=SETTINGS, inventory=INVENTORY)
    assert made.gap("aws-nlb-without-ipv6-only") == (
        "A network load balancer is ipv4 or dualstack, never IPv6 only. "
        "(since 2023, checked 2026-11-22: botocore 1.43.67 elbv2 (2026-08))"
    )
    assert made.no_gap("aws-nlb-without-ipv6-only") == ""
    assert made.no_gap("nonsense") == "no known gap is called 'nonsense'"


def no_folder():
    raise AssertionError("nothing was captured")


def test_an_explanation_without_a_finding_is_only_a_place():
    made = V6Session(settings=SETTINGS, inventory=INVENTORY)
    assert explain(made, "here", no_folder) == (
        "from       here",
        {"v6_verdict": "", "v6_vantage": "here", "v6_layer": ""},
    )


def test_the_lab_is_declared_and_not_brought_up():
    made = open_session(Settings(lab_name="unit", guardian_pid=os.getpid()))
    assert made.inventory.environment.lab == "unit"
    assert {"us-east-1", "us-west-2"} <= set(made.inventory.regions)
    with pytest.raises(LabError, match="no lab named unit"):
        require_lab(V6Session(settings=SETTINGS, inventory=made.inventory))


def test_a_lab_that_cannot_be_had_is_asked_for_once_and_no_finding_of_a_host(monkeypatch):
    asked = []

    def join_lab(*args):
        asked.append(args)
        raise LabError("no radvd")

    made = V6Session(
        settings=SETTINGS,
        inventory=open_session(Settings(lab_name="unit", guardian_pid=1)).inventory,
    )
    monkeypatch.setattr("pytest_v6probe.session.join_lab", join_lab)
    for _ in range(2):
        with pytest.raises(Unobserved, match="no radvd") as caught:
            addresses(made.vantage("client"))
        assert (caught.value.reason, type(caught.value)) == ("no-lab", Unobserved)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        (
            {"regions": ("us-esat-1",)},
            InventoryError,
            "the lab has no region 'us-esat-1', did you mean 'us-east-1'",
        ),
        ({"fault": "no-such-fault"}, LabError, "no-such-fault"),
        ({"fault": "no-ra", "environment": Path("prod.toml")}, LabError, "v6probe lab break"),
        ({"environment": Path("/nonexistent/prod.toml")}, InventoryError, "/nonexistent/prod.toml"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes, error, said):
    with pytest.raises(error, match=said):
        open_session(Settings(**({"lab_name": "unit", "guardian_pid": 1} | changes)))


@pytest.mark.parametrize(
    ("changes", "creates"),
    [
        ({}, True),
        ({"environment": Path("prod.toml")}, False),
        ({"environment": Path("prod.toml"), "disruptive": True}, True),
    ],
)
def test_things_may_be_created_on_a_lab_of_this_run_and_where_that_is_said(changes, creates):
    assert Settings(lab_name="unit", guardian_pid=1, **changes).creates is creates


def test_a_node_is_asked_from_a_pod_on_it_only_where_one_may_be_made():
    node = Host(name="n", role=Role.NODE, cluster="k", debug_image="python:3")
    known = Inventory(
        environment=INVENTORY.environment,
        hosts=(node,),
        clusters=(Cluster(name="k", families=("ipv6",)),),
    )
    made = V6Session(settings=replace(SETTINGS, environment=Path("prod.toml")), inventory=known)
    with pytest.raises(VantageUnreachable) as why:
        _ = made.vantage("n").agent
    assert why.value.reason == "not-disruptive"


def test_what_the_ladder_said_is_forgotten_after_a_disruptive_test(monkeypatch):
    made = session(monkeypatch, FakeTransport(answer))
    made.begin(disruptive=False)
    finding = Finding(vantage="h", asked="::/0", verdict="absent")
    made.rungs["h", Layer.ROUTE, ""] = finding
    made.begin(disruptive=True)
    kept = dict(made.rungs)
    made.begin(disruptive=False)
    assert (len(kept), made.rungs) == (1, {})


DOCKED = replace(
    INVENTORY,
    hosts=(
        *INVENTORY.hosts,
        Host(
            name="box",
            region="east",
            behind="web-1",
            address=IPv6Address("2001:db8:c::10"),
            container=Container(name="box"),
        ),
    ),
)


@pytest.mark.parametrize(
    ("at", "reached", "carrier", "beyond"),
    [
        pytest.param("here", "2001:db8:c::10", "", "east/web-1", id="a-container-from-outside"),
        pytest.param("here", "2001:db8::1", "", "", id="no-container"),
        pytest.param("here", "", "", "", id="nothing"),
        pytest.param("east/web-1", "2001:db8:c::10", "", "", id="a-container-from-its-host"),
        pytest.param("east/box", "2001:db8::9", "east/web-1", "", id="out-of-a-container"),
        pytest.param("east/box", "2001:db8:c::10", "east/web-1", "", id="within-its-host"),
    ],
)
def test_a_diagnosis_asks_the_hosts_between(monkeypatch, at, reached, carrier, beyond):
    asked = {}

    def diagnose(at, finding, cloud, **between):
        asked.update(between)

    monkeypatch.setattr("pytest_v6probe.diagnose.diagnose", diagnose)
    remote = Endpoint(IPv6Address(reached), 80) if reached else None
    made = session(monkeypatch, FakeTransport(answer), inventory=DOCKED)
    diagnosis(made, Finding(vantage=at, asked="x", verdict="timed-out", remote=remote))
    names = {key: getattr(asked[key], "name", "") for key in ("carrier", "beyond")}
    assert names == {"carrier": carrier, "beyond": beyond}


def test_the_captures_of_a_test_are_its_own_and_not_too_many(monkeypatch, tmp_path):
    made = session(monkeypatch, FakeTransport(answer))
    for number in range(CAPTURES_KEPT + 2):
        made.vantage("here").keep(Caught(f"at-{number}"))
    text, _ = explain(made, "here", lambda: tmp_path)
    made.begin(disruptive=False)
    assert (text.count("(0 packets, 0.0 kB)"), "at-1.pcap" in text) == (CAPTURES_KEPT, False)
    assert explain(made, "here", no_folder)[0] == "from       here"


class Caught:
    """A capture of nothing."""

    pcap = b""

    def __init__(self, vantage):
        self.vantage = vantage
