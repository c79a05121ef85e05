"""Is an engine asked as its API wants it, and is its no a value?"""

import base64
import json

import pytest

from pytest_v6probe.errors import DeadlinePassed, VantageUnreachable
from pytest_v6probe.transport.docker import transfer
from pytest_v6probe.transport.docker.sdk import Refusal
from pytest_v6probe.transport.docker.transfer import Pulled, Pushed
from tests.unit.transport.docker.played import VERSION, said

CREATE = "POST /containers/create"
DIGEST = "sha256:" + "cd" * 32


def silence(connection):
    connection.recv(1)


@pytest.mark.parametrize(
    ("newest", "oldest", "agreed"),
    [("1.41", "1.12", "1.41"), ("1.56", "1.40", "1.45"), ("1.45", None, "1.45")],
)
def test_both_sides_speak_the_newest_version_that_they_know(play, opened, newest, oldest, agreed):
    version = {**VERSION, "ApiVersion": newest, "MinAPIVersion": oldest}
    assert opened(play({"GET /version": said(200, version)})).api_version == agreed


@pytest.mark.parametrize(
    "version",
    [
        {},
        {"ApiVersion": "9" * 5000 + ".1"},
        {"ApiVersion": "1.60", "MinAPIVersion": "1.55"},
        {"ApiVersion": "1.10"},
        {"ApiVersion": ["1.41"]},
    ],
)
def test_an_engine_without_a_common_version_is_not_used(play, opened, version):
    with pytest.raises(VantageUnreachable, match="speaks the API") as caught:
        opened(play({"GET /version": said(200, version)}))
    assert (caught.value.reason, len(str(caught.value)) < 800) == ("docker-garbage", True)


def test_a_container_is_a_mapping_or_a_refusal(play, opened):
    engine = opened(play({"GET /containers/web/json": said(200, {"Name": "/web"})}))
    assert engine.inspect("web") == {"Name": "/web"}
    assert engine.inspect("nope") == Refusal(404, "no such thing: GET /containers/nope/json")


def test_an_engine_that_does_not_list_its_containers_is_none(play, opened):
    fake = play({"GET /containers/json": said(200, [{"Id": "c1"}])})
    engine = opened(fake)
    assert engine.containers() == ({"Id": "c1"},)
    fake.script["GET /containers/json"] = said(500, {"message": "no"})
    with pytest.raises(VantageUnreachable, match="status 500: no") as caught:
        engine.containers()
    assert caught.value.reason == "docker-garbage"


def test_a_container_is_made_with_a_label_and_started(play, opened):
    fake = play({CREATE: said(201, {"Id": "c1"}), "POST /containers/c1/start": said(204, b"")})
    ran = opened(fake).run("img", command=["a", "b"], network="six")
    asked = json.loads(fake.bodies[fake.asked.index(CREATE)])
    assert ran == "c1"
    assert (asked["Image"], asked["Cmd"]) == ("img", ["a", "b"])
    assert asked["HostConfig"] == {"NetworkMode": "six"}
    assert asked["Labels"] == {"pytest-v6probe": ""}


def test_a_container_that_does_not_start_is_removed(play, opened):
    fake = play(
        {
            CREATE: said(201, {"Id": "c1"}),
            "POST /containers/c1/start": said(500, {"message": "no\n such network"}),
            "DELETE /containers/c1": said(204, b""),
        }
    )
    assert opened(fake).run("img", command=[]) == Refusal(500, "no such network")
    assert fake.asked[-1] == "DELETE /containers/c1"


def test_an_image_is_there_or_not(play, opened):
    fake = play({"GET /images/reg.example:5000/a/json": said(200, {"Id": "i"})})
    engine = opened(fake)
    assert (engine.has_image("reg.example:5000/a"), engine.has_image("b")) == (True, False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(200, {"status": f"Digest: {DIGEST}"}), Pulled(digest=DIGEST)),
        (said(200, {"error": "manifest unknown"}), Pulled(error="manifest unknown")),
        (
            said(400, {"message": "invalid reference format"}),
            Pulled(error="invalid reference format"),
        ),
        (said(500, b""), Pulled(error="status 500")),
    ],
)
def test_what_became_of_a_pull_is_a_value(play, opened, answer, expected):
    fake = play({"POST /images/create": answer})
    assert opened(fake).pull("[2001:db8::1]:5000/a:1", auth={"username": "u"}) == expected
    head = fake.heads[-1]
    assert "/images/create?fromImage=%5B2001%3Adb8%3A%3A1%5D%3A5000%2Fa&tag=1 " in head
    secret = next(line for line in head.split("\r\n") if line.startswith("X-Registry-Auth: "))
    assert json.loads(base64.urlsafe_b64decode(secret[17:])) == {"username": "u"}


def test_a_pull_without_credentials_sends_none(play, opened):
    fake = play({"POST /images/create": said(200, b"")})
    assert opened(fake).pull("a") == Pulled()
    assert "X-Registry-Auth" not in fake.heads[-1]


def test_what_became_of_a_push_is_a_value(play, opened):
    message = {"status": "Pushed", "id": "aaa"}
    fake = play({"POST /images/reg.example:5000/a/push": said(200, message)})
    assert opened(fake).push("reg.example:5000/a:1") == Pushed(layers=1)
    assert "X-Registry-Auth: e30=" in fake.heads[-1]


def test_a_pull_without_end_is_told_from_an_engine_that_died(play, opened, monkeypatch):
    fake = play({"POST /images/create": silence})
    engine = opened(fake)
    assert engine.pull("a", timeout_s=0.3) == Pulled(error="timed-out: no end within 0.3 s")
    monkeypatch.setattr(transfer, "STILL_THERE_S", 0.2)
    fake.script["GET /version"] = silence
    with pytest.raises(DeadlinePassed):
        engine.pull("a", timeout_s=0.3)


def test_the_users_own_docker_configuration_gives_nothing_away(play, opened, monkeypatch, tmp_path):
    (tmp_path / "config.json").write_text(
        '{"HttpHeaders": {"X-Own": "1"}, "proxies": {"default": {"httpProxy": "http://p:1"}}}'
    )
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    fake = play({CREATE: said(201, {"Id": "c1"}), "POST /containers/c1/start": said(204, b"")})
    assert opened(fake).run("img", command=[]) == "c1"
    assert b"http://p:1" not in b"".join(fake.bodies)
