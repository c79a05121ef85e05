"""AWS services over IPv6 (BRKIPV-3927, rows D1 and D2): do their dual-stack names answer, natively?"""

from __future__ import annotations

import pytest

from pytest_v6probe import Image, Path, Site, Vantage, capture, http, lookup, pull_chain

pytestmark = pytest.mark.v6_lab("registry")


# Row D1, curl http://s3.dualstack.us-west-2.amazonaws.com/


def test_the_dual_stack_name_of_s3_has_an_ipv6_address(docker_host: Vantage, s3_site: Site) -> None:
    answer = lookup(docker_host, s3_site.name, "AAAA")
    assert answer.verdict == "answered"


def test_s3_answers_natively_over_ipv6(docker_host: Vantage, s3_site: Site) -> None:
    page = http(docker_host, s3_site.url, ca=s3_site.ca)
    assert page.answered
    assert page.path is Path.NATIVE


# Row D2, docker pull from the public gallery of ECR, with tcpdump


def test_a_pull_from_ecr_public_is_ipv6_to_its_last_hop(
    docker_host: Vantage, ecr_public_image: Image
) -> None:
    with capture(docker_host, ports=[443]) as seen:
        chain = pull_chain(docker_host, ecr_public_image)
    assert chain.verdict == "complete"
    assert chain.path is Path.NATIVE
    assert seen.packets.verdict == "ipv6-only"
