"""What does each action on an engine do, and what does it leave to be put back?"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from threading import Thread
from typing import Any

import pytest

from pytest_v6probe.actions import docker
from pytest_v6probe.actions.actor import Ran
from pytest_v6probe.actions.docker import (
    NETWORK,
    SUBNET,
    daemon_json,
    first_ipv6_network,
    merged,
    restart_engine,
)
from pytest_v6probe.agent.client import Agent
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory.model import Docker, Host
from pytest_v6probe.vantage import Vantage

RESTART = ("systemctl", "restart", "docker")
FILE = "/etc/docker/daemon.json"


class Told:
    """An actor, and an engine, that note what they are told."""

    def __init__(self, *, file=None, status: int | None = 0, output=b"failed\x1b[0m\n"):
        self.file, self.status, self.output = file, status, output
        self.told: list[tuple] = []

    def run(self, argv, *, timeout_s):
        self.told.append(("run", argv, timeout_s))
        return Ran(status=self.status, output=self.output)

    def read(self, path):
        return self.file

    def write(self, path, octets):
        self.told.append(("write", path, json.loads(octets)))

    def close(self):
        self.told.append(("close",))


def told(**how: Any) -> Any:
    return Told(**how)


def no_agent() -> Agent:
    raise AssertionError("the engine and the actor are enough")


SPEC = Docker(host="docker-1")


def host(engine=None, docker=SPEC) -> Vantage:
    return Vantage(
        name="docker-1",
        region="",
        host=Host(name="docker-1", local=True),
        connect=no_agent,
        prefixes=lambda _: frozenset(),
        docker=docker,
        open_engine=lambda: engine,
    )


def test_a_restart_runs_the_command_of_the_inventory():
    actor = told()
    plan = restart_engine().plan(host(), actor)
    assert (plan.files, plan.afterwards, actor.told) == ((), (), [])
    assert plan.do(20.0) == ""
    assert actor.told == [("run", RESTART, 20.0)]


@pytest.mark.parametrize(
    ("status", "said"),
    [(1, "exit status 1"), (None, "did not end in time")],
    ids=["fails", "hangs"],
)
def test_an_engine_that_does_not_come_back_is_said(status, said):
    refused = restart_engine().plan(host(), told(status=status)).do(20.0)
    assert refused == f"systemctl restart docker: {said} (failed\N{REPLACEMENT CHARACTER}[0m)"


CREATED = b'HTTP/1.0 201 Created\r\nServer: Docker\r\n\r\n{"Id": "7"}'
REFUSED = b'HTTP/1.0 400 Bad Request\r\n\r\n{"message": "IPv6 forwarding is off"}\n'


def test_a_first_network_is_made_on_the_host_itself_and_removed_by_the_watchdog():
    actor = told(output=CREATED)
    plan = first_ipv6_network().plan(host(), actor)
    assert plan.do(20.0) == ""
    ((_, argv, timeout_s),) = actor.told
    assert (argv[0], argv[5:8], timeout_s) == (
        "python3",
        ("/var/run/docker.sock", "POST", "/networks/create"),
        20.0,
    )
    assert json.loads(argv[8]) == {
        "Name": NETWORK,
        "EnableIPv6": True,
        "IPAM": {"Config": [{"Subnet": SUBNET}]},
        "Labels": {"pytest-v6probe": ""},
    }
    assert plan.files == ()
    assert [after[5:] for after in plan.afterwards] == [
        ("/var/run/docker.sock", "DELETE", f"/networks/{NETWORK}", "")
    ]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (REFUSED, "IPv6 forwarding is off"),
        (b"HTTP/1.0 500 x\r\n\r\n[[", "HTTP/1.0 500 x [["),
        (b"PermissionError\x1b", "PermissionError\N{REPLACEMENT CHARACTER}"),
        (b"", "no answer"),
    ],
)
def test_an_engine_that_refuses_a_network_is_said(output, said):
    refused = first_ipv6_network().plan(host(), told(output=output)).do(20.0)
    assert refused == f"the engine refused it: {said}"


@pytest.mark.parametrize("word", ["POST", "DELETE"])
def test_the_program_that_asks_the_engine_speaks_http(word, tmp_path):
    place = str(tmp_path / "docker.sock")
    heard: list[bytes] = []

    def serve():
        with server.accept()[0] as peer:
            heard.append(peer.recv(65536))
            peer.sendall(CREATED)

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(place)
        server.listen()
        thread = Thread(target=serve)
        thread.start()
        body = '{"a": 1}' if word == "POST" else ""
        ran = subprocess.run(
            [sys.executable, "-I", "-S", "-c", docker._ASK, place, word, "/x", body],
            capture_output=True,
            check=True,
            timeout=30,
        )
        thread.join(10)
    head, _, sent = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(f"{word} /x HTTP/1.0\r\nHost: docker\r\n".encode())
    assert f"Content-Length: {len(body)}".encode() in head
    assert (sent, ran.stdout) == (body.encode(), CREATED)


@pytest.mark.parametrize(
    ("was", "expected"),
    [
        (None, {"ipv6": True}),
        (b"", {"ipv6": True}),
        (b'{"debug": true, "ipv6": false}', {"debug": True, "ipv6": True}),
    ],
    ids=["no-file", "empty", "merged"],
)
def test_daemon_json_is_merged_and_the_engine_restarted(was, expected):
    actor = told(file=was)
    action = daemon_json({"ipv6": True, "experimental": None})
    plan = action.plan(host(), actor)
    assert (plan.files, plan.afterwards, actor.told) == ((FILE,), (RESTART,), [])
    assert plan.do(20.0) == ""
    assert actor.told == [("write", FILE, expected), ("run", RESTART, 20.0)]
    assert action.name == "daemon.json with experimental, ipv6"


@pytest.mark.parametrize(
    ("octets", "where"),
    [
        (b'{\n  "ipv6": true,\n}', "line 3 column 1"),
        (b"ipv6: true", "line 1 column 1"),
        (b"[]", "line 1 column 1: not an object"),
        (b"\xff", "invalid start byte"),
        (b"[" * 100000, "recursion"),
    ],
    ids=["comma", "yaml", "list", "binary", "deep"],
)
def test_a_daemon_json_that_is_not_json_is_left_as_it_was(octets, where):
    actor = told(file=octets)
    with pytest.raises(Unobserved, match=where) as caught:
        daemon_json({"ipv6": True}).plan(host(), actor)
    assert (caught.value.reason, actor.told) == ("not-json", [])
    assert "docker-1:/etc/docker/daemon.json is not JSON" in str(caught.value)


def test_a_host_without_an_engine_is_told():
    for action in (restart_engine(), first_ipv6_network(), daemon_json({})):
        with pytest.raises(Unobserved) as caught:
            action.plan(host(docker=None), told())
        assert caught.value.reason == "no-engine-given"


def test_nothing_else_of_daemon_json_changes():
    assert merged(b'{"a": [1]}', {"b": None}, file="f") == b'{\n    "a": [\n        1\n    ]\n}\n'
