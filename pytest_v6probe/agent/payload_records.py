"""Which recordings are there? The agent's way to begin one, to find it again, read it and end it:
each has a private directory.
"""

import binascii
import errno
import json
import os
from time import monotonic, time

from pytest_v6probe.agent.payload import MAX_REPLY_BYTES, READ, Ended
from pytest_v6probe.agent.payload_flight import Flight
from pytest_v6probe.agent.payload_packets import Packets
from pytest_v6probe.agent.payload_recorder import ENDED, PRIVATE, RECORD, Record, detached, keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Tuple

    from pytest_v6probe.agent.payload import Seen, Work

RECORDERS = {"flight": Flight, "packets": Packets}
# Not /run/user/UID: logind removes it when the user's last session ends (user@.service(5)), and
# that is what happens when the network under test cuts the connection.
BASES = ("/run", "/tmp", "/var/tmp", "/dev/shm")
PREFIX, ASK = "v6probe-", "ask"
MIN_RECORD_BYTES, MAX_RECORD_BYTES, MAX_RECORD_S = 1 << 16, 1 << 28, 86400.0
MAX_RECORDINGS, KEPT_S = 32, 3600.0


def opened(recording: str) -> int:
    """The directory of a recording of this user's, open."""
    if len(recording) != 32 or set(recording) - set("0123456789abcdef"):
        raise OSError(errno.EINVAL, "")
    for base in BASES:
        try:
            directory = os.open(
                base + "/" + PREFIX + recording, os.O_RDONLY | os.O_DIRECTORY | PRIVATE
            )
        except PermissionError:
            raise Ended("not-permitted", "EACCES") from None
        except OSError:
            continue
        about = os.fstat(directory)
        if about.st_uid == os.geteuid() and not about.st_mode & 0o77:
            return directory
        os.close(directory)
        raise Ended("not-permitted", "another's directory")
    raise OSError(errno.ENOENT, "")


def made(most: int) -> "Tuple[str, int]":
    """A new recording's id and directory, in the first place that may be written to and is not
    filled by *most* octets.
    """
    recording, failed = binascii.hexlify(os.urandom(16)).decode("ascii"), "not-permitted"
    for base in BASES:
        try:
            space = os.statvfs(base)
            if space.f_bavail * space.f_frsize < 2 * most:
                failed = "error"
                continue
            os.mkdir(base + "/" + PREFIX + recording, 0o700)
        except OSError:
            continue
        directory = opened(recording)
        os.mkfifo(ASK, 0o600, dir_fd=directory)
        return recording, directory
    raise Ended(failed, "no room in any of " + " ".join(BASES))


def private(directory: int, name: str, most: int, offset: int = 0) -> bytes:
    """At most *most* octets of a file of a recording."""
    file = os.open(name, os.O_RDONLY | PRIVATE, dir_fd=directory)
    try:
        return os.pread(file, most, offset)
    finally:
        os.close(file)


def ask_to_end(directory: int) -> bool:
    """Ask the recorder to end; is there one? A FIFO has a reader as long as the recorder lives."""
    try:
        asking = os.open(ASK, os.O_WRONLY | PRIVATE, dir_fd=directory)
    except OSError:
        return False
    os.write(asking, b".")
    os.close(asking)
    return True


def lives(directory: int) -> bool:
    """Does a process have the recording's FIFO open for reading?"""
    try:
        os.close(os.open(ASK, os.O_WRONLY | PRIVATE, dir_fd=directory))
    except OSError:
        return False
    return True


def ending(directory: int) -> "Seen":
    """Why the recorder ended, "" while it runs; and how much was lost for want of memory."""
    alive = lives(directory)
    try:
        said: "Seen" = json.loads(private(directory, ENDED, 4096).decode("ascii"))
        return said
    except (OSError, ValueError):
        return {"why": "" if alive else "died", "lost": 0}


