"""Is a local socket asked by GET only, and only where such sockets lie?"""

from __future__ import annotations

import pytest

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import Agent
from tests.unit.agent.world import World

GET = b"GET /version HTTP/1.1\r\nHost: docker\r\n\r\n"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"Version": "29"}'
SERVE = """
import os, socket, sys
os.chdir(sys.argv[1])
s = socket.socket(socket.AF_UNIX)
s.bind("socket")
s.listen(8)
print("up", os.getpid(), flush=True)
while True:
    c = s.accept()[0]
    open("asked", "ab").write(c.recv(65536))
    c.sendall({answer!r})
    c.recv(1)
"""


@pytest.fixture
def served(world: World) -> World:
    """A server on /run/socket and one on /tmp/…/socket that note what they are asked."""
    world.sh("mkdir /run/in /run/out; mount --bind /run/out /mnt")
    for place in ("/run/in", "/mnt"):
        script = SERVE.format(answer=ANSWER).replace('"', '\\"')
        world.sh(
            f'cd /; {world.python} -c "{script}" {place} >{place}/log 2>&1 </dev/null & '
            f"until grep -q up {place}/log; do sleep 0.02; done"
        )
    return world


def ask(agent: Agent, path: str, send: bytes = GET, **kwargs) -> wire.Reply:
    return agent.run([wire.unix(path, send, **kwargs)])[0]


def test_a_get_is_answered(served: World, recorder: Agent):
    reply = ask(recorder, "/run/in/socket")
    assert (reply.outcome, reply.payload) == ("answered", ANSWER)
    assert (reply.local, reply.remote) == (None, None)
    assert (served.run / "in/asked").read_bytes() == GET


@pytest.mark.parametrize(
    "send",
    [
        b"",
        b"POST /containers/create HTTP/1.1\r\nHost: docker\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\n\nPOST / HTTP/1.1\n\n",
        b"GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\n{}{}",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n\r\n\r\n",
    ],
)
def test_what_is_more_than_one_get_is_refused(served: World, recorder: Agent, send: bytes):
    reply = ask(recorder, "/run/in/socket", send)
    assert (reply.outcome, reply.detail, reply.payload) == ("not-permitted", "EPERM", b"")
    assert not (served.run / "in/asked").exists()


@pytest.mark.parametrize(
    "path", ["/mnt/socket", "/run/../mnt/socket", "/run/link", "socket", "", "/run"]
)
def test_a_socket_elsewhere_is_refused(served: World, recorder: Agent, path: str):
    (served.run / "link").symlink_to("/mnt/socket")
    reply = ask(recorder, path)
    assert (reply.outcome, reply.detail) == ("not-permitted", "EPERM")
    assert not (served.run / "out/asked").exists()


def test_what_is_not_there_or_nobody_serves_is_told_apart(served: World, recorder: Agent):
    (served.run / "file").write_bytes(b"")
    replies = [ask(recorder, "/run/" + name) for name in ("nothing", "file", "a" * 200)]
    assert [(reply.outcome, reply.detail) for reply in replies[:2]] == [
        ("error", "ENOENT"),
        ("refused", "ECONNREFUSED"),
    ]
    assert replies[2].outcome == "error"


def test_a_server_that_says_nothing_is_waited_for_as_long_as_asked(served: World, recorder: Agent):
    served.sh("kill -STOP $(sed s/up// /run/in/log)")
    reply = ask(recorder, "/run/in/socket", timeout_s=0.3)
    assert (reply.outcome, reply.payload) == ("timed-out", b"")


def test_an_answer_of_more_than_the_limit_is_cut(served: World, recorder: Agent):
    assert served.run
    reply = ask(recorder, "/run/in/socket", max_bytes=20)
    assert (reply.outcome, reply.payload) == ("too-large", ANSWER[:20])
