"""How is a Docker Engine played? Its API on a Unix socket; an exec really runs, on this machine."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

VERSION = {"Version": "27.3.1", "ApiVersion": "1.47", "MinAPIVersion": "1.24"}
Script = bytes | Callable[[socket.socket], None]


def said(status: int, body: object) -> bytes:
    """A whole answer."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (
        f"HTTP/1.1 {status} Some Reason\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(octets)}\r\n\r\n"
    ).encode() + octets


def frame(stream: int, octets: bytes) -> bytes:
    return bytes((stream, 0, 0, 0)) + len(octets).to_bytes(4, "big") + octets


class FakeEngine:
    """Answers what *script* says for ``METHOD /path`` (no version, no query), else as an engine
    with one container, ``web``, does.
    """

    def __init__(self, path: Path, script: Mapping[str, Script] | None = None) -> None:
        self.path = path
        self.script: dict[str, Script] = {
            "GET /version": said(200, VERSION),
            **(script or {}),
        }
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.processes: dict[int, subprocess.Popen[bytes] | None] = {}
        self._argvs: list[list[str]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._acceptor = Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(10)  # else it might accept for the next socket of the same number
        self._listener.close()
        for process in self.processes.values():
            if process is not None:
                process.kill()
                process.wait(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            head, body = read_request(connection)
            method, target, _ = head.split(" ", 2)
            path = target.partition("?")[0]
            if path.startswith("/v1."):
                path = path[path.index("/", 1) :]
            self.asked.append(f"{method} {path}")
            self.heads.append(head)
            self.bodies.append(body)
            script = self.script.get(f"{method} {path}")
            if isinstance(script, bytes):
                connection.sendall(script)
            elif script is not None:
                script(connection)
            else:
                self._play(connection, f"{method} {path}", body)

    def _play(self, connection: socket.socket, asked: str, body: bytes) -> None:
        if asked == "POST /containers/web/exec":
            self._argvs.append(json.loads(body)["Cmd"])
            connection.sendall(said(201, {"Id": str(len(self._argvs) - 1)}))
        elif asked.startswith("POST /exec/"):
            number = int(asked.split("/")[2])
            connection.sendall(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n")
            self.processes[number] = run(self._argvs[number], connection)
        elif asked.startswith("GET /exec/"):
            connection.sendall(said(200, self._state(int(asked.split("/")[2]))))
        else:
            connection.sendall(said(404, {"message": f"no such thing: {asked}"}))

    def _state(self, number: int) -> dict[str, Any]:
        if number not in self.processes:
            return {"ExitCode": None, "Pid": 0}
        process = self.processes[number]
        code = 127 if process is None else process.poll()
        return {"ExitCode": 128 - code if code and code < 0 else code, "Pid": 7}


def read_request(connection: socket.socket) -> tuple[str, bytes]:
    heard = b""
    while b"\r\n\r\n" not in heard:
        octets = connection.recv(65536)
        if not octets:
            raise ValueError("no request")
        heard += octets
    head, _, body = heard.partition(b"\r\n\r\n")
    text = head.decode("ascii")
    length = next(
        (
            int(line[15:])
            for line in text.split("\r\n")
            if line.lower().startswith("content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return text, body


def run(argv: list[str], connection: socket.socket) -> Any:
    """Run *argv* with its streams in frames over *connection*, until both have ended."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
    except OSError:
        why = f'OCI runtime exec failed: exec: "{argv[0]}": no such file or directory\r\n'
        connection.sendall(frame(1, why.encode()))
        return None
    near, sink = connection.dup(), process.stdin
    assert sink is not None

    def feed() -> None:
        with contextlib.suppress(OSError), near, sink:
            while octets := near.recv(65536):
                sink.write(octets)

    def carry(stream: int, pipe: Any) -> None:
        with contextlib.suppress(OSError), pipe:
            while octets := pipe.read(65536):
                far.sendall(frame(stream, octets))

    def finish() -> None:
        for thread in carriers:
            thread.join()
        process.wait()
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)
        far.close()

    far = connection.dup()
    carriers = [
        Thread(target=carry, args=pair, daemon=True)
        for pair in ((1, process.stdout), (2, process.stderr))
    ]
    for thread in (*carriers, Thread(target=feed, daemon=True), Thread(target=finish, daemon=True)):
        thread.start()
    return process
