"""Registries over IPv6 (BRKIPV-3927, rows G3 and G4): is every host of a pull there over IPv6, and
does the engine use it?
"""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Image,
    Path,
    Vantage,
    capture,
    docker_engine,
    engine_pull,
    engine_push,
    pull_chain,
)

pytestmark = pytest.mark.v6_lab("registry")

LITERAL = "[2001:db8::1]:5000/alpine"  # the talk's; Engine 20.10 refuses it, 29 takes it


# Row G3, a registry of one's own


def test_every_host_of_a_pull_answers_over_ipv6(docker_host: Vantage, image: Image) -> None:
    chain = pull_chain(docker_host, image)
    assert chain.verdict == "complete"
    assert chain.path is Path.NATIVE


@pytest.mark.disruptive
def test_an_engine_pushes_by_name_over_ipv6_only(
    docker_host: Vantage, pushable_image: Image
) -> None:
    chain = pull_chain(docker_host, pushable_image)
    with capture(docker_host, peers=chain.addresses) as seen:
        pushed = engine_push(docker_host, pushable_image)
    assert pushed.verdict == "pushed"
    assert seen.packets.verdict == "ipv6-only"


@pytest.mark.disruptive
def test_an_engine_pulls_by_name_over_ipv6_only(docker_host: Vantage, direct_image: Image) -> None:
    chain = pull_chain(docker_host, direct_image)
    with capture(docker_host, peers=chain.addresses) as seen:
        pulled = engine_pull(docker_host, direct_image)
    assert pulled.verdict == "pulled"
    assert seen.packets.verdict == "ipv6-only"


@pytest.mark.disruptive
def test_an_engine_wants_a_name_or_takes_the_address_of_a_registry(docker_host: Vantage) -> None:
    pulled = engine_pull(docker_host, LITERAL)
    assert pulled.verdict in {"literal-refused", "pulled"}


# Row G4, Docker Hub and its mirrors


def test_the_engine_is_configured_with_the_mirror(
    docker_host: Vantage, mirrored_image: Image
) -> None:
    engine = docker_engine(docker_host)
    assert mirrored_image.mirror in engine.mirrors


@pytest.mark.disruptive
def test_a_plain_pull_uses_the_mirror(docker_host: Vantage, mirrored_image: Image) -> None:
    pulled = engine_pull(docker_host, mirrored_image)
    assert pulled.verdict == "pulled"
    assert pulled.mirrored
