"""How is a host changed, and put back? The client of the actor: a program started there as root."""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any

from pytest_v6probe.agent import bootstrap
from pytest_v6probe.errors import AgentUnusable
from pytest_v6probe.transport.channel import SUDO, printable

if TYPE_CHECKING:
    from pytest_v6probe.transport.channel import Channel, Transport

PARTS = ("payload.py", "payload_routes.py", "payload_watchdog.py")
MAX_HEARD_BYTES = 8 << 20
SLACK_S = 5.0
"""How much longer than its own time a request may take: for the way there and back."""
FILE_S = 10.0
PUT_BACK_S = 300.0
"""How long putting back may take: routers are waited for, an engine may be restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a program ended: *status* is its exit status, None if it did not end within its time."""

    status: int | None
    output: bytes


def open_actor(
    transport: Transport,
    *,
    python: str = "python3",
    sudo: bool = False,
    vantage: str = "",
    timeout_s: float = 10.0,
) -> Actor:
    """Start an actor by *python* through *transport*, with *sudo* by ``sudo -n``.

    Raises VantageUnreachable, DeadlinePassed, or AgentUnusable (reasons ``no-python3``,
    ``python-too-old``, ``not-root``: it runs, but may not change the machine; ``agent-died``).
    """
    end, nonce = monotonic() + timeout_s, secrets.token_hex(8)
    argv = (*(SUDO if sudo else ()), python, "-I", "-S", "-c", bootstrap.LINE)
    name = vantage or transport.name
    channel = transport.start((*argv, nonce, str(len(payload())), "1"), timeout_s=timeout_s)
    actor = Actor(channel, vantage=name)
    try:
        channel.send(payload(), timeout_s=end - monotonic())
        actor.greet(f"{bootstrap.MARK}{nonce}:".encode("ascii"), end)
    except BaseException:
        actor.close()
        raise
    return actor


@cache
def payload() -> bytes:
    """The actor in one piece."""
    return bootstrap.joined("pytest_v6probe.actions", PARTS)


