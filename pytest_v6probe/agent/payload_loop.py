"""Which operation goes on now? The agent's one thread: requests in, many operations at once,
replies out.
"""

import collections
import json
import os
import selectors
import struct
import sys
from time import monotonic

from pytest_v6probe.agent.payload import (
    READ,
    WRITE,
    Ended,
    echo,
    failure,
    resolve,
    text_of,
    udp,
    udp_burst,
)
from pytest_v6probe.agent.payload_kernel import netlink, read, watch
from pytest_v6probe.agent.payload_records import record, recorded, stop_recording
from pytest_v6probe.agent.payload_requests import NEVER, let_go, requests
from pytest_v6probe.agent.payload_streams import stream, unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, List, Tuple

    from pytest_v6probe.agent.payload import Seen

MAX_LINE_BYTES = 8 << 20
MAX_QUEUED = 65536
MAX_OUTPUT_BYTES = 4 << 20
MAX_TIMEOUT_S = 3600.0
OPERATIONS = {
    "udp": udp,
    "udp_burst": udp_burst,
    "stream": stream,
    "requests": requests,
    "echo": echo,
    "resolve": resolve,
    "read": read,
    "netlink": netlink,
    "watch": watch,
    "unix": unix,
    "record": record,
    "recorded": recorded,
    "stop_recording": stop_recording,
}
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, struct.error)


class Task:
    """One running operation."""

    def __init__(self, op: "Seen") -> None:
        self.op, self.begun = op, monotonic()
        self.seen: "Seen" = {"id": op["id"]}
        self.waits: "Tuple[Tuple[Any, int], ...]" = ()
        self.until = 0.0
        timeout_s = min(float(op["timeout_s"]), MAX_TIMEOUT_S)
        self.work = OPERATIONS[op["op"]](op, self.seen, self.begun + timeout_s)


class Loop:
    """Operations that wait, that run and that are done. At most *limit* run; one of each lane."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.selector = selectors.DefaultSelector()
        self.queue: "Deque[Seen]" = collections.deque()
        self.lanes: "Dict[str, Deque[Seen]]" = {}
        self.running: "set[Task]" = set()
        self.line, self.output = bytearray(), bytearray()
        self.replies: "List[str]" = []
        self.writing = False
        for file in (0, 1):
            os.set_blocking(file, False)
        self.selector.register(0, READ)

    def run(self) -> None:
        """Until standard input ends."""
        while True:
            while (
                self.queue
                and len(self.running) < self.limit
                and (len(self.output) < MAX_OUTPUT_BYTES)
            ):
                self.start(self.queue.popleft())
            self.flush()
            first = min([let_go(), *(task.until for task in self.running)])
            ready: "Dict[Any, List[Any]]" = {}
            for key, _ in self.selector.select(
                None if first == NEVER else max(0.0, first - monotonic())
            ):
                if key.data is not None:
                    ready.setdefault(key.data, []).append(key.fileobj)
                elif key.fileobj == 0:
                    self.take()
            now = monotonic()
            for task in [task for task in self.running if task in ready or task.until <= now]:
                self.step(task, ready.get(task, []))

    def take(self) -> None:
        """Read requests: lines, each a list of operations."""
        octets = os.read(0, 1 << 18)
        if not octets:
            os._exit(0)
        self.line += octets
        while b"\n" in octets:
            line, _, self.line = self.line.partition(b"\n")
            octets = bytes(self.line)
            for op in json.loads(line.decode("ascii")):
                lane = op.get("lane")
                if lane in self.lanes:
                    self.lanes[lane].append(op)
                    continue
                if lane:
                    self.lanes[lane] = collections.deque()
                self.queue.append(op)
        waiting = len(self.queue) + sum(map(len, self.lanes.values()))
        if len(self.line) > MAX_LINE_BYTES or waiting > MAX_QUEUED:
            sys.exit("more was asked than an agent takes")

    def start(self, op: "Seen") -> None:
        """Begin an operation, up to its first wait."""
        try:
            task = Task(op)
        except MALFORMED as why:
            self.reply({"id": op.get("id")}, "error", repr(why)[:200])
            self.leave_lane(op)
            return
        self.running.add(task)
        self.step(task, None)

    def step(self, task: Task, ready: "Any") -> None:
        """Let an operation go on until it waits again, or is done."""
        try:
            waits, task.until = task.work.send(ready)
        except StopIteration as done:
            self.finish(task, done.value, "")
        except (*MALFORMED, OSError, Ended) as why:
            self.finish(task, *failure(why))
        else:
            if waits != task.waits:
                self.forget(task)
                for file, mask in waits:
                    self.selector.register(file, mask, task)
                task.waits = waits

    def forget(self, task: Task) -> None:
        """Wait no longer for what *task* waited for."""
        for file, _ in task.waits:
            self.selector.unregister(file)
        task.waits = ()

    def finish(self, task: Task, outcome: str, detail: str) -> None:
        """Note the reply of an operation that is over; its lane is free for the next."""
        self.forget(task)
        self.running.remove(task)
        task.seen.setdefault("elapsed_s", monotonic() - task.begun)
        self.reply(task.seen, outcome, detail)
        self.leave_lane(task.op)

    def leave_lane(self, op: "Seen") -> None:
        """Let the next operation of the same lane come forward."""
        waiting = self.lanes.get(op.get("lane", ""))
        if waiting:
            self.queue.appendleft(waiting.popleft())
        elif waiting is not None:
            del self.lanes[op["lane"]]

    def reply(self, seen: "Seen", outcome: str, detail: str) -> None:
        """Put one reply to those that the next line carries."""
        seen["outcome"] = outcome
        if detail:
            seen["detail"] = detail
        if "payload" in seen:
            seen["payload"] = text_of(seen["payload"])
        self.replies.append(json.dumps(seen, separators=(",", ":")))

    def flush(self) -> None:
        """Write what is ready as one line, as far as the channel takes it."""
        if self.replies:
            for reply in self.replies:
                self.output += b"[" + reply.encode("ascii") + b"]\n"
            self.replies = []
        while self.output:
            try:
                del self.output[: os.write(1, self.output)]
            except BlockingIOError:
                break
            except OSError:
                os._exit(1)
        if bool(self.output) != self.writing:
            self.writing = bool(self.output)
            if self.writing:
                self.selector.register(1, WRITE)
            else:
                self.selector.unregister(1)


def main() -> None:
    """Say hello behind the nonce in argv, so that what a login printed before is told apart; then
    serve.
    """
    hello = {
        "python": ".".join(map(str, sys.version_info[:3])),
        "uid": os.getuid(),
        "pid": os.getpid(),
    }
    os.write(1, ("\nv6probe:%s:%s\n" % (sys.argv[1], json.dumps(hello))).encode("ascii"))
    Loop(int(sys.argv[3])).run()


if __name__ == "__main__":
    main()
