"""Are the credentials of ~/.docker/config.json found as docker finds them, and never shown?"""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.linux.docker_config import (
    Credentials,
    DockerConfig,
    parse,
    read_helper,
)

SECRET = "hunter2-of-the-registry"
ALICE = Credentials(username="alice", password=SECRET)


def encoded(text=f"alice:{SECRET}") -> str:
    return b64encode(text.encode()).decode()


def config(**document) -> DockerConfig:
    return parse(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"auth": encoded()}, ALICE),
        ({"auth": encoded(f"alice:{SECRET}\0\0")}, ALICE),
        ({"username": "alice", "password": SECRET}, ALICE),
        ({"auth": encoded("a:b:c")}, Credentials(username="a", password="b:c")),
        ({"identitytoken": SECRET}, Credentials(identity_token=SECRET)),
        ({"auth": "%%%"}, None),
        ({}, None),
        ("x", None),
    ],
)
def test_an_entry_is_read(entry, expected):
    assert config(auths={"r.example:5000": entry}).stored("r.example:5000") == expected


@pytest.mark.parametrize(
    ("key", "domain", "found"),
    [
        ("https://index.docker.io/v1/", "docker.io", True),
        ("https://index.docker.io/v1/", "registry-1.docker.io", True),
        ("https://r.example/v1/", "r.example", True),
        ("r.example", "r.example", True),
        ("r.example", "r.example:5000", False),
        ("r.example", "evil-r.example", False),
    ],
)
def test_an_entry_is_found_by_its_registry(key, domain, found):
    stored = config(auths={key: {"auth": encoded()}}).stored(domain)
    assert stored == (ALICE if found else None)


def test_a_registry_has_its_own_helper_and_the_store_is_for_the_rest():
    known = config(
        credsStore="desktop", credHelpers={"r.example": "ecr-login", "docker.io": "pass"}
    )
    asked = [known.helper(domain) for domain in ("r.example", "docker.io", "x.example")]
    assert asked == ["ecr-login", "pass", "desktop"]
    assert config().helper("r.example") == ""


@pytest.mark.parametrize(
    "octets",
    [
        b"{" + SECRET.encode(),
        b"[]",
        b"[" * 100_000,
        bytes(2 << 20),
        json.dumps({"credsStore": "../../bin/sh"}).encode(),
        json.dumps({"credHelpers": {"r": ["x"]}}).encode(),
    ],
    ids=range(6),
)
def test_what_is_no_configuration_is_refused_without_its_content(octets):
    with pytest.raises(ValueError, match=r"configuration|credential helper") as refused:
        parse(octets)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ServerURL": "r", "Username": "alice", "Secret": SECRET}, ALICE),
        ({"Username": "<token>", "Secret": SECRET}, Credentials(identity_token=SECRET)),
    ],
)
def test_a_helpers_answer_is_read(answer, expected):
    assert read_helper(json.dumps(answer).encode()) == expected


@pytest.mark.parametrize("answer", [SECRET, [SECRET], {"Secret": SECRET}, {"Username": "a"}])
def test_another_answer_is_refused_without_its_content(answer):
    with pytest.raises(ValueError, match="credential helper") as refused:
        read_helper(json.dumps(answer).encode())
    assert SECRET not in str(refused.value)


def test_no_secret_is_shown():
    held = (ALICE, Credentials(identity_token=SECRET), config(auths={"r": {"auth": encoded()}}))
    assert SECRET not in repr(held)
    assert ALICE.secrets == (SECRET,)


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: json.dumps({"auths": {"a": {"auth": text}}}).encode())
)
def test_anything_is_read_or_refused(octets):
    try:
        found = parse(octets)
    except ValueError:
        return
    assert isinstance(found, DockerConfig)