class Actor:
    """An actor on a host. Requests follow one another, also after one whose reply was not waited
    for; after any other error it is of no use any more.
    """

    def __init__(self, channel: Channel, *, vantage: str) -> None:
        self._channel = channel
        self._vantage = vantage
        self._heard = b""
        self._last_id = 0

    def run(self, argv: Sequence[str], *, timeout_s: float, max_bytes: int = 65536) -> Ran:
        """Run *argv* as root, to its end or for *timeout_s*. Raises Unobserved if it cannot be
        started, or contact is lost.
        """
        said = self._ask(
            {"op": "run", "argv": list(argv), "timeout_s": timeout_s, "max_bytes": max_bytes},
            within_s=timeout_s,
        )
        if said["outcome"] == "error":
            raise self._unusable("no-program", f"{argv[0]} does not start: {said.get('detail')}")
        status = said.get("status")
        return Ran(status=status if isinstance(status, int) else None, output=_octets(said))

    def read(self, path: str) -> bytes | None:
        """The octets of the file *path*; None where there is none. Raises Unobserved."""
        said = self._file({"op": "read", "path": path})
        return None if said["outcome"] == "missing" else _octets(said)

    def write(self, path: str, octets: bytes) -> None:
        """Put *octets* in the place of the file *path* at once; owner, mode and label stay. Raises
        Unobserved.
        """
        self._file({"op": "write", "path": path, "payload": b64encode(octets).decode("ascii")})

    def delete(self, path: str) -> None:
        """Delete the file *path*, if it is there. Raises Unobserved."""
        self._file({"op": "delete", "path": path})

    def arm(
        self,
        *,
        deadline_s: float,
        files: Sequence[str] = (),
        afterwards: Sequence[Sequence[str]] = (),
    ) -> str:
        """Leave a watchdog behind; its name.

        If it is not told otherwise within *deadline_s* seconds it puts back *files*, the sysctls
        and the default routes as they are now, and then runs *afterwards* (with *files*: only if
        one of them had changed). Raises Unobserved, with reason ``armed-already`` where another
        run's is armed.
        """
        said = self._file(
            {
                "op": "arm",
                "deadline_s": deadline_s,
                "files": list(files),
                "afterwards": [list(argv) for argv in afterwards],
            }
        )
        if said["outcome"] == "armed-already":
            raise self._unusable(
                "armed-already",
                f"another run's watchdog is armed for {said.get('left_s', 0):.0f} s more; wait for it",
            )
        return str(said["watchdog"])

    def disarm(self, watchdog: str) -> tuple[str, ...]:
        """Send *watchdog* away; what it did, where it had fired before. Raises Unobserved."""
        return self._told("disarm", watchdog, PUT_BACK_S)

    def put_back(self, watchdog: str, *, timeout_s: float = PUT_BACK_S) -> tuple[str, ...]:
        """Have *watchdog* put back now what differs, and go; what it did, a line for each. Raises
        Unobserved.
        """
        return self._told("put-back", watchdog, timeout_s)

    def close(self) -> None:
        """End the actor; watchdogs stay."""
        self._channel.close()

    def greet(self, mark: bytes, end: float) -> None:
        """Wait for the hello behind *mark*, whatever a login printed before. Raises Unobserved."""
        said = self._line(end, after=mark)
        if said.startswith(bootstrap.TOO_OLD.encode("ascii")):
            raise self._unusable("python-too-old", f"python {printable(said[8:28])} is too old")
        hello = self._read(said)
        if hello.get("uid") != 0:
            raise self._unusable(
                "not-root",
                f"it runs as user {hello.get('uid')}, who may not change the machine; "
                "set the host's `sudo = true`",
            )

    def _told(self, word: str, watchdog: str, timeout_s: float) -> tuple[str, ...]:
        said = self._ask(
            {"op": word, "watchdog": watchdog, "timeout_s": timeout_s}, within_s=timeout_s
        )
        if said["outcome"] in {"gone", "error", "timed-out"}:
            raise self._unusable("watchdog-gone", f"its watchdog did not answer: {said['outcome']}")
        log = said.get("log")
        return tuple(map(str, log)) if isinstance(log, list) else ()

    def _file(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        said = self._ask(request, within_s=FILE_S)
        if said["outcome"] == "error":
            detail = printable(str(said.get("detail")).encode())
            raise self._unusable(
                "not-permitted" if detail in {"EPERM", "EACCES", "EROFS"} else "failed",
                f"{request['op']} {request.get('path', '')}: {detail}",
            )
        return said

    def _ask(self, request: Mapping[str, Any], *, within_s: float) -> Mapping[str, Any]:
        end = monotonic() + within_s + SLACK_S
        self._last_id += 1
        line = json.dumps({**request, "id": self._last_id}).encode("ascii") + b"\n"
        self._channel.send(line, timeout_s=end - monotonic())
        said: Mapping[str, Any] = {}
        for _ in range(self._last_id):  # replies that nobody waited for come first
            said = self._read(self._line(end))
            if said.get("id") not in range(1, self._last_id):
                break
        if not isinstance(said.get("outcome"), str):
            raise self._unusable("agent-garbage", f"no reply: {said!r:.200}")
        return said

    def _line(self, end: float, *, after: bytes = b"") -> bytes:
        while True:
            before, found, behind = (
                self._heard.partition(after) if after else (b"", b"", self._heard)
            )
            line, ended, rest = behind.partition(b"\n")
            if ended and (found or not after):
                self._heard = rest
                return line
            octets = self._channel.receive(timeout_s=max(0.0, end - monotonic()))
            if not octets:
                words = " ".join((printable(self._heard[-500:]), self._channel.last_words()))
                raise self._never_spoke(words)
            self._heard += octets
            if len(self._heard) > MAX_HEARD_BYTES:
                raise self._unusable("agent-garbage", f"no line: {printable(before[:200])}")

    def _read(self, line: bytes) -> Mapping[str, Any]:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise self._unusable("agent-garbage", f"it says {printable(line[:200])}")
        return said

    def _never_spoke(self, words: str) -> AgentUnusable:
        if "sudo" in words:
            why = "no root by sudo without a password"
            return self._unusable("not-root", f"{why} ({words.strip()})")
        if "not found" in words.lower() or "no such file" in words.lower():
            return self._unusable("no-python3", f"no python3 there ({words.strip()})")
        return self._unusable("agent-died", f"it ended ({words.strip()})")

    def _unusable(self, reason: str, why: str) -> AgentUnusable:
        return AgentUnusable(
            f"actor at {self._vantage}: {why}", reason=reason, vantage=self._vantage
        )


def _octets(said: Mapping[str, Any]) -> bytes:
    payload = said.get("payload")
    return b64decode(payload) if isinstance(payload, str) else b""
