"""Is what is known of each registry sourced, dated, and found by a host's name?"""

import re
from datetime import date

import pytest

from pytest_v6probe.clouds.container_registries import REGISTRIES, of

ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("registry-1.docker.io", "docker-hub"),
        ("auth.docker.io", "docker-hub"),
        ("production.cloudflare.docker.com", "docker-hub"),
        ("registry.ipv6.docker.com", "docker-hub-ipv6"),
        ("PUBLIC.ecr.aws.", "ecr-public"),
        ("ecr-public.aws.com", "ecr-public-dual-stack"),
        (f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com", "ecr-private"),
        (f"{ACCOUNT}.dkr-ecr.eu-central-1.on.aws", "ecr-private-dual-stack"),
        ("gcr.io", "google"),
        ("europe-west3-docker.pkg.dev", "google"),
        ("registry.k8s.io", "kubernetes"),
        ("ghcr.io", "github"),
        ("cdn01.quay.io", "quay"),
        ("mcr.microsoft.com", "microsoft"),
        ("s3.dualstack.us-west-2.amazonaws.com", "s3-dual-stack"),
        ("bucket.name.s3.dualstack.us-west-2.amazonaws.com", "s3-dual-stack"),
        ("bucket.s3.us-west-2.amazonaws.com", "s3"),
        ("s3.amazonaws.com", "s3"),
        ("evil-ghcr.io", None),
        ("ghcr.io.example", None),
        ("a" * 300, None),
        ("", None),
    ],
)
def test_a_host_is_found(host, found):
    known = of(host)
    assert (known and known.id) == found


@pytest.mark.parametrize("known", REGISTRIES, ids=lambda known: known.id)
def test_every_row_is_whole(known):
    assert known.ipv6 in {"yes", "no", "partly", "unknown"}
    assert known.note
    assert known.source
    assert re.match(r"20[0-9]{2}", known.seen)
    assert known.checked >= date(2026, 11, 22)
    assert (known.instead != "") == (known.ipv6 in {"no", "unknown"}) or known.id == "github"
    assert all(re.compile(pattern) for pattern in known.hosts)


def test_no_two_rows_have_one_id():
    assert len({known.id for known in REGISTRIES}) == len(REGISTRIES)
