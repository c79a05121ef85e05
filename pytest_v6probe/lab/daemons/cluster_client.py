"""What does the lab itself ask of its API server? A program with the standard library alone.

``wait SERVER AUTHORITY`` returns when the API server serves. ``ask FILE METHOD PATH`` sends one request
with the body on standard input, as whom the JSON file says. ``fill FILE`` makes the objects that the
file says, and then tells whoever connects whether the cluster is as it is to be.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import ssl
import sys
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

WAIT_S = 90.0
RETRY_S = 0.05
ASK_S = 10.0
KNOCK_S = 0.3
PATIENCE_S = 0.3
"""How long whoever asks may be kept waiting for a cluster that is not ready."""
REMIND_S = 1.0
REMINDED = "v6probe/reminded"
SAID_BYTES = 300
PATCH = "application/merge-patch+json"
Answer = tuple[int, Any]


class Api:
    """One connection to the API server, made anew when it breaks."""

    def __init__(self, server: str, authority: str, certificate: str = "") -> None:
        self.server = server
        self.where = urllib.parse.urlsplit(server)
        self.context = ssl.create_default_context(cafile=authority)
        if certificate:
            self.context.load_cert_chain(certificate)
        self.connection: http.client.HTTPSConnection | None = None

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Status and body of one request. Raises OSError, HTTPException."""
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                self.where.hostname or "", self.where.port, timeout=ASK_S, context=self.context
            )
        octets = None if body is None else json.dumps(body)
        kind = PATCH if method == "PATCH" else "application/json"
        try:
            self.connection.request(method, path, octets, {"Content-Type": kind})
            answer = self.connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        return answer.status, json.loads(said) if said[:1] == b"{" else said.decode()

    def wait(self) -> None:
        """Return when the server says that it is ready. Raises TimeoutError."""
        until = time.monotonic() + WAIT_S
        said: object = "nothing"
        while time.monotonic() < until:
            try:
                self.knock()
                status, said = self.ask("GET", "/readyz")
                if status == http.client.OK:
                    return
            except (OSError, http.client.HTTPException) as why:
                said = why
            select.select([], [], [], RETRY_S)
        raise TimeoutError(f"{self.server} is not ready within {WAIT_S:g} s: {said}")

    def knock(self) -> None:
        """Connect, and no more. A first packet that is sent while this host's address is still
        tentative is lost, and TCP would wait for seconds. Raises OSError.
        """
        if self.connection is None:
            where = (self.where.hostname or "", self.where.port or 443)
            socket.create_connection(where, timeout=KNOCK_S).close()

    def put(self, path: str, made: dict[str, Any]) -> None:
        """Make the object *made* in the collection *path*, or change the one that is there; its
        status too, which the API keeps apart. Ends the program if that is refused.
        """
        status, said = self.ask("POST", path, made)
        until = time.monotonic() + WAIT_S
        while status == http.client.NOT_FOUND and time.monotonic() < until:  # a kind just defined
            select.select([], [], [], RETRY_S)
            status, said = self.ask("POST", path, made)
        one = f"{path}/{made['metadata']['name']}"
        if status == http.client.CONFLICT:
            status, said = self.ask("PATCH", one, made)
        if status < http.client.BAD_REQUEST and "status" in made:
            status, said = self.ask("PATCH", f"{one}/status", {"status": made["status"]})
        if status >= http.client.BAD_REQUEST:
            sys.exit(f"{one}: {status} {str(said)[:SAID_BYTES]}")


def lacking(api: Api, wanted: dict[str, Any]) -> str:
    """What of *wanted* is not ready; empty if all is."""
    nodes = items(api, "/api/v1/nodes")
    up = {node["metadata"]["name"] for node in nodes if is_ready(node)}
    if down := sorted(set(wanted["nodes"]) - up):
        return f"nodes that are not ready: {', '.join(down)}"
    for group in wanted["pods"]:
        selector = urllib.parse.quote(group["selector"])
        pods = items(api, f"/api/v1/namespaces/{group['namespace']}/pods?labelSelector={selector}")
        count = sum(map(is_ready, pods))
        if count < group["count"]:
            return f"{count} of {group['count']} pods {group['selector']} are ready"
    return ""


