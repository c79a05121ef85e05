"""How is a program started, or a connection made, in a network namespace of a lab? Its keeper is
asked to.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from threading import Lock
from time import monotonic
from typing import Any

from pytest_v6probe.errors import DaemonNotReady, DeadlinePassed, LabError, VantageUnreachable
from pytest_v6probe.transport import dial
from pytest_v6probe.transport.channel import Channel
from pytest_v6probe.transport.descriptors import DescriptorChannel

MAX_MESSAGE_BYTES = 65536
MAX_DESCRIPTORS = 4
REQUEST_TIMEOUT_S = 10.0


class Keeper:
    """A connection to the keeper of a lab. Threads may share it; their requests follow one another."""

    def __init__(self, connection: socket.socket, *, name: str) -> None:
        self._connection = connection
        self._lock = Lock()
        self.name = name

    @classmethod
    def connect(cls, name: str) -> Keeper:
        """Connect to the keeper of the lab *name*. Raises LabError if there is none."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.connect(f"\0v6probe-{name}")
        except OSError as why:
            connection.close()
            raise LabError(
                f"no lab named {name} is up ({why.strerror}); bring one up: v6probe lab up aws"
            ) from why
        return cls(connection, name=name)

    def request(
        self, message: Mapping[str, Any], *, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Put one request; its reply, and the descriptors that came with it, which are the
        caller's.

        Raises LabError if the keeper says no or is gone, DaemonNotReady if it says that the lab is
        not ready, DeadlinePassed.
        """
        with self._lock:
            octets, descriptors = self._exchange(json.dumps(message).encode("utf-8"), timeout_s)
        try:
            reply = json.loads(octets)
            refused = not reply["ok"]
        except (ValueError, TypeError, KeyError, RecursionError) as why:
            _close_all(descriptors)
            raise LabError(f"the keeper of {self.name} does not speak sense") from why
        if refused:
            _close_all(descriptors)
            text = str(reply.get("error", "no reason given"))
            if reply.get("kind") == "not-ready":
                raise DaemonNotReady(text, reason="not-ready")
            raise LabError(text)
        return reply, descriptors

    def close(self) -> None:
        """Close the connection; the lab stays."""
        self._connection.close()

    def _exchange(self, octets: bytes, timeout_s: float) -> tuple[bytes, tuple[int, ...]]:
        try:
            self._connection.settimeout(timeout_s)
            self._connection.send(octets)
            reply, descriptors, _, _ = socket.recv_fds(
                self._connection, MAX_MESSAGE_BYTES, MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
        except TimeoutError as why:
            self._connection.close()  # a late reply would be taken for the next one's
            raise DeadlinePassed(
                f"the keeper of {self.name} did not answer within {timeout_s:.1f} s",
                reason="deadline-passed",
            ) from why
        except OSError as why:
            raise LabError(f"the keeper of {self.name} is gone ({why.strerror})") from why
        if not reply:
            raise LabError(f"the lab {self.name} is down: its keeper has ended")
        return reply, tuple(descriptors)


class NamespaceTransport:
    """Starts programs in one network namespace of a lab."""

    def __init__(self, keeper: Keeper, namespace: str) -> None:
        self._keeper = keeper
        self._namespace = namespace

    @property
    def name(self) -> str:
        """``netns:NAME``."""
        return f"netns:{self._namespace}"

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        """Start *argv* there. Raises VantageUnreachable if the keeper cannot, DeadlinePassed."""
        descriptors = _ask(
            self._keeper,
            self.name,
            2,
            timeout_s,
            {"do": "agent", "namespace": self._namespace, "argv": list(argv)},
        )
        stream, errors = descriptors
        return DescriptorChannel(
            name=self.name, source=stream, sink=stream, errors=errors, ended=lambda _within_s: ""
        )

    def close(self) -> None:
        """The keeper's connection is the caller's."""


class NamespaceDial:
    """Connects by a socket that the keeper makes in one network namespace of a lab."""

    def __init__(self, keeper: Keeper, namespace: str) -> None:
        self._keeper = keeper
        self._namespace = namespace

    def __call__(self, host: str, port: int, *, timeout_s: float) -> socket.socket:
        """A socket connected to the literal *host*. Raises VantageUnreachable."""
        end = monotonic() + timeout_s
        where = f"netns:{self._namespace}"
        try:
            address = ip_address(host)
        except ValueError as why:
            raise VantageUnreachable(
                f"{where}: {host} is no literal address; names are not looked up from a namespace",
                reason="name-error",
            ) from why
        (descriptor,) = _ask(
            self._keeper,
            where,
            1,
            timeout_s,
            {
                "do": "socket",
                "namespace": self._namespace,
                "family": address.version,
                "type": "stream",
            },
        )
        return dial.connect(
            socket.socket(fileno=descriptor), (host, port), timeout_s=end - monotonic()
        )


def _ask(
    keeper: Keeper, where: str, count: int, timeout_s: float, message: Mapping[str, Any]
) -> tuple[int, ...]:
    try:
        _, descriptors = keeper.request(message, timeout_s=timeout_s)
    except LabError as why:
        raise VantageUnreachable(f"{where}: {why}", reason="lab") from why
    if len(descriptors) != count:
        _close_all(descriptors)
        raise VantageUnreachable(
            f"{where}: the keeper gave {len(descriptors)} descriptors for "
            f"{message['do']}, not {count}",
            reason="lab",
        )
    return descriptors


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
