"""Is an exec plugin run as kubectl runs it, in its time, and nothing of it left?"""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest

from pytest_v6probe.errors import DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.transport.pod import plugin
from pytest_v6probe.transport.pod.plugin import Credential

V1 = "client.authentication.k8s.io/v1"


@pytest.fixture
def program(tmp_path):
    """Writes a plugin in shell."""

    def write(text):
        file = tmp_path / "plugin"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return {"apiVersion": V1, "command": str(file)}

    return write


def given(**status):
    return json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})


def ask(said, *, cluster=None, place="/", within_s=10.0):
    return plugin.ask(
        said, cluster or {}, Path(place), name="kubeconfig f", end=monotonic() + within_s
    )


def failure(said, kind=VantageUnreachable, **kwargs):
    with pytest.raises(Unobserved) as caught:
        ask(said, **kwargs)
    assert (type(caught.value), caught.value.reason) == (kind, "exec-plugin")
    assert "a-secret" not in str(caught.value)
    return str(caught.value)


def test_a_token_comes_with_its_end(program):
    answer = given(token="a-secret", expirationTimestamp="2026-11-23T08:00:00Z")
    found = ask(program(f"echo '{answer}'"))
    assert found == Credential(token="a-secret", expires=datetime(2026, 11, 23, 8, tzinfo=UTC))
    assert "a-secret" not in repr(found)


def test_it_may_give_a_certificate(program):
    answer = given(clientCertificateData="CERT", clientKeyData="KEY")
    assert ask(program(f"echo '{answer}'")) == Credential(certificate="CERT", key="KEY")


def test_it_is_given_arguments_an_environment_and_the_cluster(program, tmp_path):
    said = {
        **program(f'echo "$1|$REGION|$KUBERNETES_EXEC_INFO" > {tmp_path}/seen; exit 3'),
        "args": ["get-token"],
        "env": [{"name": "REGION", "value": "eu"}],
        "provideClusterInfo": True,
    }
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}
    cluster = {"server": "https://[::1]", "extensions": [{"name": "x"}, extension]}
    failure(said, cluster=cluster)
    first, region, info = (tmp_path / "seen").read_text().split("|")
    assert (first, region) == ("get-token", "eu")
    assert json.loads(info) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {"server": "https://[::1]", "config": {"audience": "a"}},
        },
    }


def test_a_relative_command_is_beside_the_kubeconfig(program, tmp_path):
    said = program(f"echo '{given(token='t')}'")
    assert ask({**said, "command": "./plugin"}, place=tmp_path).token == "t"


def test_one_that_is_absent_is_said_with_its_hint():
    said = {"apiVersion": V1, "command": "no-such-plugin", "installHint": "get\nthe AWS CLI"}
    assert failure(said) == (
        "kubeconfig f: exec plugin: there is no no-such-plugin here: get the AWS CLI"
    )


def test_one_that_fails_is_said_with_its_own_words(program):
    said = program("echo a-secret; echo 'the SSO session has expired' >&2; exit 255")
    assert failure(said).endswith("plugin ended with status 255: the SSO session has expired")


def test_one_that_hangs_is_ended_in_time_with_its_children(program, tmp_path):
    said = program(f"sleep 60 & echo $! > {tmp_path}/child; echo 'opening a browser' >&2; wait")
    words = failure(said, DeadlinePassed, within_s=1.0)
    assert words.endswith("gave no credential in time (opening a browser); run it by hand")
    assert gone(int((tmp_path / "child").read_text()))


def test_a_child_that_keeps_its_output_open_keeps_nobody_waiting(program, tmp_path):
    said = program(f"sleep 60 & echo $! > {tmp_path}/child; echo '{given(token='t')}'")
    assert ask(said).token == "t"
    assert gone(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "a-secret",
        "[]",
        given(),
        given(token=7),
        given(token="t", expirationTimestamp="soon"),
        given(token="t").replace("/v1", "/v1beta1"),
        given(token="t").replace("ExecCredential", "Pod"),
        given(token="t\u00e4"),
        "[" * 100000,
    ],
)
def test_garbage_is_no_credential(program, tmp_path, answer):
    (tmp_path / "answer").write_text(answer)
    words = failure(program(f"cat {tmp_path}/answer"))
    assert words.endswith(f"plugin writes is no ExecCredential of {V1}")


def test_output_without_end_is_given_up(program):
    assert failure(program("yes a-secret")).endswith("plugin writes more than a credential has")


@pytest.mark.parametrize(
    "changed",
    [{"apiVersion": "v7"}, {"command": None, "apiVersion": None}, {"env": ["x"]}, {"args": 7}],
)
def test_one_that_is_described_wrongly_is_not_run(changed):
    said = {"apiVersion": V1, "command": "/bin/true", **changed}
    assert failure(said).endswith("is not described as kubectl wants it")


def test_one_that_wants_a_terminal_is_not_run():
    said = {"apiVersion": V1, "command": "/bin/true", "interactiveMode": "Always"}
    assert "wants to ask at a terminal" in failure(said)


def test_one_that_cannot_be_run_is_said(tmp_path):
    file = tmp_path / "plugin"
    file.write_bytes(b"\x7fELF nonsense")
    file.chmod(0o755)
    words = failure({"apiVersion": V1, "command": str(file)})
    assert "cannot be run: Exec format error" in words


def gone(pid):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False
