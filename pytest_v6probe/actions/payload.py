"""What is changed on this machine, and how is it undone? The actor's files and programs: standard
library only, Python 3.6 on, shipped to the host.

`actor` joins this file with `payload_routes` and `payload_watchdog` into the one that travels, and
starts it as root. One request at a time; all that is asked for is bounded in size and time.
"""

import binascii
import errno
import os
import select
import signal
import stat
import subprocess
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    Said = Dict[str, Any]

MAX_FILE_BYTES = 1 << 20
MAX_RUN_S = 900.0
NEW_FILE_MODE = 0o644
SELINUX = "security.selinux"


def text_of(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode("ascii")


def octets_of(text: str) -> bytes:
    return binascii.a2b_base64(text)


def name_of(why: OSError) -> str:
    """An errno's name, for a machine to read."""
    return errno.errorcode.get(why.errno or 0, type(why).__name__)


def contents(path: str) -> bytes:
    """The whole of a regular file."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG if found.st_size > MAX_FILE_BYTES else errno.EINVAL, "")
        octets = b""
        while len(octets) <= MAX_FILE_BYTES:
            more = os.read(file, 65536)
            octets += more
            if not more:
                return octets
        raise OSError(errno.EFBIG, "")
    finally:
        os.close(file)


def owner_and_label(path: str) -> "Dict[str, Any]":
    """Who owns a file, its mode, and its SELinux label; what a new file gets where it is missing."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return {"mode": NEW_FILE_MODE, "uid": os.getuid(), "gid": os.getgid(), "label": ""}
    try:
        label = text_of(os.getxattr(path, SELINUX))
    except OSError:
        label = ""
    mode = stat.S_IMODE(found.st_mode)
    return {"mode": mode, "uid": found.st_uid, "gid": found.st_gid, "label": label}


def replace(path: str, octets: bytes, like: "Dict[str, Any]") -> None:
    """Put *octets* in the place of *path* at once, or not at all; owner and mode as *like* says."""
    path = os.path.realpath(path)
    beside = os.path.join(
        os.path.dirname(path), ".v6probe-" + text_of(os.urandom(6)).replace("/", "_")
    )
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            left = memoryview(octets)
            while left:
                left = left[os.write(file, left) :]
            os.fchown(file, like["uid"], like["gid"])
            os.fchmod(file, like["mode"])
            if like["label"]:
                os.setxattr(file, SELINUX, octets_of(like["label"]))
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def read_file(op: "Said") -> "Said":
    try:
        return {"outcome": "answered", "payload": text_of(contents(op["path"]))}
    except FileNotFoundError:
        return {"outcome": "missing"}


def write_file(op: "Said") -> "Said":
    octets = octets_of(op["payload"])
    if len(octets) > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, "")
    replace(op["path"], octets, owner_and_label(op["path"]))
    return {"outcome": "answered"}


def delete_file(op: "Said") -> "Said":
    try:
        os.unlink(op["path"])
    except FileNotFoundError:
        return {"outcome": "missing"}
    return {"outcome": "answered"}


def remembered(path: str) -> "Dict[str, Any]":
    """A file as it is now, to be put back by `put_file_back`."""
    try:
        octets: "Optional[str]" = text_of(contents(path))
    except FileNotFoundError:
        octets = None
    return {"path": path, "payload": octets, "like": owner_and_label(path)}


def put_file_back(was: "Dict[str, Any]") -> bool:
    """Make a file what it was; whether that was needed."""
    now = remembered(was["path"])
    if now["payload"] == was["payload"] and (now["like"] == was["like"] or was["payload"] is None):
        return False
    if was["payload"] is None:
        os.unlink(was["path"])
    else:
        replace(was["path"], octets_of(was["payload"]), was["like"])
    return True


def run(op: "Said") -> "Said":
    """Run a program to its end or its deadline: its status, and the first of what it wrote."""
    until = monotonic() + min(float(op["timeout_s"]), MAX_RUN_S)
    try:
        process = subprocess.Popen(
            op["argv"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env={
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C",
            },
        )
    except OSError as why:
        return {"outcome": "error", "detail": name_of(why)}
    output = listened(process, until, int(op["max_bytes"]))
    try:
        status = process.wait(max(0.0, until - monotonic()))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return {"outcome": "timed-out", "payload": text_of(output)}
    return {"outcome": "answered", "status": status, "payload": text_of(output)}


def listened(process: "Any", until: float, most: int) -> bytes:
    """What *process* writes until it closes its output or ends; the rest is read and dropped."""
    output, pipe = b"", process.stdout
    with pipe:
        while monotonic() < until:
            # A daemon that it left behind may hold the pipe open for ever.
            if select.select([pipe], [], [], 0.05)[0]:
                octets = os.read(pipe.fileno(), 65536)
                output += octets[: max(0, most - len(output))]
                if not octets:
                    break
            elif process.poll() is not None:
                break
    return output


def lines_of(octets: bytes) -> "List[str]":
    return octets.decode("utf-8", "replace").splitlines()


def detached(work: "Any", kept: "Any") -> None:
    """Run *work* in a process that nothing of ours reaches: its own session, no open streams."""
    child = os.fork()
    if child:
        kept.close()
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    status = 1
    try:
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for file in (0, 1, 2):
            os.dup2(null, file)
        for file in map(int, os.listdir("/proc/self/fd")):
            if file > 2 and file != kept.fileno():
                try:
                    os.close(file)
                except OSError:
                    continue  # the one that listed them
        leave_session()
        work()
        status = 0
    finally:
        os._exit(status)


def leave_session() -> None:
    """Out of the login's control group: logind may kill that with the login (KillUserProcesses=)."""
    try:
        with open("/proc/self/cgroup") as file:
            ours = [line.rstrip("\n").split(":", 2) for line in file]
        for _, controllers, path in ours:
            if controllers in ("", "name=systemd") and path.endswith(".scope"):
                root = "/sys/fs/cgroup" + ("/systemd" if controllers else "")
                with open(root + "/cgroup.procs", "w") as file:
                    file.write(str(os.getpid()))
    except OSError:
        return  # then it lives as long as the login does
