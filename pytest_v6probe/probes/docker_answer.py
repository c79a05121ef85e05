"""What does an engine's API answer on its socket? One GET asked, one JSON object read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import replies
from pytest_v6probe.rfc import rfc9112

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.agent.wire import Operation, Reply

MAX_BYTES = 1 << 19
"""A longer answer is garbage: /info has some 10 kB, a network with 1,000 containers 250 kB."""

_NOT_RUNNING = frozenset({"refused", "closed", "reset"})


def get(socket: str, target: str, *, timeout_s: float) -> Operation:
    """Ask *target* of the engine behind *socket*, a path below /run or /var/run at the vantage."""
    send = rfc9112.request("GET", "docker", target)
    return wire.unix(socket, send, max_bytes=MAX_BYTES, timeout_s=timeout_s)


def read(reply: Reply) -> tuple[str, Mapping[str, Any]]:
    """Why there is no answer, ``""`` if there is one, and the object.

    ``not-running``, ``not-permitted`` (the agent may not use the socket: set the host's `sudo`),
    ``garbage``, ``status-404`` and the like, ``unanswered``, ``stalled``, …
    """
    if reply.outcome in _NOT_RUNNING or (reply.outcome == "error" and reply.detail == "ENOENT"):
        return "not-running", {}
    if reply.outcome == "too-large":
        return "garbage", {}
    if reply.outcome != "answered":
        return replies.stage(reply), {}
    try:
        response = rfc9112.parse(reply.payload, ended=True)
        said = json.loads(response.body)
    except (ValueError, RecursionError):
        return "garbage", {}
    if response.status != 200:
        return f"status-{response.status}", {}
    return ("", said) if isinstance(said, dict) and response.complete else ("garbage", {})


def inner(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object at *key*; an empty one if there is none."""
    value = said.get(key)
    return value if isinstance(value, dict) else {}


def items(said: Mapping[str, Any], key: str, *, most: int = 4096) -> list[Any]:
    """The list at *key*, its first *most* entries; an empty one if there is none."""
    value = said.get(key)
    return value[:most] if isinstance(value, list) else []


def text(said: Mapping[str, Any], key: str) -> str:
    """The text at *key*, fit to be shown; empty if there is none."""
    value = said.get(key)
    return replies.shown(value) if isinstance(value, str) else ""


def flag(said: Mapping[str, Any], key: str) -> bool | None:
    """The truth at *key*; None if there is none."""
    value = said.get(key)
    return value if isinstance(value, bool) else None
