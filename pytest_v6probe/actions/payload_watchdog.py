"""Who puts this machine back when the run does not? A detached process, and the actor that arms it."""

import errno
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
from time import monotonic

from pytest_v6probe.actions.payload import (
    contents,
    delete_file,
    detached,
    lines_of,
    name_of,
    octets_of,
    put_file_back,
    read_file,
    remembered,
    run,
    write_file,
)
from pytest_v6probe.actions.payload_routes import (
    default_routes,
    hand_over,
    put_routes_back,
    put_sysctls_back,
    sysctls,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from pytest_v6probe.actions.payload import Said

HOME = "/run/watchdogs-v6probe"  # recordings are looked for in /run/v6probe-*
MAX_DEADLINE_S = 3600.0
MAX_FILES, MAX_PROGRAMS = 8, 8
HAND_OVER_S = 3600.0
MAX_LINE_BYTES = 4 << 20
ATTEMPTS = 3
MALFORMED = (LookupError, TypeError, ValueError, AttributeError)


def place_of(name: str) -> str:
    """The directory of one watchdog. Raises ValueError for a name that is none of ours."""
    if not name or name.strip("0123456789abcdef-"):
        raise ValueError("no watchdog is named " + name[:40])
    return os.path.join(HOME, name)


def here() -> str:
    """What the names of this network namespace's watchdogs begin with."""
    return "%x-" % os.stat("/proc/self/ns/net").st_ino


def said_to(name: str, word: bytes, within_s: float) -> "Any":
    """What a watchdog answers to *word*; None if it has ended."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(within_s)
        try:
            sock.connect(os.path.join(place_of(name), "door"))
            sock.sendall(word + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                octets = sock.recv(65536)
                if not octets:
                    return None
                answer += octets
            return json.loads(answer.decode("utf-8"))
        except (FileNotFoundError, ConnectionError):
            return None


def arm(op: "Said") -> "Said":
    """Remember the machine as it is and leave a watchdog behind that is there when this returns."""
    os.makedirs(HOME, 0o700, exist_ok=True)
    for name in [name for name in os.listdir(HOME) if name.startswith(here())]:
        left = said_to(name, b"left", 5.0)
        if left is not None:
            return {"outcome": "armed-already", "watchdog": name, "left_s": left["left_s"]}
        shutil.rmtree(place_of(name))
    if len(op["files"]) > MAX_FILES or len(op["afterwards"]) > MAX_PROGRAMS:
        raise ValueError("more than a watchdog remembers")
    state = {
        "routes": default_routes(),
        "sysctls": sysctls(),
        "files": [remembered(path) for path in op["files"]],
        "afterwards": [{"argv": list(argv)} for argv in op["afterwards"]],
        "until": monotonic() + min(float(op["deadline_s"]), MAX_DEADLINE_S),
    }
    name = here() + "".join("%02x" % octet for octet in os.urandom(6))
    os.mkdir(place_of(name), 0o700)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(os.path.join(place_of(name), "door"))
    door.listen(4)
    detached(lambda: guard(name, door, state), door)
    return {"outcome": "answered", "watchdog": name}


class Fired(Exception):
    """The machine is to be put back now."""


def guard(name: str, door: socket.socket, state: "Dict[str, Any]") -> None:
    """Wait to be disarmed; else put the machine back."""

    def now(number: int, frame: "Any") -> None:
        raise Fired

    signal.signal(signal.SIGTERM, now)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    caller = None
    try:
        while monotonic() < state["until"] and caller is None:
            if select.select([door], [], [], max(0.0, state["until"] - monotonic()))[0]:
                caller = served_caller(name, door, state)
    except Fired:
        pass
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ours = put_back(name, state)
    if caller is not None:
        answer(caller, json.dumps({"log": log_of(name)}).encode("ascii"))
    door.close()
    os.unlink(os.path.join(place_of(name), "door"))
    note(name, hand_over(ours, HAND_OVER_S) if ours else [])
    if caller is not None:
        shutil.rmtree(place_of(name), ignore_errors=True)


def served_caller(name: str, door: socket.socket, state: "Dict[str, Any]") -> "Any":
    """Serve one caller; the caller who wants the machine put back is returned, to be told."""
    caller = door.accept()[0]
    caller.settimeout(5)
    try:
        word = caller.recv(64).strip()
    except OSError:
        word = b""
    if word == b"put-back":
        return caller
    if word == b"disarm":
        shutil.rmtree(place_of(name), ignore_errors=True)
        answer(caller, b'{"log": []}')
        os._exit(0)
    answer(caller, b'{"left_s": %.3f}' % (state["until"] - monotonic()))
    return None


def answer(caller: socket.socket, line: bytes) -> None:
    try:
        caller.sendall(line + b"\n")
    except OSError:
        pass  # it does not wait any more
    caller.close()


def put_back(name: str, state: "Dict[str, Any]") -> "List[Dict[str, Any]]":
    """Files, sysctls, routes; then programs, if a file was put back or they are always wanted."""
    changed = False
    for file in state["files"]:
        try:
            if put_file_back(file):
                changed = True
                note(name, ["file " + file["path"]])
        except OSError as why:
            note(name, ["failed: file %s: %s" % (file["path"], why.strerror)])
    ours = reset(name, state)
    if changed or not state["files"]:
        for program in state["afterwards"]:
            said = run(dict(program, timeout_s=120, max_bytes=500))
            words = lines_of(octets_of(said.get("payload", "")))[:1]
            how = said.get("status", said.get("detail", said["outcome"]))
            argv = program["argv"]
            what = " ".join(argv if len(argv) < 5 else [argv[0], "...", argv[-1]])[:200]
            note(name, ["ran %s: %s" % (what, " ".join([str(how), *words]))])
        if state["afterwards"]:  # an engine that starts may turn forwarding on again
            ours += reset(name, state)
    note(name, ["done"])
    return ours


def reset(name: str, state: "Dict[str, Any]") -> "List[Dict[str, Any]]":
    """Sysctls and routes; again if something failed, for a machine in turmoil calms down."""
    ours: "List[Dict[str, Any]]" = []
    for _ in range(ATTEMPTS):
        did = put_sysctls_back(state["sysctls"])
        try:
            lines, more = put_routes_back(state["routes"])
        except (OSError, struct.error) as why:
            lines, more = ["failed: routes: %s" % why], []
        note(name, did + lines)
        ours += more
        if not any(line.startswith("failed") for line in did + lines):
            break
    return ours


def note(name: str, lines: "List[str]") -> None:
    try:
        with open(os.path.join(place_of(name), "log"), "a") as file:
            file.write("".join(line.replace("\n", " ") + "\n" for line in lines))
    except OSError:
        return  # a full disk keeps nothing from being put back


def log_of(name: str) -> "List[str]":
    try:
        return lines_of(contents(os.path.join(place_of(name), "log")))
    except OSError:
        return []


def told(op: "Said") -> "Said":
    """Tell a watchdog ``disarm`` or ``put-back``; if it has ended, its log says what it did."""
    name = op["watchdog"]
    answer = said_to(name, op["op"].encode("ascii"), float(op["timeout_s"]))
    if answer is not None:
        return {"outcome": "answered", "log": answer["log"]}
    log = log_of(name)
    shutil.rmtree(place_of(name), ignore_errors=True)
    return {"outcome": "fired" if log else "gone", "log": log}


OPERATIONS = {
    "run": run,
    "read": read_file,
    "write": write_file,
    "delete": delete_file,
    "arm": arm,
    "disarm": told,
    "put-back": told,
}


def served(line: bytes) -> bytes:
    """Do one request; its reply as a line, with its id."""
    said: "Said" = {}
    op: "Said" = {}
    try:
        op = json.loads(line.decode("ascii"))
        said = OPERATIONS[op["op"]](op)
    except OSError as why:
        timed = isinstance(why, socket.timeout)
        said = {"outcome": "timed-out" if timed else "error", "detail": name_of(why)}
    except MALFORMED as why:
        said = {"outcome": "error", "detail": repr(why)[:200]}
    if isinstance(op, dict):
        said["id"] = op.get("id")
    return json.dumps(said).encode("ascii") + b"\n"


def main() -> None:
    """Say hello behind the nonce in argv, then serve one request after another."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    hello = {"python": ".".join(map(str, sys.version_info[:3])), "uid": os.getuid()}
    os.write(1, ("\nv6probe:%s:%s\n" % (sys.argv[1], json.dumps(hello))).encode("ascii"))
    waiting = b""
    while True:
        octets = os.read(0, 1 << 18)
        if not octets or len(waiting) > MAX_LINE_BYTES:
            os._exit(0)
        *lines, waiting = (waiting + octets).split(b"\n")
        for line in lines:
            reply = served(line)
            try:
                while reply:
                    reply = reply[os.write(1, reply) :]
            except OSError as why:
                os._exit(0 if why.errno == errno.EPIPE else 1)


if __name__ == "__main__":
    main()
