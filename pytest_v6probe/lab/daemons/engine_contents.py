"""What runs on an engine when the lab is up? A program that fills one through its API.

Imports little, and only the standard library. ``wait`` returns when the engine of this host answers;
``fill FILE`` makes what the JSON file says: images, networks, containers. What is there already stays;
``refill FILE`` makes networks and containers anew.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import sys
import time
from typing import Any

SOCKET = "/run/docker.sock"
WAIT_S = 60.0
RETRY_S = 0.03
DONE = {200, 201, 204, 304}
AS_IT_IS = {"POST": 409, "DELETE": 404}
"""What says that there is nothing to do: it is there already, or it is not there."""


class Connection(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(WAIT_S)
        self.sock.connect(SOCKET)


def ask(
    method: str, path: str, body: Any = None, kind: str = "application/json"
) -> tuple[int, Any]:
    """Status and body of one request."""
    connection = Connection("engine")
    octets = json.dumps(body) if kind == "application/json" and body is not None else body
    connection.request(method, path, octets, {"Content-Type": kind})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def wait() -> None:
    """Return when the engine answers. Raises TimeoutError."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        try:
            if ask("GET", "/_ping")[0] == http.client.OK:
                return
        except OSError:
            pass
        select.select([], [], [], RETRY_S)
    raise TimeoutError(f"the engine at {SOCKET} does not answer within {WAIT_S:g} s")


def must(method: str, path: str, body: Any = None, kind: str = "application/json") -> None:
    """Ask, and end the program with the engine's words if it refuses."""
    status, text = ask(method, path, body, kind)
    if status not in DONE | {AS_IT_IS[method]}:
        sys.exit(f"{method} {path}: {status} {text!r}")


def empty(contents: dict[str, Any]) -> None:
    """Remove the containers and networks that *contents* names, if they are there."""
    wait()
    for name in contents["containers"]:
        must("DELETE", f"/containers/{name}?force=1")
    for network in contents["networks"]:
        must("DELETE", f"/networks/{network['Name']}")


def fill(contents: dict[str, Any]) -> None:
    """Make the images, networks and containers that *contents* says."""
    wait()
    for name, tar in contents["images"].items():
        repository, _, tag = name.partition(":")
        with open(tar, "rb") as file:  # noqa: PTH123  pathlib takes 5 ms
            path = f"/images/create?fromSrc=-&repo={repository}&tag={tag}"
            must("POST", path, file.read(), "application/x-tar")
    for network in contents["networks"]:
        must("POST", "/networks/create", {"CheckDuplicate": True, **network})
    for name, container in contents["containers"].items():
        host = {"RestartPolicy": {"Name": "always"}, **container["HostConfig"]}
        # as PID 1 none of them hears SIGTERM, and the engine would wait for 10 s
        whole = {**container, "StopSignal": "SIGKILL", "HostConfig": host}
        must("POST", f"/containers/create?name={name}", whole)
        must("POST", f"/containers/{name}/start")


def main() -> None:
    """Do what the first argument says."""
    if sys.argv[1] == "wait":
        wait()
        return
    with open(sys.argv[2], encoding="utf-8") as file:  # noqa: PTH123  pathlib takes 5 ms
        contents = json.load(file)
    if sys.argv[1] == "refill":
        empty(contents)
    fill(contents)


if __name__ == "__main__":
    main()
