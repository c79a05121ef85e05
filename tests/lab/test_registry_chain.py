"""What do scenarios not say of real registries: private images, the mirror's own word, bounds?"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pytest_v6probe import Image, Vantage, http, pull_chain
from pytest_v6probe.actions.images import engine_pull
from pytest_v6probe.lab.clouds.registry_services import (
    OPERATORS_PORT,
    PASSWORD,
    PRIVATE_IMAGE,
    USER,
)
from pytest_v6probe.rfc import rfc9112
from pytest_v6probe.session import Settings, V6Session, open_session
from pytest_v6probe.transport.docker.credentials import credentials_for
from tests.lab.matrix import lab

PRIVATE = f"{PRIVATE_IMAGE}:latest"


@pytest.fixture(scope="module")
def session() -> Iterator[V6Session]:
    with lab("registry") as (_, environment):
        settings = Settings(
            lab_name="", guardian_pid=0, environment=environment, disruptive=True, timeout_s=20
        )
        with closing(open_session(settings)) as opened:
            yield opened


@pytest.fixture
def host(session: V6Session) -> Vantage:
    return session.vantage("us-west-2/docker-20")


@pytest.fixture
def ca(session: V6Session) -> str:
    (mirrored,) = [image for image in session.inventory.images if image.mirror]
    return session.image(mirrored.id).ca


def test_a_private_image_is_walked_with_the_credentials_of_docker_login(
    host: Vantage, ca: str, tmp_path: Path
):
    secret = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": secret}}}), encoding="utf-8"
    )
    known = credentials_for("docker.io", file=config)
    assert known is not None
    anonymous = pull_chain(host, PRIVATE, ca=ca)
    private = pull_chain(host, PRIVATE, ca=ca, credentials=known)
    assert (anonymous.verdict, private.verdict) == ("unauthorised", "complete")
    assert not [word for word in (PASSWORD, secret) if word in f"{known!r}{private!r}{anonymous!r}"]


def test_wrong_credentials_are_told_from_none(host: Vantage, ca: str, tmp_path: Path):
    config = tmp_path / "config.json"
    secret = b64encode(f"{USER}:wrong".encode()).decode()
    config.write_text(
        json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": secret}}}), encoding="utf-8"
    )
    found = pull_chain(host, PRIVATE, ca=ca, credentials=credentials_for("docker.io", file=config))
    assert found.verdict == "token-refused"


def test_the_mirror_itself_says_that_a_plain_pull_used_it(session: V6Session, host: Vantage):
    (mirrored,) = [image for image in session.inventory.images if image.mirror]
    before = requests(session)
    pulled = engine_pull(host, session.image(mirrored.id))
    assert (pulled.verdict, pulled.mirrored) == ("pulled", True)
    assert requests(session) > before


def requests(session: V6Session) -> int:
    """How many manifests the mirror was asked for, by its operators' page."""
    page = http.ask(f"http://mirror.example.com:{OPERATORS_PORT}/debug/vars")
    client = session.vantage("client")
    reply = client.agent.run(list(page.operations))[0]
    proxy = json.loads(rfc9112.parse(reply.payload, ended=True).body)["registry"]["proxy"]
    return int(proxy["manifests"]["Requests"])


def test_a_pull_that_was_not_there_before_is_not_there_afterwards(
    session: V6Session, host: Vantage
):
    own = next(image for image in session.inventory.images if ":5000/" in image.reference)
    image: Image = session.image(own.id)
    assert not host.engine.has_image(image.reference)
    assert engine_pull(host, image).verdict == "pulled"
    assert not host.engine.has_image(image.reference)
