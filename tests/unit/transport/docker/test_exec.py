"""Is a program run in a container, or beside one without python3, and is a hostile one bounded?"""

import json
import sys
import time
from typing import Any

import pytest

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, VantageUnreachable
from pytest_v6probe.transport.docker.exec import DockerTransport
from tests.unit.transport.docker.played import frame, run, said

ATTACH = "POST /containers/h1/attach"
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\n\r\n"


def helped(play, processes):
    """An engine whose container has no python3, and that runs another beside it."""

    def attach(connection):
        connection.sendall(UPGRADED)
        argv = json.loads(fake.bodies[fake.asked.index("POST /containers/create")])
        processes.append(run([sys.executable, *argv["Cmd"]], connection))
        processes[-1].wait(20)

    fake = play(
        {
            "POST /containers/create": said(201, {"Id": "h1"}),
            ATTACH: attach,
            "POST /containers/h1/start": said(204, b""),
            "DELETE /containers/h1": said(204, b""),
        }
    )
    return fake


def test_beside_a_container_without_python_a_helper_shares_its_network(play, opened):
    processes: list[Any] = []
    fake = helped(play, processes)
    transport = DockerTransport(opened(fake), "web", helper_image="python:3")
    agent = open_agent(transport, python="/nonexistent/python3")
    assert agent.run([wire.resolve("::1")])[0].fields["addresses"] == ["::1"]
    agent.close()
    asked = json.loads(fake.bodies[fake.asked.index("POST /containers/create")])
    assert asked["Image"] == "python:3"
    assert asked["Entrypoint"] == ["/nonexistent/python3"]
    assert (asked["OpenStdin"], asked["StdinOnce"]) == (True, True)
    assert asked["HostConfig"] == {"NetworkMode": "container:web", "AutoRemove": True}
    assert fake.asked[-1] == "DELETE /containers/h1"
    assert processes[0].wait(5) is not None


def test_a_container_with_python_gets_no_helper(play, opened):
    fake = helped(play, [])
    agent = open_agent(
        DockerTransport(opened(fake), "web", helper_image="python:3"), python=sys.executable
    )
    assert agent.run([wire.resolve("::1")])[0].outcome == "answered"
    agent.close()
    assert "POST /containers/create" not in fake.asked


def test_without_a_helper_a_container_without_python_is_named_with_the_cure(play, opened):
    with pytest.raises(AgentUnusable, match="install Python") as caught:
        open_agent(DockerTransport(opened(play()), "web"), python="/nonexistent/python3")
    assert caught.value.reason == "no-python3"


def test_a_helper_image_that_is_not_there_is_named_with_the_cure(play, opened):
    fake = play({"POST /containers/create": said(404, {"message": "No such image: python:3"})})
    transport = DockerTransport(opened(fake), "web", helper_image="python:3")
    with pytest.raises(AgentUnusable, match="No such image: python:3; pull an image") as caught:
        open_agent(transport, python="/nonexistent/python3")
    assert caught.value.reason == "no-python3"


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "container-absent"), (409, "container-stopped"), (500, "container-refused")],
)
@pytest.mark.parametrize("asked", ["POST /containers/web/exec", "POST /exec/0/start"])
def test_a_container_that_takes_no_program_is_unreachable(play, opened, status, reason, asked):
    fake = play({asked: said(status, {"message": "container web: not so"})})
    with pytest.raises(VantageUnreachable, match="container web: not so") as caught:
        open_agent(DockerTransport(opened(fake), "web"))
    assert caught.value.reason == reason


def given_away(octets, times=1):
    def send(connection):
        connection.sendall(UPGRADED + octets)
        for _ in range(times - 1):
            connection.sendall(octets)
        connection.recv(1)

    return send


def test_octets_that_came_with_the_head_are_not_lost(play, opened):
    fake = play({"POST /exec/0/start": given_away(frame(1, b"soon"))})
    channel = DockerTransport(opened(fake), "web").start(("x",), timeout_s=5)
    assert channel.receive(timeout_s=5) == b"soon"
    channel.close()


def test_errors_without_end_are_bounded_and_never_output(play, opened):
    fake = play({"POST /exec/0/start": given_away(frame(2, b"y" * 60000), times=10**6)})
    channel = DockerTransport(opened(fake), "web").start(("x",), timeout_s=5)
    begun = time.monotonic()
    with pytest.raises(DeadlinePassed):
        channel.receive(timeout_s=0.5)
    assert time.monotonic() - begun < 3
    assert len(channel.last_words()) < 3000
    channel.close()


def test_what_is_not_frames_is_garbage(play, opened):
    fake = play({"POST /exec/0/start": given_away(b"HTTP/1.1 200 OK\r\n")})
    with pytest.raises(AgentUnusable, match="does not begin a frame") as caught:
        open_agent(DockerTransport(opened(fake), "web"))
    assert caught.value.reason == "agent-garbage"


def test_a_program_that_fills_its_output_says_no_hello(play, opened):
    fake = play({"POST /exec/0/start": given_away(frame(1, b"y" * 60000), times=100)})
    with pytest.raises(AgentUnusable, match="no hello in the first 64 KiB"):
        open_agent(DockerTransport(opened(fake), "web"))


def test_a_closed_channel_takes_nothing(play, opened):
    channel = DockerTransport(opened(play()), "web").start((sys.executable, "-c", ""), timeout_s=5)
    channel.close()
    with pytest.raises(AgentUnusable, match="the program is gone"):
        channel.send(b"x", timeout_s=1)
