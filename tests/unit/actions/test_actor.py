"""Does the actor do what it is told on a host, within its bounds, and say why it cannot?"""

from __future__ import annotations

import ast
import sys

import pytest

from pytest_v6probe.actions import actor as client
from pytest_v6probe.actions.actor import Actor, Ran, open_actor
from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved
from pytest_v6probe.transport.local import LocalTransport
from tests.unit.actions.conftest import AS_ROOT
from tests.unit.agent.conftest import HERE, python_of


class Root(LocalTransport):
    """Starts programs as root, at least of a user namespace."""

    def start(self, argv, *, timeout_s):
        return super().start((*AS_ROOT, *argv), timeout_s=timeout_s)


@pytest.fixture(scope="module", params=HERE[:1] + HERE[-1:])
def actor(request):
    running = open_actor(Root(), python=python_of(request.param) or sys.executable)
    yield running
    running.close()


def test_a_program_ends_with_its_status_and_output(actor):
    ran = actor.run(("sh", "-c", "echo out; echo err >&2; exit 3"), timeout_s=5)
    assert ran == Ran(status=3, output=b"out\nerr\n")


def test_a_program_that_does_not_end_is_killed_in_time(actor):
    ran = actor.run(("sh", "-c", "echo begun; sleep 60"), timeout_s=0.5)
    assert ran == Ran(status=None, output=b"begun\n")


def test_output_beyond_its_bound_is_dropped(actor):
    ran = actor.run(("head", "-c", "5000000", "/dev/zero"), timeout_s=5, max_bytes=10)
    assert ran == Ran(status=0, output=bytes(10))


def test_a_daemon_that_keeps_the_output_open_is_not_waited_for(actor):
    ran = actor.run(("sh", "-c", "sleep 20 & echo started"), timeout_s=10)
    assert ran == Ran(status=0, output=b"started\n")


def test_a_program_that_is_not_there_is_not_a_result(actor):
    with pytest.raises(Unobserved, match="no-such-program does not start: ENOENT") as caught:
        actor.run(("no-such-program",), timeout_s=5)
    assert caught.value.reason == "no-program"


def test_a_file_is_replaced_and_keeps_mode_and_owner(actor, tmp_path):
    file, link = tmp_path / "daemon.json", tmp_path / "link.json"
    file.write_text("old")
    file.chmod(0o640)
    actor.run(("chown", "12:34", str(file)), timeout_s=5)
    link.symlink_to(file)
    actor.write(str(link), b"new")
    assert (actor.read(str(file)), link.is_symlink()) == (b"new", True)
    assert actor.run(("stat", "-c", "%a %u:%g", str(file)), timeout_s=5).output == b"640 12:34\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["daemon.json", "link.json"]


def test_a_new_file_can_be_read_and_deleted(actor, tmp_path):
    file = tmp_path / "new"
    assert actor.read(str(file)) is None
    actor.write(str(file), b"\x00\xff")
    assert (actor.read(str(file)), file.stat().st_mode & 0o777) == (b"\x00\xff", 0o644)
    actor.delete(str(file))
    actor.delete(str(file))
    assert actor.read(str(file)) is None


@pytest.mark.parametrize(
    "path",
    ["/dev/zero", "/proc", "/no/such/directory/file"],
    ids=["device", "directory", "nowhere"],
)
def test_what_is_no_file_is_not_written(actor, path):
    with pytest.raises(Unobserved):
        actor.write(path + "/x" if path == "/dev/zero" else path, b"x")


def test_what_is_no_regular_file_is_not_read(actor):
    with pytest.raises(Unobserved, match="EINVAL"):
        actor.read("/dev/zero")


def test_the_actor_is_of_the_standard_library():
    tree = ast.parse(client.payload(), feature_version=(3, 6))
    modules = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        )
    }
    assert modules <= sys.stdlib_module_names


class Saying:
    """A transport whose program says *words* and ends."""

    name = "saying"

    def __init__(self, out: bytes = b"", words: str = "") -> None:
        self.out, self.words = [out], words

    def start(self, argv, *, timeout_s):
        nonce = argv[-3].encode()
        self.out = [part.replace(b"NONCE", nonce) for part in self.out]
        return self

    def send(self, octets, *, timeout_s):
        assert octets

    def receive(self, *, timeout_s):
        return self.out.pop() if self.out else b""

    def last_words(self):
        return self.words

    def close(self):
        self.out = []


@pytest.mark.parametrize(
    ("saying", "reason"),
    [
        (Saying(words="sudo: a password is required exit status 1"), "not-root"),
        (Saying(words="sh: python3: command not found"), "no-python3"),
        (Saying(words="killed"), "agent-died"),
        (Saying(b'\nv6probe:NONCE:{"uid": 1000}\n'), "not-root"),
        (Saying(b"\nv6probe:NONCE:too-old 3.5\n"), "python-too-old"),
        (Saying(b"\nv6probe:NONCE:[1]\n"), "agent-garbage"),
        (Saying(b"x" * (9 << 20)), "agent-garbage"),
    ],
    ids=["sudo", "no-python", "killed", "user", "old", "list", "flood"],
)
def test_why_there_is_no_actor_is_said(saying, reason):
    with pytest.raises(AgentUnusable) as caught:
        open_actor(saying)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "out", [b"[]\n", b"{}\n", b'{"outcome": 7}\n', b"\xff\n", b"[" * 99999 + b"\n"], ids=range(5)
)
def test_garbage_is_no_reply(out):
    with pytest.raises(AgentUnusable) as caught:
        Actor(Saying(out), vantage="host").read("/etc/hosts")
    assert caught.value.reason == "agent-garbage"


def test_the_reply_to_a_request_that_was_interrupted_is_not_taken_for_the_next_one():
    late = b'{"outcome": "answered", "status": 0, "payload": "", "id": 1}\n'
    saying = Saying()
    actor = Actor(saying, vantage="host")
    with pytest.raises(AgentUnusable):
        actor.run(("true",), timeout_s=0.1)
    saying.out = [late + b'{"outcome": "answered", "log": ["done"], "id": 2}\n']
    assert actor.put_back("1-2") == ("done",)


class Mute(Saying):
    """A program that says nothing."""

    def receive(self, *, timeout_s):
        raise DeadlinePassed("silence", reason="deadline-passed")


def test_a_silent_actor_passes_the_deadline():
    with pytest.raises(DeadlinePassed):
        Actor(Mute(), vantage="host").run(("true",), timeout_s=0.1)
