"""How is a cluster's API played? Over TLS, with pods; an exec really runs, on this machine."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import subprocess
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

from pytest_v6probe.inventory.kube import Cluster
from pytest_v6probe.lab.certificates import Authority, Certificate
from tests.unit.transport.pod.played_exec import V4, V5, end, failed, frame, pump, shake_hands

LOOPBACK = IPv6Address("::1")
TOKEN = "a-secret-token"
PODS = "/api/v1/namespaces/default/pods"
Script = bytes | Callable[[ssl.SSLSocket, str], None]


def said(status: int, body: object, *headers: str) -> bytes:
    """A whole answer."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Some Reason", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(octets)}", "", ""]).encode() + octets


def refusal(status: int, message: str) -> bytes:
    """The API's no."""
    return said(status, {"kind": "Status", "status": "Failure", "message": message})


def listed(*items: object, token: str = "") -> dict[str, Any]:
    return {"kind": "List", "metadata": {"continue": token} if token else {}, "items": items}


def pod(name: str = "web-1", **changed: Any) -> dict[str, Any]:
    """A pod that runs; *changed* says what of it is otherwise."""
    containers = changed.get("containers", ("web",))
    running = {"running": {"startedAt": "2026-11-23T08:00:00Z"}}
    return {
        "metadata": {
            "name": name,
            "uid": changed.get("uid", f"uid-{name}"),
            "annotations": changed.get("annotations", {}),
            **({"deletionTimestamp": "2026-11-23T08:00:00Z"} if changed.get("deleted") else {}),
        },
        "spec": {
            "nodeName": changed.get("node", "node-1"),
            "containers": [{"name": one} for one in containers],
        },
        "status": {
            "phase": changed.get("phase", "Running"),
            "conditions": [
                {"type": "Ready", "status": "True" if changed.get("ready", True) else "False"}
            ],
            "containerStatuses": [
                {"name": one, "restartCount": 0, "state": changed.get("state", running)}
                for one in containers
            ],
        },
    }


class FakeApi:
    """Answers what *script* says for ``METHOD /path`` (no query), else as a cluster with *pods* in
    the namespace default does.
    """

    def __init__(
        self, place: Path, authority: Authority, certificate: Certificate | None = None
    ) -> None:
        self.place, self.authority = place, authority
        self.script: dict[str, Script | list[Script]] = {}
        self.pods = [pod()]
        self.protocols = [V5, V4]
        self.without_programs: set[str] = set()
        """Containers in which no program is found."""
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        named = certificate or Certificate(name="api.test", addresses=(LOOPBACK,))
        authority.issue(named, place / "server.pem")
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(place / "server.pem")
        self._context.verify_mode = ssl.CERT_OPTIONAL
        self._context.load_verify_locations(cadata=authority.pem)
        self._listener = socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def spec(self, user: Mapping[str, Any] | None = None, **cluster: Any) -> Cluster:
        """The inventory's entry, with a kubeconfig that was written for it."""
        authority = base64.b64encode(self.authority.pem.encode()).decode()
        server = {
            "server": f"https://[::1]:{self.port}",
            "certificate-authority-data": authority,
            **cluster,
        }
        config = {
            "current-context": "own",
            "contexts": [{"name": "own", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": server}],
            "users": [{"name": "u", "user": {"token": TOKEN} if user is None else user}],
        }
        file = self.place / "kubeconfig"
        file.write_text(json.dumps(config))
        return Cluster(name="prod", region="here", families=("ipv6",), kubeconfig=str(file))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(10)
        self._listener.close()
        for process in self.processes:
            process.kill()
            process.wait(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with (
            contextlib.suppress(OSError, ValueError),
            self._context.wrap_socket(connection, server_side=True) as secure,
        ):
            while self._answer(secure):
                pass

    def _answer(self, connection: ssl.SSLSocket) -> bool:
        """Answer one request; whether the connection goes on."""
        head, body = read_request(connection)
        method, target, _ = head.split(" ", 2)
        path, _, query = target.partition("?")
        self.asked.append(f"{method} {path}")
        self.heads.append(head)
        self.bodies.append(body)
        script = self.script.get(f"{method} {path}")
        if isinstance(script, list):
            script = script.pop(0) if script else None
        if isinstance(script, bytes):
            connection.sendall(script)
        elif script is not None:
            script(connection, head)
            return False
        elif path.endswith("/exec"):
            self._exec(connection, head, parse_qs(query, keep_blank_values=True))
            return False
        else:
            connection.sendall(self._play(method, path, body))
        return True

    def _play(self, method: str, path: str, body: bytes) -> bytes:
        if path == "/version":
            return said(200, {"gitVersion": "v1.34.4"})
        if path == PODS:
            return said(200, listed(*self.pods))
        for known in self.pods:
            own = f"{PODS}/{known['metadata']['name']}"
            if path == own:
                return said(200, known)
            if (method, path) == ("PATCH", f"{own}/ephemeralcontainers"):
                self.add_debugger(known, json.loads(body)["spec"]["ephemeralContainers"][0])
                return said(200, known)
        return refusal(404, f"{path} not found")

    def add_debugger(self, known: dict[str, Any], container: dict[str, Any]) -> None:
        known["spec"].setdefault("ephemeralContainers", []).append(container)
        known["status"].setdefault("ephemeralContainerStatuses", []).append(
            {"name": container["name"], "state": {"running": {}}}
        )

    def _exec(self, connection: ssl.SSLSocket, head: str, query: dict[str, list[str]]) -> None:
        protocol = shake_hands(connection, head, self.protocols)
        argv, container = query["command"], query["container"][0]
        connection.sendall(frame(1, b""))  # kube-apiserver says so that the stream is there
        why = f'exec: "{argv[0]}": executable file not found in $PATH: unknown'
        if container in self.without_programs:
            end(connection, failed(why))
            return
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
        except OSError:
            end(connection, failed(why))
            return
        self.processes.append(process)
        pump(connection, process, protocol)


def read_request(connection: ssl.SSLSocket) -> tuple[str, bytes]:
    heard = b""
    while b"\r\n\r\n" not in heard:
        octets = connection.recv(65536)
        if not octets:
            raise ValueError("no request")
        heard += octets
    head, _, body = heard.partition(b"\r\n\r\n")
    text = head.decode("ascii")
    length = next(
        (int(line[15:]) for line in text.split("\r\n") if line.startswith("Content-Length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return text, body