def removed(recording: str, directory: int) -> None:
    """Delete a recording's files and its directory."""
    for name in (RECORD, ASK, ENDED, ENDED + "~"):
        try:
            os.unlink(name, dir_fd=directory)
        except FileNotFoundError:
            continue
    for base in BASES:
        try:
            os.rmdir(base + "/" + PREFIX + recording)
        except OSError:
            continue


def recordings() -> "List[str]":
    """What may be a recording's id, judged by the names alone."""
    names: "List[str]" = []
    for base in BASES:
        try:
            names += os.listdir(base)
        except OSError:  # there is none, or it may not be listed
            continue
    return [name[len(PREFIX) :] for name in names if name.startswith(PREFIX)]


def make_room() -> None:
    """Remove the recordings that ended long ago, and the oldest ended ones of too many."""
    found: "List[Tuple[float, str]]" = []
    running = 0
    for name in recordings():
        try:
            directory = opened(name)
        except (OSError, Ended):
            continue
        if ending(directory)["why"]:
            found.append((os.fstat(directory).st_mtime, name))
        else:
            running += 1
        os.close(directory)
    found.sort()
    spare = max(0, len(found) + running - MAX_RECORDINGS + 1)
    old = len([name for changed_s, name in found if changed_s < time() - KEPT_S])
    for _, name in found[: max(spare, old)]:
        directory = opened(name)
        removed(name, directory)
        os.close(directory)
    if running >= MAX_RECORDINGS:
        raise Ended("error", "%d recordings run already" % running)


def record(op: "Seen", seen: "Seen", until: float) -> "Work":
    recorder, most = RECORDERS[op["kind"]], int(op["max_bytes"])
    for_s = min(float(op["for_s"]), MAX_RECORD_S)
    if not MIN_RECORD_BYTES <= most <= MAX_RECORD_BYTES or not for_s > 0:
        raise OSError(errno.EINVAL, "")
    make_room()
    recording, directory = made(most)
    ask, reading, said = os.open(ASK, os.O_RDWR | PRIVATE, dir_fd=directory), -1, b""

    def work(ready: int) -> None:
        kept = Record(directory, ask, most, for_s)
        keep(kept, recorder(kept, op), ready)

    try:
        reading = detached(work, directory, ask)
        if not (yield ((reading, READ),), until):
            raise Ended("timed-out", "")
        said = os.read(reading, 4096)
        if said != b"[]":
            raise Ended(*(json.loads(said.decode("ascii")) if said else ("error", "it died")))
    finally:
        if said != b"[]":
            ask_to_end(directory)
            removed(recording, directory)
        for file in (directory, ask, reading):
            if file >= 0:
                os.close(file)
    seen["recording"] = recording
    return "answered"


def tell(directory: int, seen: "Seen") -> None:
    """Fill in how a recording stands. The size comes last: of one that has ended it is final."""
    said = ending(directory)
    seen["ended"], seen["lost"] = said["why"], said["lost"]
    seen["size_bytes"] = os.stat(RECORD, dir_fd=directory, follow_symlinks=False).st_size


def recorded(op: "Seen", seen: "Seen", until: float) -> "Work":
    directory = opened(op["recording"])
    try:
        tell(directory, seen)
        most = min(op["max_bytes"], MAX_REPLY_BYTES)
        seen["payload"] = private(directory, RECORD, most, op["offset"])
    finally:
        os.close(directory)
    yield (), 0.0
    return "answered"


def stop_recording(op: "Seen", seen: "Seen", until: float) -> "Work":
    directory = opened(op["recording"])
    try:
        while not ending(directory)["why"]:
            ask_to_end(directory)
            yield (), min(until, monotonic() + 0.02)
            if monotonic() > until:
                raise Ended("timed-out", "")
        tell(directory, seen)
        if op["remove"]:
            removed(op["recording"], directory)
    finally:
        os.close(directory)
    return "answered"
