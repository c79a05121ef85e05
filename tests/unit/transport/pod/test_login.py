"""Does an API server learn who asks, and is it said where it does not take that?"""

import base64
import json
import re

import pytest

from pytest_v6probe.errors import DeadlinePassed, VantageUnreachable
from pytest_v6probe.lab.certificates import Certificate, authority
from pytest_v6probe.transport.pod.api import open_api
from tests.unit.transport.pod.failures import failure
from tests.unit.transport.pod.played import refusal, said


def client(fake, name="client", days=1, by=None):
    """A user with a certificate of its own."""
    file = fake.place / f"{name}.pem"
    wanted = Certificate(name="somebody", organisation="testers", days=days)
    (by or fake.authority).issue(wanted, file)
    return {"client-certificate": f"{name}.pem", "client-key": f"{name}.pem"}


def names(fake):
    """Makes the server say 401 to everybody."""
    fake.script["GET /version"] = refusal(401, "Unauthorized")


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"tokenFile": "token", "token": "old"}, ["Authorization: Bearer from-a-file"]),
        ({"username": "u", "password": "p"}, ["Authorization: Basic dTpw"]),
        (
            {"token": "t", "as": "other", "as-groups": ["a", "b"]},
            [
                "Authorization: Bearer t",
                "Impersonate-User: other",
                "Impersonate-Group: a",
                "Impersonate-Group: b",
            ],
        ),
        ({}, []),
    ],
)
def test_each_kind_of_user_says_who_it_is(fake, user, expected):
    (fake.place / "token").write_text("from-a-file\n")
    open_api(fake.spec(user)).close()
    lines = fake.heads[0].split("\r\n")
    assert [line for line in lines if line.startswith(("Auth", "Imp"))] == expected


def test_a_client_certificate_is_shown(fake):
    seen = []

    def look(connection, _head):
        seen.append(connection.getpeercert()["subject"])
        connection.sendall(said(200, {}))

    fake.script["GET /version"] = look
    open_api(fake.spec(client(fake))).close()
    assert seen == [((("organizationName", "testers"),), (("commonName", "somebody"),))]


def test_the_data_of_a_certificate_may_stand_in_the_kubeconfig(fake):
    client(fake)
    data = base64.b64encode((fake.place / "client.pem").read_bytes()).decode()
    open_api(fake.spec({"client-certificate-data": data, "client-key-data": data})).close()
    assert fake.asked == ["GET /version"]


def test_an_expired_token_is_said(fake):
    names(fake)
    kind, reason, words = failure(fake.spec())
    assert (kind, reason) == (VantageUnreachable, "unauthorized")
    assert "401 Unauthorized: it does not know this user, or its token has expired" in words


def test_an_expired_client_certificate_is_said_with_its_end(fake):
    names(fake)
    fake._context.verify_mode = 0
    kind, reason, words = failure(fake.spec(client(fake, days=-1)))
    assert (kind, reason) == (VantageUnreachable, "unauthorized")
    assert re.search(r"the client certificate expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC", words)


def test_a_client_certificate_that_the_server_refuses_is_said(fake):
    stranger = client(fake, "stranger", by=authority())
    kind, reason, words = failure(fake.spec(stranger))
    assert (kind, reason) == (VantageUnreachable, "client-certificate")
    assert "the server refuses the client certificate" in words


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"client-certificate": "/nonexistent"}, "/nonexistent: No such file or directory"),
        ({"client-certificate-data": "eHg=", "client-key-data": "eHg="}, "do not fit each other"),
        ({"client-certificate-data": 7}, "is no PEM"),
        ({"client-certificate-data": "/////w=="}, "is no PEM"),
    ],
)
def test_a_client_certificate_that_cannot_be_read_is_said(fake, user, expected):
    kind, reason, words = failure(fake.spec(user))
    assert (kind, reason, expected in words) == (VantageUnreachable, "client-certificate", True)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"tokenFile": "/nonexistent"}, "tokenFile /nonexistent: No such file"),
        ({"token": "a\r\nX-Injected: 1"}, "characters that no token has"),
    ],
)
def test_a_token_that_cannot_be_used_is_said(fake, user, expected):
    kind, reason, words = failure(fake.spec(user))
    assert (kind, reason, expected in words) == (VantageUnreachable, "kubeconfig", True)


def test_a_plugin_is_asked_once_and_again_where_its_token_is_refused(fake):
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "made"},
    }
    plugin, count = fake.place / "plugin", fake.place / "count"
    plugin.write_text(f"#!/bin/sh\necho x >> {count}\necho '{json.dumps(answer)}'\n")
    plugin.chmod(0o755)
    said_of_it = {"apiVersion": answer["apiVersion"], "command": "./plugin"}
    api = open_api(fake.spec({"exec": said_of_it}))
    api.get("/version")
    asked_once = count.read_text()
    fake.script["GET /version"] = [refusal(401, "Unauthorized")]
    status = api.get("/version").status
    names(fake)
    with pytest.raises(VantageUnreachable) as caught:
        api.get("/version")
    api.close()
    assert (asked_once, status, caught.value.reason) == ("x\n", 200, "unauthorized")
    assert count.read_text() == "x\n" * 3


def test_a_plugin_that_gives_an_expired_token_is_asked_each_time(fake):
    status = {"token": "made", "expirationTimestamp": "2020-01-01T00:00:00Z"}
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    }
    plugin, count = fake.place / "plugin", fake.place / "count"
    plugin.write_text(f"#!/bin/sh\necho x >> {count}\necho '{json.dumps(answer)}'\n")
    plugin.chmod(0o755)
    api = open_api(fake.spec({"exec": {"apiVersion": answer["apiVersion"], "command": "./plugin"}}))
    before = count.read_text()
    api.get("/version")
    api.close()
    assert len(count.read_text()) > len(before)


def test_a_plugin_that_hangs_is_given_up_in_time(fake):
    plugin = fake.place / "plugin"
    plugin.write_text("#!/bin/sh\nsleep 60\n")
    plugin.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin"}}
    kind, reason, _ = failure(fake.spec(user), timeout_s=0.5)
    assert (kind, reason) == (DeadlinePassed, "exec-plugin")
