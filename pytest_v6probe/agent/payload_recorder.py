"""How does a recording outlive its agent? A process that nothing ties to it, and one bounded file."""

import gc
import json
import os
import selectors
import signal
from time import monotonic

from pytest_v6probe.agent.payload import READ, Ended, failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Tuple

RECORD, ENDED = "record", "ended"
PRIVATE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Record:
    """The one file of a recording: it never grows beyond *most* octets, of which *reserve* wait for
    its end.
    """

    def __init__(self, directory: int, ask: int, most: int, for_s: float) -> None:
        self.directory, self.ask, self.most, self.for_s = directory, ask, most, for_s
        self.begin()
        self.size = self.reserve = self.lost = 0
        self.why = ""
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | PRIVATE
        self.file = os.open(RECORD, how, 0o600, dir_fd=directory)

    def begin(self) -> None:
        """Its time is counted from now on."""
        self.begun = monotonic()
        self.until = self.begun + self.for_s

    def room(self) -> int:
        """How many octets more there may be."""
        return self.most - self.reserve - self.size

    def add(self, octets: bytes) -> None:
        """Append *octets* whole, or not at all: then the recording is full."""
        if len(octets) > self.room():
            self.why = self.why or "full"
            return
        try:
            if os.write(self.file, octets) == len(octets):
                self.size += len(octets)
                return
        except OSError:  # no space there
            pass
        os.ftruncate(self.file, self.size)
        self.why = self.why or "full"

    def close(self) -> None:
        """Say why it ended, in one piece: who finds this file finds all of the record."""
        said = json.dumps({"why": self.why, "lost": self.lost}).encode("ascii")
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | PRIVATE
        file = os.open(ENDED + "~", how, 0o600, dir_fd=self.directory)
        os.write(file, said)
        os.rename(ENDED + "~", ENDED, src_dir_fd=self.directory, dst_dir_fd=self.directory)


def keep(record: Record, recorder: "Any", ready: int) -> None:
    """Let *recorder* note what comes, until it is asked to end, its time is over or the file is
    full.
    """
    selector = selectors.DefaultSelector()
    for source in (record.ask, *recorder.sources):
        selector.register(source, READ)
    os.write(ready, b"[]")
    while not record.why:
        now = monotonic()
        if now >= record.until:
            record.why = "deadline"
        for key, _ in selector.select(max(0.0, min(record.until, recorder.due) - now)):
            if key.fileobj == record.ask:
                record.why = record.why or "asked"
            else:
                recorder.take(key.fileobj)
        recorder.look()
    recorder.end()
    record.close()


def alone(kept: "Tuple[int, ...]") -> None:
    """Tie this process to nothing: no channel's files, terminal, directory or garbage."""
    gc.collect()  # or the files of what is garbage now are closed later, under others' numbers
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.chdir("/")
    os.umask(0o77)
    nothing = os.open("/dev/null", os.O_RDWR)
    for file in (0, 1, 2):
        os.dup2(nothing, file)
    for file in map(int, os.listdir("/proc/self/fd")):
        if file > 2 and file not in kept:
            try:
                os.close(file)
            except OSError:  # the listing's own
                pass


def orphan(work: "Callable[[int], None]", ready: int, kept: "Tuple[int, ...]") -> None:
    """In a new process: leave the agent's session, and *work* in a grandchild that has no parent
    here.
    """
    try:
        os.setsid()
        if not os.fork():
            alone((ready, *kept))
            work(ready)
    except (Ended, OSError, LookupError, TypeError, ValueError) as why:
        os.write(ready, json.dumps(failure(why)).encode("ascii"))
    finally:
        os._exit(0)


def detached(work: "Callable[[int], None]", *kept: int) -> int:
    """Run *work* in a process that survives this one; the pipe on which it says ``[]`` once it is
    ready.

    A fork is safe here though threads may be looking up names: the child asks for no lock of theirs
    and imports nothing that has not been imported.
    """
    import warnings

    warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads, since 3.12
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if not child:
        orphan(work, writing, kept)
    os.close(writing)
    os.waitpid(child, 0)
    return reading
