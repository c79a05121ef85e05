"""Are this machine's credentials for a registry found, whatever its helpers do?"""

import json
import os
from base64 import b64encode
from pathlib import Path

import pytest

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.linux.docker_config import Credentials
from pytest_v6probe.transport.docker.credentials import credentials_for

SECRET = "hunter2-of-the-registry"
ALICE = Credentials(username="alice", password=SECRET)


@pytest.fixture
def config(tmp_path: Path):
    def write(content) -> Path:
        file = tmp_path / "config.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    return write


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def write(script: str) -> None:
        program = tmp_path / "bin" / "docker-credential-lab"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return write


def test_without_a_file_there_are_none(tmp_path):
    assert credentials_for("r.example", file=tmp_path / "config.json") is None


def test_the_file_is_that_of_docker_config(config, monkeypatch):
    auth = b64encode(f"alice:{SECRET}".encode()).decode()
    monkeypatch.setenv(
        "DOCKER_CONFIG", str(config({"auths": {"r.example": {"auth": auth}}}).parent)
    )
    assert credentials_for("r.example") == ALICE
    assert credentials_for("other.example") is None


def test_a_helper_is_asked_for_the_registry_by_its_key(config, helper, tmp_path):
    helper(f'cat > {tmp_path}/asked; echo \'{{"Username":"alice","Secret":"{SECRET}"}}\'')
    file = config({"credHelpers": {"docker.io": "lab"}})
    assert credentials_for("docker.io", file=file) == ALICE
    assert (tmp_path / "asked").read_text() == "https://index.docker.io/v1/"


def test_a_helper_that_knows_none_is_none(config, helper):
    helper("echo 'credentials not found in native keychain'; exit 1")
    assert credentials_for("r.example", file=config({"credsStore": "lab"})) is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exec sleep 30", "no answer within 0.3 s"),
        (f"exec yes {SECRET}", "writes too much"),
        (f"echo {SECRET}", "no JSON object"),
        (f"echo {SECRET}; exit 3", "status 3"),
        (f"exec >&-; echo {SECRET} >&2; exit 1", "status 1"),
    ],
    ids=("hangs", "floods", "garbage", "fails", "says-nothing"),
)
def test_a_helper_that_misbehaves_is_unobserved_and_shows_no_secret(config, helper, script, why):
    helper(script)
    with pytest.raises(Unobserved, match=why) as unobserved:
        credentials_for(
            "r.example",
            file=config({"credsStore": "lab"}),
            timeout_s=0.3 if "sleep" in script else 5,
        )
    assert unobserved.value.reason == "credential-helper"
    assert SECRET not in str(unobserved.value)


def test_a_helper_that_is_not_there_is_unobserved(config):
    with pytest.raises(Unobserved, match=r"docker-credential-nosuch.*cannot be run"):
        credentials_for("r.example", file=config({"credsStore": "nosuch"}))


@pytest.mark.parametrize("content", ["{", '{"credsStore": "../x"}'])
def test_a_file_that_is_none_is_unobserved(config, content):
    with pytest.raises(Unobserved) as unobserved:
        credentials_for("r.example", file=config(content))
    assert unobserved.value.reason == "docker-config"
