"""Do connections of the control path fail with a reason, and in time?"""

from __future__ import annotations

import signal
import socket
import time
from ipaddress import ip_address
from threading import Event
from typing import Any

import pytest

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.result import Endpoint
from pytest_v6probe.transport import dial


def failing(host: str, port: int = 22, timeout_s: float = 1.0) -> VantageUnreachable:
    with pytest.raises(VantageUnreachable) as caught:
        dial.direct(host, port, timeout_s=timeout_s)
    return caught.value


def test_a_literal_is_connected_to_and_both_ends_are_known():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        with dial.direct("::1", port, timeout_s=1) as sock:
            local, remote = dial.ends(sock, "::1", port)
    assert str(remote) == f"[::1]:{port}"
    assert str(getattr(local, "address", None)) == "::1"


def test_of_another_socket_only_a_literal_is_known():
    assert dial.ends(object(), "2001:db8::1", 22)[0] is None
    assert dial.ends(object(), "2001:db8::1", 22)[1] == Endpoint(ip_address("2001:db8::1"), 22)
    assert dial.ends(object(), "bastion", 22) == (None, None)


def test_a_name_is_tried_by_all_its_addresses(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        real = socket.getaddrinfo

        def two(host: str, *args: Any, **kwargs: Any):
            if host != "two.test" or kwargs.get("flags"):
                return real(host, *args, **kwargs)
            return real("127.0.0.1", *args, **kwargs) + real("::1", *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", two)
        with dial.direct("two.test", port, timeout_s=1) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)
        assert failing("two.test", 1).reason == "refused"


def test_a_closed_port_is_refused_and_says_what_to_look_at():
    why = failing("::1", 1)
    assert (why.reason, str(why)) == (
        "refused",
        "connection to [::1]:1: Connection refused: nothing listens there; is sshd running, is the port right?",
    )


def test_a_name_without_an_address_is_a_name_error():
    assert failing("nothing.invalid").reason == "name-error"
    assert failing("a" * 300).reason == "name-error"


def test_a_port_that_fills_up_times_out():
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        listener.listen(0)
        fillers = [socket.socket(socket.AF_INET6) for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        begun = time.monotonic()
        why = failing("::1", listener.getsockname()[1], timeout_s=0.3)
        for filler in fillers:
            filler.close()
    assert (why.reason, time.monotonic() - begun < 2) == ("timed-out", True)


def test_a_proxy_command_is_run_by_the_shell_and_ends_with_its_socket(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("SHELL", "/bin/sh")
    with dial.by_command("cat", name="web-1") as sock:
        sock.settimeout(5)
        sock.sendall(b"hello")
        assert sock.recv(5) == b"hello"
    monkeypatch.setenv("SHELL", "/nonexistent")
    with pytest.raises(VantageUnreachable) as caught:
        dial.by_command("cat", name="web-1")
    assert caught.value.reason == "ssh-config"


def test_what_hangs_is_left_alone_when_the_time_is_over():
    never = Event()
    with pytest.raises(TimeoutError):
        dial.within(0.05, lambda: never.wait(5))
    never.set()
    assert dial.within(1, lambda: "here") == "here"
    with pytest.raises(ValueError, match="invalid literal"):
        dial.within(1, lambda: int("x"))


def test_a_command_that_ignores_the_end_of_its_input_is_hung_up():
    with dial.by_command("sh -c 'echo ready; exec sleep 60'", name="web-1") as sock:
        assert sock.recv(16) == b"ready\n"
        process = sock.process
    assert process is not None
    assert process.wait(10) == -signal.SIGHUP