def unstated(api: Api, wanted: dict[str, Any]) -> str:
    """Which collection of *wanted* has too few objects with a status; empty if none has."""
    for path, wants in wanted["stated"]:
        count = sum("status" in item for item in items(api, path))
        if count < wants:
            return f"{count} of {wants} objects in {path} have a status"
    return ""


def items(api: Api, path: str) -> list[dict[str, Any]]:
    """The objects of a collection. Raises OSError if they are not told."""
    status, said = api.ask("GET", path)
    if status != http.client.OK:
        raise OSError(f"{path}: {status}")
    return list(said["items"])


def is_ready(thing: Mapping[str, Any]) -> bool:
    """Whether a node or a pod says so of itself."""
    conditions = thing.get("status", {}).get("conditions", [])
    return any(told["type"] == "Ready" and told["status"] == "True" for told in conditions)


class Reminder:
    """Changes an annotation of the objects at *paths*, at most once a second: whoever watches them
    looks at them again. A speaker of MetalLB 0.15 without memberlist does not announce services that
    it met before its nodes, and does not look again of itself when it meets these.
    """

    def __init__(self, api: Api, paths: list[str]) -> None:
        self.api, self.paths, self.last = api, paths, time.monotonic()

    def remind(self) -> None:
        """Change them, unless that was just done. Raises OSError, HTTPException."""
        now = time.monotonic()
        if now < self.last + REMIND_S:
            return
        self.last = now
        for path in self.paths:
            self.api.ask("PATCH", path, {"metadata": {"annotations": {REMINDED: f"{now:.1f}"}}})


def state(api: Api, wanted: dict[str, Any], reminder: Reminder) -> str:
    """What is not ready, asked until all is, or patience ends."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            why = lacking(api, wanted)
            if not why and (why := unstated(api, wanted)):
                reminder.remind()
        except (OSError, http.client.HTTPException) as broken:
            why = f"the API server does not answer: {broken}"
        if not why or time.monotonic() > until:
            return why
        select.select([], [], [], RETRY_S)


def tell(api: Api, told: dict[str, Any]) -> None:
    """Answer every connection to the door with what is not ready."""
    address, port = told["door"]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    door = socket.create_server((address, port), family=family)
    last = ""
    reminder = Reminder(api, told["ready"]["reminded"])
    while True:
        asker, _ = door.accept()
        with asker:
            asker.settimeout(ASK_S)
            why = state(api, told["ready"], reminder)
            if why != last:
                say(why or "all is ready")
                last = why
            try:
                asker.sendall(f"{why or 'ready'}\n".encode())
            except OSError:  # gone meanwhile
                continue


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the first argument says."""
    if sys.argv[1] == "wait":
        Api(*sys.argv[2:4]).wait()
        return
    with open(sys.argv[2], encoding="utf-8") as file:  # noqa: PTH123  pathlib takes 5 ms
        told = json.load(file)
    api = Api(told["server"], told["authority"], told["certificate"])
    if sys.argv[1] == "ask":
        given = sys.stdin.read()
        status, said = api.ask(sys.argv[3], sys.argv[4], json.loads(given) if given else None)
        say(json.dumps(said))
        sys.exit(status >= http.client.BAD_REQUEST)
    began = time.monotonic()
    api.wait()
    say(f"the API server serves, after {time.monotonic() - began:.1f} s")
    for path, made in told["objects"]:
        api.put(path, made)
    say(f"all objects are made, after {time.monotonic() - began:.1f} s")
    tell(api, told)


if __name__ == "__main__":
    main()
