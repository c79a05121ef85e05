"""What would an agent say? A scripted one in this process, which speaks the real wire protocol."""

from __future__ import annotations

import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed
from pytest_v6probe.transport.channel import Channel

Operation = dict[str, Any]
Answer = Callable[[Operation], Mapping[str, Any] | None]
"""From an operation to the fields of its reply, ``{"outcome": …, "payload": b"…", …}``, as `wire`
names them.

Octets are encoded on the way. ``None``: no reply ever comes. EOFError raised in it: the agent is
killed.
"""
OLDEST_PYTHON = (3, 6)


class FakeTransport:
    """Starts scripted agents.

    *pythons* maps a program's name to its version; ``""`` is one that never speaks, ``"!words"``
    one that ends with *words* on standard error.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        name: str = "fake",
        noise: bytes = b"",
        pythons: Mapping[str, str] | None = None,
    ) -> None:
        self._answer = answer
        self._name = name
        self._noise = noise
        self._pythons = {"python3": "3.12.0"} if pythons is None else pythons
        self.asked: list[Operation] = []
        """Every operation that was put to the agents, bursts taken apart."""

    @property
    def name(self) -> str:
        """The name it was given."""
        return self._name

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:  # noqa: ARG002 part of Transport
        """Start the agent that *argv* asks for."""
        python, *_, nonce, size, _concurrency = argv
        version = self._pythons.get(python, f"!{python}: command not found")
        words = version[1:] if version.startswith("!") else ""
        spoken = b"" if words else self._first_words(version, nonce)
        return _FakeChannel(self._reply, spoken, int(size), words)

    def close(self) -> None:
        """Nothing is held."""

    def _first_words(self, version: str, nonce: str) -> bytes | None:
        if not version:
            return None
        numbers = tuple(map(int, version.split(".")[:2]))
        hello = (
            json.dumps({"python": version, "uid": 0, "pid": 0})
            if numbers >= OLDEST_PYTHON
            else "too-old {}.{}".format(*numbers)
        )
        return self._noise + f"\nv6probe:{nonce}:{hello}\n".encode("ascii")

    def _reply(self, operation: Operation) -> dict[str, Any] | None:
        if operation["op"] == "udp_burst":
            return self._burst(operation)
        self.asked.append({key: value for key, value in operation.items() if key != "id"})
        said = self._answer(operation)
        if said is None:
            return None
        payload = said.get("payload", b"")
        text = payload if isinstance(payload, str) else b64encode(payload).decode("ascii")
        return {**said, "payload": text, "id": operation["id"]}

    def _burst(self, operation: Operation) -> dict[str, Any] | None:
        """Answer every datagram of a burst by itself, and put the answers together."""
        packed, told = b64decode(operation["payload"]), []
        while packed:
            end = 2 + int.from_bytes(packed[:2], "big")
            question = b64encode(packed[2:end]).decode("ascii")
            told.append(self._reply({**operation, "op": "udp", "payload": question}))
            packed = packed[end:]
        answers = [b64decode(one["payload"]) if one else b"" for one in told]
        times_us = array("I", [int(1e6 * one.get("elapsed_s", 0)) if one else 0 for one in told])
        if array("H", [1]).tobytes() == b"\x01\x00":
            times_us.byteswap()
        first = next((one for one in told if one), None) or {"outcome": "timed-out"}
        return {
            **first,
            "id": operation["id"],
            "outcome": "answered" if any(answers) else first["outcome"],
            "payload": b64encode(b"".join(len(a).to_bytes(2, "big") + a for a in answers)).decode(),
            "times_us": b64encode(times_us.tobytes()).decode("ascii"),
        }


class _FakeChannel:
    """The two ends of a scripted agent's streams."""

    def __init__(
        self,
        reply: Callable[[Operation], dict[str, Any] | None],
        first_words: bytes | None,
        size: int,
        words: str,
    ) -> None:
        self._reply = reply
        self._first_words = first_words
        self._payload_left = size
        self._line = b""
        self._output = b""
        self._ended = first_words == b""
        self._words = words

    def send(self, octets: bytes, *, timeout_s: float) -> None:  # noqa: ARG002 part of Channel
        """Take the payload first, then lines of operations."""
        if self._ended:
            raise AgentUnusable("fake: the program is gone", reason="agent-died")
        if self._payload_left:
            self._payload_left -= len(octets)
            self._output += self._first_words or b""
            return
        *lines, self._line = (self._line + octets).split(b"\n")
        for line in lines:
            self._serve(json.loads(line))

    def receive(self, *, timeout_s: float) -> bytes:  # noqa: ARG002 part of Channel; silence is at once
        """What is there, or the end; silence is known at once, so no time passes."""
        if not self._output and not self._ended:
            raise DeadlinePassed("fake: silence", reason="deadline-passed")
        octets, self._output = self._output, b""
        return octets

    def last_words(self) -> str:
        """Why it ended, if it was made to."""
        return self._words

    def close(self) -> None:
        """The end."""
        self._ended = True

    def _serve(self, operations: Sequence[Operation]) -> None:
        try:
            replies = [self._reply(operation) for operation in operations]
        except EOFError:
            self._ended, self._words = True, "killed by signal 9"
            return
        told = [reply for reply in replies if reply is not None]
        self._output += json.dumps(told).encode("ascii") + b"\n"
