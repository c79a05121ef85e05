"""What does a server say to several requests? One after the other, each whole before the next, on as
few connections as it allows.
"""

import collections
import json
from time import monotonic

from pytest_v6probe.agent.payload import (
    MAX_REPLY_BYTES,
    WOULD_BLOCK,
    Ended,
    failure,
    octets_of,
    text_of,
)
from pytest_v6probe.agent.payload_frames import Response
from pytest_v6probe.agent.payload_streams import collect, connection, deliver, hang_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from pytest_v6probe.agent.payload import Seen, Work

MAX_ASKS = 16
MAX_WAITING = 8
WAITS_S = 2.0
NEVER = float("inf")
WAITING: "Dict[str, Line]" = collections.OrderedDict()


class Line:
    """The connection to one server, of which *facts* are known. There is none at first, nor after a
    response that it does not outlive.
    """

    def __init__(self, op: "Seen") -> None:
        self.op = op
        self.sock: "Any" = None
        self.facts: "Seen" = {}
        self.failed = False
        self.until = 0.0

    def ask(self, ask: "Seen", until: float) -> "Work":
        """Ask once; what came of it, as the reply to an operation of its own would say."""
        begun, reused = monotonic(), self.quiet()
        answer = yield from self.tried(ask, until)
        if reused and not answer["payload"].startswith(b"HTTP/") and monotonic() < until:
            self.close()  # a connection that was kept may have ended meanwhile (RFC 9112 §9.3.1)
            answer = yield from self.tried(ask, until)
        answer["elapsed_s"] = monotonic() - begun
        answer["payload"] = text_of(answer["payload"])
        return answer

    def quiet(self) -> bool:
        """Whether the connection still stands, and nothing came on it that nobody asked for."""
        try:
            if self.sock is not None:
                self.sock.recv(1)
        except OSError as why:
            if type(why).__name__ in WOULD_BLOCK:
                return True
        self.close()
        return False

    def tried(self, ask: "Seen", until: float) -> "Work":
        """Ask on the connection that there is, or on a further one."""
        answer: "Seen" = {"payload": b"", "received_bytes": 0, "reused": self.sock is not None}
        response = Response(ask["digest"])
        try:
            yield from self.connect(until)
            yield from deliver(self.sock, octets_of(ask["send"]), until)
            outcome = yield from collect(ask, answer, self.sock, until, response.frame())
        except (OSError, ValueError, Ended) as why:
            outcome, answer["detail"] = failure(why)
        response.tell(answer, outcome)
        if outcome != "answered" or not response.lasts:
            self.close()
        answer.update(self.facts, outcome=outcome)
        return answer

    def connect(self, until: float) -> "Work":
        """See to it that there is a connection."""
        if self.sock is None:
            self.facts, self.failed = {}, True
            soon = min(until, monotonic() + self.op["connect_timeout_s"])
            self.sock = yield from connection(self.op, self.facts, soon)
            self.failed = False

    def close(self) -> None:
        """Hang up, if there is a connection."""
        if self.sock is not None:
            hang_up(self.sock, self.facts)
            self.sock = None


def requests(op: "Seen", seen: "Seen", until: float) -> "Work":
    asks, answers = op["asks"], seen.setdefault("answers", [])
    if not 0 < len(asks) <= MAX_ASKS:
        raise ValueError("%d requests" % len(asks))
    key = json.dumps([op[name] for name in ("line", "host", "port", "family", "tls")])
    line = WAITING.pop(key, None) or Line(op)
    line.op = op
    try:
        for ask in asks:
            if monotonic() >= until:
                return "timed-out"
            most = min(ask["keep_bytes"], MAX_REPLY_BYTES // len(asks))
            answers.append((yield from line.ask(dict(ask, keep_bytes=most), until)))
            if line.failed:
                break
        if op["line"] and op["keep"] and line.sock is not None:
            line.until = monotonic() + WAITS_S
            WAITING[key], line = line, Line(op)
            let_go(len(WAITING) - MAX_WAITING)
    finally:
        line.close()
    return "answered"


def let_go(more: int = 0) -> float:
    """Hang up where no further request came in time, and the *more* oldest; when is the next one's
    time over?
    """
    for key, line in list(WAITING.items()):
        if more <= 0 and line.until > monotonic():
            return line.until
        WAITING.pop(key).close()
        more -= 1
    return NEVER
