"""Is a kubeconfig read as kubectl reads it, and is it said where it cannot be?"""

import base64
import json
from pathlib import Path

import pytest

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.inventory.kube import Cluster
from pytest_v6probe.transport.pod import kubeconfig
from pytest_v6probe.transport.pod.kubeconfig import Settings

YAML = """\
apiVersion: v1
kind: Config
current-context: own
contexts:
- name: own
  context: {cluster: c, user: u}
- name: other
  context: {cluster: c}
clusters:
- name: c
  cluster:
    server: https://[2001:db8::1]:6443/clusters/7/
    certificate-authority: ca.pem
    tls-server-name: api.test
users:
- name: u
  user: {token: a-secret}
"""


def spec(file="", context=""):
    return Cluster(name="c", families=("ipv6",), kubeconfig=str(file), context=context)


def config(**changed):
    said = {
        "current-context": "own",
        "contexts": [{"name": "own", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api.test"}}],
        "users": [{"name": "u", "user": {"token": "a-secret"}}],
    }
    return json.dumps({**said, **changed})


def failure(file, context=""):
    with pytest.raises(VantageUnreachable) as caught:
        kubeconfig.settings(spec(file, context))
    assert "a-secret" not in str(caught.value)
    return caught.value.reason, str(caught.value)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without anything, outside of any cluster."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    return tmp_path


def test_yaml_is_read_with_files_beside_it(tmp_path):
    file = tmp_path / "config"
    file.write_text(YAML)
    (tmp_path / "ca.pem").write_text("PEM")
    assert kubeconfig.settings(spec(file)) == Settings(
        name=f"kubeconfig {file}, context own",
        host="2001:db8::1",
        port=6443,
        path="/clusters/7",
        server_name="api.test",
        authority="PEM",
        user={"token": "a-secret"},
        cluster={
            "server": "https://[2001:db8::1]:6443/clusters/7/",
            "certificate-authority": "ca.pem",
            "tls-server-name": "api.test",
        },
        place=tmp_path,
    )


def test_a_context_may_be_without_a_user(tmp_path):
    file = tmp_path / "config"
    file.write_text(YAML)
    (tmp_path / "ca.pem").write_text("PEM")
    found = kubeconfig.settings(spec(file, "other"))
    assert (found.user, found.url) == ({}, "https://[2001:db8::1]:6443/clusters/7")


def test_no_token_is_shown_with_it(tmp_path):
    file = tmp_path / "config"
    file.write_text(config())
    assert "a-secret" not in repr(kubeconfig.settings(spec(file)))


def test_of_several_files_the_first_that_says_something_has_the_last_word(home, monkeypatch):
    first, second = home / "first", home / "second"
    data = base64.b64encode(b"PEM").decode()
    server = {"server": "https://second.test:1", "certificate-authority-data": data}
    first.write_text(config(clusters=[], contexts=[]))
    second.write_text(
        config(
            **{
                "current-context": "none",
                "clusters": [{"name": "c", "cluster": server}],
                "users": [{"name": "u", "user": {"token": "other"}}],
            }
        )
    )
    monkeypatch.setenv("KUBECONFIG", f"{first}:{home / 'absent'}:{second}")
    found = kubeconfig.settings(spec())
    assert (found.host, found.port, found.authority) == ("second.test", 1, "PEM")
    assert found.user == {"token": "a-secret"}
    assert found.name == f"kubeconfig {first}:{home / 'absent'}:{second}, context own"


def test_without_anything_else_kubectls_own_file_is_read(home):
    (home / ".kube").mkdir()
    (home / ".kube" / "config").write_text(config())
    assert kubeconfig.settings(spec()).url == "https://api.test:443"


def test_in_a_pod_its_account_is_used(home, monkeypatch):
    (home / "token").write_text("a-secret")
    (home / "ca.crt").write_text("PEM")
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", home)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00:10:96::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT_HTTPS", "443")
    assert kubeconfig.settings(spec()) == Settings(
        name=f"the account of this pod, {home}",
        host="fd00:10:96::1",
        port=443,
        authority="PEM",
        user={"tokenFile": str(home / "token")},
    )


def test_an_absent_file_is_named_with_what_writes_one(home):
    reason, said = failure("/nonexistent/config", "prod")
    assert reason == "kubeconfig-absent"
    assert said.startswith("kubeconfig /nonexistent/config, context prod: there is no such file;")
    assert "aws eks update-kubeconfig" in said
    assert failure("")[1].startswith(f"kubeconfig {home}/.kube/config, context (current): ")


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        ("a: [a-secret", "kubeconfig", "is not YAML (line 1)"),
        ("", "kubeconfig", "is no kubeconfig"),
        ("- a\n- b\n", "kubeconfig", "is no kubeconfig"),
        ("{" * 100000, "kubeconfig", "is not YAML"),
        ("\x00", "kubeconfig", "is not YAML"),
        (config(contexts={"a": 1}), "context-absent", "no context 'own'; it has: none"),
        (
            config(**{"current-context": ""}),
            "context-absent",
            "it names no current context; it has: own",
        ),
        (config(clusters=[{"name": "c", "cluster": "x"}]), "kubeconfig", "that is not there"),
        (config(users=[]), "kubeconfig", "a cluster or a user that is not there"),
        (config(clusters=[{"name": "c", "cluster": {}}]), "insecure-kubeconfig", "only https://"),
        (
            config(clusters=[{"name": "c", "cluster": {"server": "http://a-host"}}]),
            "insecure-kubeconfig",
            "its server is 'http://a-host'; only https://",
        ),
        (
            config(
                clusters=[
                    {
                        "name": "c",
                        "cluster": {"server": "https://a", "insecure-skip-tls-verify": True},
                    }
                ]
            ),
            "insecure-kubeconfig",
            "insecure-skip-tls-verify",
        ),
        (
            config(
                clusters=[
                    {"name": "c", "cluster": {"server": "https://a", "proxy-url": "http://p"}}
                ]
            ),
            "kubeconfig",
            "set the cluster's `via`",
        ),
        (
            config(clusters=[{"name": "c", "cluster": {"server": "https://[::1"}}]),
            "kubeconfig",
            "its server or authority cannot be read",
        ),
        (
            config(
                clusters=[
                    {
                        "name": "c",
                        "cluster": {"server": "https://a", "certificate-authority": "/nonexistent"},
                    }
                ]
            ),
            "kubeconfig",
            "/nonexistent: No such file or directory",
        ),
        (
            config(users=[{"name": "u", "user": {"auth-provider": {"name": "gcp"}}}]),
            "kubeconfig",
            "use an exec plugin",
        ),
    ],
)
def test_what_cannot_be_used_is_said_with_the_file_and_the_context(
    tmp_path, text, reason, expected
):
    file = tmp_path / "config"
    file.write_text(text)
    found, said = failure(file)
    assert (found, said.startswith(f"kubeconfig {file}, context ")) == (reason, True)
    assert expected in said


def test_a_context_that_is_not_there_is_said_with_those_that_are(tmp_path):
    file = tmp_path / "config"
    file.write_text(YAML)
    assert failure(file, "prod") == (
        "context-absent",
        f"kubeconfig {file}, context prod: there is no context 'prod'; it has: other, own",
    )


def test_a_file_that_may_not_be_read_or_is_too_long_is_said(tmp_path, monkeypatch):
    file = tmp_path / "config"
    file.write_text(config())
    monkeypatch.setattr(kubeconfig, "MAX_BYTES", 10)
    assert "has more than" in failure(file)[1]

    def refuse(self, _mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert failure(file)[1].endswith("cannot be read: Permission denied")
