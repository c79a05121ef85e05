"""Is what is known of each cloud sourced, dated, and found when it is asked for?"""

import re
from dataclasses import fields
from datetime import date
from ipaddress import ip_address, ip_network

import pytest

from pytest_v6probe.clouds.model import Cloud, Cure, KnownGap
from pytest_v6probe.clouds.registry import CLOUDS, cloud, known_gaps
from pytest_v6probe.result import Layer

FACTS = [
    (known, field.name)
    for known in CLOUDS.values()
    for field in fields(Cloud)
    if field.name not in {"name", "sources", "gaps", "cures"}
    and getattr(known, field.name) is not None
]


def test_the_local_services_of_aws_are_those_of_its_documentation():
    aws = cloud("aws")
    assert aws.metadata is not None
    found = (aws.resolver, aws.metadata.address, aws.time_server, aws.pod_identity)
    assert found == tuple(
        map(ip_address, ("fd00:ec2::253", "fd00:ec2::254", "fd00:ec2::123", "fd00:ec2::23"))
    )
    assert aws.nat64_prefix == ip_network("64:ff9b::/96")


def test_each_metadata_service_has_its_own_kind():
    kinds = {name: known.metadata and known.metadata.kind for name, known in CLOUDS.items()}
    assert kinds == {"aws": "session-token", "azure": None, "gcp": "flavor-header"}


@pytest.mark.parametrize(("known", "field"), FACTS, ids=lambda value: getattr(value, "name", value))
def test_every_fact_has_a_source_and_a_date(known, field):
    (source,) = [source for source in known.sources if source.value == field]
    assert source.where
    assert source.checked >= date(2026, 11, 22)


def test_no_source_is_for_a_fact_that_is_not_there():
    assert {(k.name, s.value) for k in CLOUDS.values() for s in k.sources} == {
        (k.name, f) for k, f in FACTS
    }


@pytest.mark.parametrize(
    ("layer", "verdict", "expected"),
    [
        (Layer.SYNTHESIS, "no-aaaa", "modify-subnet-attribute --subnet-id <subnet> --enable-dns64"),
        (Layer.SYNTHESIS, "wrong-prefix", "describe-dhcp-options"),
        (Layer.TCP, "dns64-without-nat64", "--destination-ipv6-cidr-block 64:ff9b::/96"),
        (Layer.TCP, "timed-out", "authorize-security-group-ingress"),
        (Layer.TCP, "refused", "ss -6 -ltn"),
        (Layer.HTTP, "off", "--http-endpoint enabled --http-protocol-ipv6 enabled"),
        (Layer.HTTP, "token-unanswered", "--http-put-response-hop-limit 2"),
        (Layer.ANSWER, "nodata", "--enable-resource-name-dns-aaaa-record"),
        (Layer.RA, "not-accepted", "accept_ra=2"),
        (Layer.PATH_MTU, "black-hole-down", "FromPort=2"),
        (Layer.TLS, "tls-error", "-verify_hostname <name>"),
        (Layer.TLS, "tls-unanswered", "packet-too-big accept"),
        (Layer.CONFIGURATION, "other-servers", "server fd00:ec2::123"),
    ],
)
def test_the_most_specific_cure_is_given(layer, verdict, expected):
    cure = cloud("aws").cure(layer, verdict)
    assert cure is not None
    assert expected in cure.command


def test_a_layer_without_a_cure_has_none():
    assert cloud("azure").cure(Layer.SYNTHESIS, "no-aaaa") is None


@pytest.mark.parametrize("known", CLOUDS.values(), ids=lambda known: known.name)
def test_cures_are_whole(known):
    assert all(isinstance(cure, Cure) and cure.cause and cure.command for cure in known.cures)
    assert all(re.fullmatch(r"[a-z0-9-]*", cure.verdict) for cure in known.cures)


def test_every_gap_has_an_id_of_its_own_and_a_source():
    gaps = known_gaps()
    assert len({gap.id for gap in gaps}) == len(gaps)
    assert all(gap.statement and gap.source and gap.notice and gap.checked for gap in gaps)


def test_every_row_of_the_talk_that_is_a_gap_is_there():
    assert {gap.row for gap in known_gaps()} == {"A-gap", "B-gap", "E3", "F4", "I-gap"}


def test_a_gap_is_found_by_its_id_and_knows_whether_it_is_open():
    aws = cloud("aws")
    found: KnownGap = aws.gap("aws-public-ecr-without-aaaa")
    assert found.open
    assert not aws.gap("aws-instance-connect-needs-public-ipv4").open
    with pytest.raises(KeyError):
        aws.gap("no-such-gap")


def test_an_unknown_cloud_is_a_key_error():
    with pytest.raises(KeyError):
        cloud("nimbus")
