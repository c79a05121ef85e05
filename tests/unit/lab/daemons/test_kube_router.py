"""Does kube-router enforce policies in the families that it is told, and nothing else?"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_v6probe.lab import running, shapes
from pytest_v6probe.lab.broken.policies import NO_RULES
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE
from pytest_v6probe.lab.daemons.kube_router import RESTORE, SPELT_ALIKE, KubeRouter

HOME = Path("/home-of-it")


@pytest.fixture
def router() -> KubeRouter:
    known = shapes.shape("policies", name="test").daemon("policies/node-1/kube-router")
    assert isinstance(known, KubeRouter)
    return replace(known, command="/somewhere/kube-router")


def test_it_is_a_firewall_alone(router):
    assert router.flags(HOME) == (
        "--kubeconfig=/home-of-it/kubeconfig",
        "--hostname-override=node-1",
        "--run-router=false",
        "--run-service-proxy=false",
        "--run-firewall=true",
        "--enable-ipv6=true",
        "--enable-ipv4=true",
        "--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112",
        "--health-port=0",
        "--metrics-addr=[::1]",
        "--metrics-port=20241",
    )


def test_it_enforces_in_the_families_of_the_ranges_that_it_is_given(router):
    alone = replace(router, services=router.services[:1])
    assert alone.flags(HOME)[5:8] == (
        "--enable-ipv6=false",
        "--enable-ipv4=true",
        "--service-cluster-ip-range=10.96.0.0/16",
    )


def test_the_api_server_knows_it_by_its_certificate(router):
    known = running._certificates(router)[CERTIFICATE_FILE]
    assert (known.name, known.organisation) == ("system:kube-router", "system:kube-router")


def test_it_finds_the_restore_that_spells_sets_alike_before_the_machines_own(router):
    files = router.files(HOME)
    assert set(files) == {RESTORE, "kubeconfig", "supervise"}
    assert "export PATH=/home-of-it/bin:$PATH\n" in files["supervise"]
    assert [(str(one.address), one.port) for one in router.ready()] == [("::1", 20241)]


@pytest.mark.parametrize(
    ("ipv6_rules", "wanted"),
    [
        (
            SPELT_ALIKE,
            "-A X --match-set inet6:KUBE-SRC-A src --match-set inet6:KUBE-DST-B dst\n-A Y\n",
        ),
        (NO_RULES, "-A Y\n"),
    ],
)
def test_rules_name_sets_of_ipv6_addresses_as_these_are_called(
    router, tmp_path, ipv6_rules, wanted
):
    rules = "-A X --match-set KUBE-SRC-A src --match-set inet6:KUBE-DST-B dst\n-A Y\n"
    assert restored(replace(router, ipv6_rules=ipv6_rules), tmp_path, rules) == wanted


def test_neighbours_are_discovered_whatever_a_policy_says(router, tmp_path):
    rules = "-A X -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A Y\n"
    assert restored(router, tmp_path, rules).splitlines() == [
        "-A X -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A X -p icmpv6 --icmpv6-type neighbour-solicitation -j ACCEPT",
        "-A X -p icmpv6 --icmpv6-type neighbour-advertisement -j ACCEPT",
        "-A Y",
    ]


def restored(router: KubeRouter, tmp_path: Path, rules: str) -> str:
    """What the machine's own ip6tables-restore gets of *rules*."""
    (tmp_path / "bin").mkdir()
    shim, own = tmp_path / RESTORE, tmp_path / "ip6tables-restore"
    shim.write_text(router.files(tmp_path)[RESTORE])
    own.write_text('#!/bin/sh\necho "$@"\ncat\n')
    for each in (shim, own):
        each.chmod(0o755)
    said = subprocess.run(
        (str(shim), "-T", "filter"),
        input=rules,
        env={"PATH": f"{shim.parent}:{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    options, _, passed_on = said.stdout.partition("\n")
    assert options == "-T filter"
    return passed_on
