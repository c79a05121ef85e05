"""Namespaces that recorders may be started in: nothing of them outlives a test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import PIPE, Popen, run
from time import monotonic, sleep
from typing import Any

from pytest_v6probe.agent import wire_records
from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.transport.channel import Channel
from pytest_v6probe.transport.local import LocalTransport

ROOT = os.geteuid() == 0
SEND_FRAME = (
    "import socket,sys;s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);"
    "s.bind(('far',0));s.send(bytes.fromhex(sys.argv[1]))"
)


class Inside:
    """Starts programs in a world. Closing it ends nothing."""

    name = "world"

    def __init__(self, prefix: Sequence[str]) -> None:
        self.prefix = prefix

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        return LocalTransport().start((*self.prefix, *argv), timeout_s=timeout_s)

    def close(self) -> None:
        """Nothing is shared."""


class World:
    """No network but a loopback, an empty /run, and process ids of its own, from 1."""

    def __init__(self, python: str) -> None:
        self.python = python
        user = () if ROOT else ("--map-root-user",)
        script = "mount -t tmpfs run /run && ip link set lo up && echo up && exec cat"
        argv = ("unshare", *user, "-pmnf", "--mount-proc", "--kill-child", "sh", "-c", script)
        self.process = Popen(argv, stdin=PIPE, stdout=PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"up\n"
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        first = children.split()[0]
        whose = () if ROOT else ("-U", "--preserve-credentials")
        self.enter = ("nsenter", *whose, "-p", "-m", "-n", "-t", first, "--")
        self.run = Path(f"/proc/{first}/root/run")

    def agent(self, *prefix: str) -> Agent:
        """Another agent, started by *prefix*."""
        return open_agent(Inside((*self.enter, *prefix)), python=self.python)

    def sh(self, script: str) -> str:
        """What a shell in it writes."""
        done = run([*self.enter, "sh", "-ec", script], stdout=PIPE, check=True, timeout=20)
        return done.stdout.decode("ascii")

    def pid_of(self, recording: str) -> int:
        """The process that records it, as the world counts."""
        found = self.sh(f"ls -l /proc/[0-9]*/fd/* 2>/dev/null | grep {recording}/record")
        return int(found.partition("/proc/")[2].partition("/")[0])

    def end(self) -> None:
        """Everything that runs in it ends."""
        self.process.communicate(timeout=20)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what must come."""
    deadline = monotonic() + 10
    while not holds():
        assert monotonic() < deadline
        sleep(0.02)


def advertise(world: World, lifetime_s: int = 1800) -> bytes:
    """Send one router advertisement from ``far`` to ``near``; the IPv6 packet."""
    from scapy.layers.inet6 import ICMPv6ND_RA, IPv6
    from scapy.layers.l2 import Ether

    packet = IPv6(src="fe80::1", dst="ff02::1", hlim=255) / ICMPv6ND_RA(routerlifetime=lifetime_s)
    frame = bytes(Ether(src="02:00:00:00:00:01", dst="33:33:00:00:00:01") / packet)
    world.sh(f'{world.python} -c "{SEND_FRAME}" {frame.hex()}')
    return frame[14:]


def begin(agent: Agent, kind: str, **kwargs: Any) -> str:
    """Start a recorder; its id."""
    wanted = {"for_s": 60, "max_bytes": 1 << 20, **kwargs}
    reply = agent.run([wire_records.record(kind, **wanted)])[0]
    assert (reply.outcome, reply.detail) == ("answered", "")
    return str(reply.fields["recording"])


def finish(agent: Agent, recording: str) -> bytes:
    """End a recorder; its whole file."""
    stopped, whole = agent.run([wire_records.stop_recording(recording)]), b""
    assert stopped[0].outcome == "answered"
    while len(whole) < stopped[0].fields["size_bytes"]:
        whole += read(agent, recording, offset=len(whole)).payload
    return whole


def read(agent: Agent, recording: str, **kwargs: Any) -> Reply:
    """The recording, or some of it."""
    return agent.run([wire_records.recorded(recording, **kwargs)])[0]


def lines(octets: bytes) -> list[dict[str, Any]]:
    """The lines of a flight recording."""
    return [json.loads(line) for line in octets.splitlines()]


def ended(agent: Agent, recording: str) -> Reply:
    """Wait for a recorder that ends by itself."""
    eventually(lambda: bool(read(agent, recording).fields["ended"]))
    return read(agent, recording)
