"""What does a person read?"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import ClassVar

from pytest_v6probe.diagnose import Diagnosis, Rung
from pytest_v6probe.inventory.model import Environment, Host, Inventory, Role
from pytest_v6probe.report import terminal
from pytest_v6probe.result import Endpoint, Finding, Layer, Path


class Seen(Finding):
    layer: ClassVar[Layer] = Layer.TCP


FINDING = Seen(
    vantage="us-east-1/web-1",
    asked="TCP to [64:ff9b::2cd2:6b5d]:80",
    verdict="timed-out",
    path=Path.NAT64,
    local=Endpoint(IPv6Address("2001:db8::1"), 40000),
    remote=Endpoint(IPv6Address("64:ff9b::2cd2:6b5d"), 80),
    elapsed_s=3.0004,
    evidence=("timed-out after 3000 ms", "from fe80::1: \x1b[31mred"),
)
DIAGNOSIS = Diagnosis(
    layer=Layer.TCP,
    cause="no route leads to NAT64",
    cure="aws ec2 create-route …",
    rungs=(
        Rung(layer=Layer.ROUTE, verdict="present", holds=True, line="::/0: present"),
        Rung(layer=Layer.TCP, verdict="timed-out", holds=False, line="TCP: timed-out"),
    ),
)
INVENTORY = Inventory(
    environment=Environment(name="prod", cloud="aws"),
    source="prod.toml",
    hosts=(
        Host(name="web-1", region="us-east-1", local=True),
        Host(name="web-1", region="us-west-2", local=True),
        Host(name="laptop", role=Role.OUTSIDE, local=True),
    ),
)


def test_a_failure_says_everything_that_is_known():
    assert (
        terminal.failure(FINDING, vantage="us-east-1/web-1", way="ssh web-1", diagnosis=DIAGNOSIS)
        == """\
asked      TCP to [64:ff9b::2cd2:6b5d]:80
from       us-east-1/web-1 by ssh web-1
used       [2001:db8::1]:40000 → [64:ff9b::2cd2:6b5d]:80
path       nat64
verdict    timed-out after 3000.4 ms
came back  timed-out after 3000 ms
           from fe80::1: \N{REPLACEMENT CHARACTER}[31mred
ladder     holds  route: ::/0: present
           broken tcp: TCP: timed-out
broken     tcp
cause      no route leads to NAT64
cure       aws ec2 create-route …"""
    )


def test_a_failure_without_a_finding_says_where_it_was():
    assert (
        terminal.failure(None, vantage="us-east-1/web-1", way="local")
        == "from       us-east-1/web-1 by local"
    )


def test_a_failed_diagnosis_is_told():
    text = terminal.failure(
        FINDING, vantage="us-east-1/web-1", way="", undiagnosed="ValueError: no\nsuch thing"
    )
    assert text.endswith("\ndiagnosis  none: ValueError: no\n           such thing")


def test_evidence_has_an_end():
    endless = Seen(vantage="v", asked="a", verdict="x", evidence=("y" * 10_000,) * 100)
    lines = terminal.failure(endless, vantage="v", way="").splitlines()
    assert lines[-1] == f"{'':11}… and 88 lines more"
    assert len(lines) == 4 + terminal.MAX_EVIDENCE_LINES + 1
    assert max(map(len, lines)) == terminal.LABEL_WIDTH + terminal.MAX_LINE + 1


def test_the_header_names_the_environment():
    assert terminal.header(INVENTORY) == [
        "v6probe: environment prod (aws), prod.toml",
        "v6probe: regions us-east-1, us-west-2",
        "v6probe: vantages us-east-1/web-1, us-west-2/web-1, laptop",
    ]


def test_the_header_keeps_to_the_regions_and_tells_the_fault():
    lab = Inventory(environment=INVENTORY.environment, hosts=INVENTORY.hosts)
    assert terminal.header(lab, regions=("us-west-2",), fault="no-ra") == [
        "v6probe: environment prod (aws), the lab, brought up for this run, broken by no-ra",
        "v6probe: regions us-west-2",
        "v6probe: vantages us-west-2/web-1, laptop",
    ]
