"""Does the client of a lab's keeper name what goes wrong, and leak nothing?"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from pytest_v6probe.errors import DaemonNotReady, DeadlinePassed, LabError, VantageUnreachable
from pytest_v6probe.transport.netns import Keeper, NamespaceDial, NamespaceTransport

Reply = tuple[bytes, list[int]]


@pytest.fixture
def keeper() -> Iterator[Callable[[Callable[[dict], Reply]], Keeper]]:
    """A keeper's client whose requests are answered by the function."""
    threads: list[Thread] = []
    clients: list[Keeper] = []

    def made(answer: Callable[[dict], Reply]) -> Keeper:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        def serve() -> None:
            with theirs:
                while octets := theirs.recv(65536):
                    said, descriptors = answer(json.loads(octets))
                    if said:
                        socket.send_fds(theirs, [said], descriptors)

        threads.append(Thread(target=serve, daemon=True))
        threads[-1].start()
        clients.append(Keeper(ours, name="test"))
        return clients[-1]

    yield made
    for client in clients:
        client.close()
    for thread in threads:
        thread.join(5)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_request_is_answered(keeper):
    asked: list[dict] = []

    def answer(message: dict) -> Reply:
        asked.append(message)
        return b'{"ok": true, "inventory": "[environment]"}', []

    reply = keeper(answer).request({"do": "wait", "timeout_s": 3}, timeout_s=1)
    assert reply == ({"ok": True, "inventory": "[environment]"}, ())
    assert asked == [{"do": "wait", "timeout_s": 3}]


def test_no_lab_is_a_lab_error_with_the_command_that_helps():
    with pytest.raises(LabError, match="v6probe lab up"):
        Keeper.connect("no-such-lab")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b'{"ok": false, "error": "no fault named x", "kind": "lab"}', LabError),
        (b'{"ok": false, "error": "BIND is not up", "kind": "not-ready"}', DaemonNotReady),
        (b'{"ok": false}', LabError),
        (b"{", LabError),
        (b"[]", LabError),
        (b"7", LabError),
        (b"{}", LabError),
        (b"[" * 60000, LabError),
        (b"", DeadlinePassed),
    ],
)
def test_a_no_and_nonsense_are_errors_and_descriptors_are_closed(keeper, said: bytes, error: type):
    client = keeper(lambda _: (said, [0, 1]))
    before = open_descriptors()
    with pytest.raises(error):
        client.request({"do": "status"}, timeout_s=0.2)
    assert open_descriptors() <= before


def test_a_keeper_that_ends_is_told(keeper):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client = Keeper(ours, name="test")
    theirs.close()
    with pytest.raises(LabError, match=r"gone|down"):
        client.request({"do": "status"})
    client.close()


def test_a_vantage_is_unreachable_when_the_keeper_cannot(keeper):
    client = keeper(lambda _: (b'{"ok": false, "error": "no namespace x", "kind": "lab"}', []))
    with pytest.raises(VantageUnreachable, match="netns:x: no namespace x") as caught:
        NamespaceTransport(client, "x").start(["python3"], timeout_s=1)
    assert caught.value.reason == "lab"
    with pytest.raises(VantageUnreachable, match="no namespace x"):
        NamespaceDial(client, "x")("2001:db8::1", 22, timeout_s=1)


def test_too_many_or_too_few_descriptors_are_refused_and_closed(keeper):
    client = keeper(lambda _: (b'{"ok": true}', [0]))
    before = open_descriptors()
    with pytest.raises(VantageUnreachable, match="gave 1 descriptors for agent, not 2"):
        NamespaceTransport(client, "x").start(["python3"], timeout_s=1)
    assert open_descriptors() == before


def test_a_socket_is_made_there_and_connected_here(keeper):
    made: list[socket.socket] = []

    def answer(message: dict) -> Reply:
        made.append(socket.socket(socket.AF_INET6 if message["family"] == 6 else socket.AF_INET))
        return b'{"ok": true}', [made[-1].fileno()]

    dial = NamespaceDial(keeper(answer), "client")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        with dial("::1", listener.getsockname()[1], timeout_s=1) as sock:
            assert sock.getpeername()[:2] == listener.getsockname()[:2]
        with pytest.raises(VantageUnreachable, match="no literal address") as caught:
            dial("web.test", 22, timeout_s=1)
    assert caught.value.reason == "name-error"
    for one in made:
        one.close()
