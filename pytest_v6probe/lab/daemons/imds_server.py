"""What does the metadata service answer? A small HTTP/1.1 server that starts fast.

Run as a program with a JSON file of options; imports little, and only the standard library. After
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html and
configuring-instance-metadata-service.html there.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import threading
import time
from ipaddress import ip_address, ip_network
from typing import Any

PORT = 80
LONGEST_TOKEN_S = 21600
MAX_HEAD_BYTES = 16384
IDLE_S = 10.0
TOKEN_PATH = "/latest/api/token"  # noqa: S105  a path, no secret
TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "x-aws-ec2-metadata-token"  # noqa: S105  a header, no secret
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
}


class Service:
    """The options, the tokens given out, and who each instance is."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.instances = [
            ([ip_network(source) for source in instance["sources"]], instance["paths"])
            for instance in options["instances"]
        ]
        self._tokens: dict[str, tuple[int, float]] = {}

    def instance(self, source: str) -> int:
        """The number of the instance that *source* belongs to; -1 for a stranger."""
        address = ip_address(source.partition("%")[0])
        for number, (networks, _) in enumerate(self.instances):
            if any(address in network for network in networks):
                return number
        return -1

    def answer(
        self, method: str, target: str, headers: dict[str, str], source: str
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and body for one request."""
        number = self.instance(source)
        path = "/" + "/".join(part for part in target.partition("?")[0].split("/") if part)
        if self.options["endpoint"] != "enabled":
            return 403, {}, ""
        if path == TOKEN_PATH and method == "PUT":
            return self._new_token(headers, number)
        if method not in {"GET", "HEAD"}:
            return 405, {"Allow": "OPTIONS, GET, HEAD"}, ""
        if not self._allowed(headers, number):
            return 401, {}, ""
        body = listing(self.instances[number][1], path) if number >= 0 else None
        return (404, {}, "") if body is None else (200, {}, body)

    def _new_token(self, headers: dict[str, str], number: int) -> tuple[int, dict[str, str], str]:
        if (
            "x-forwarded-for" in headers
        ):  # a proxy that was opened to the world must not hand out tokens
            return 403, {}, ""
        wanted = headers.get(TTL_HEADER, "")
        if not wanted.isdecimal() or not 1 <= int(wanted[:9]) <= LONGEST_TOKEN_S:
            return 400, {}, ""
        token = secrets.token_urlsafe(40)
        self._tokens[token] = number, time.monotonic() + int(wanted)
        return 200, {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": wanted}, token

    def _allowed(self, headers: dict[str, str], number: int) -> bool:
        given = headers.get(TOKEN_HEADER)
        if given is None:
            return bool(self.options["tokens"] == "optional")
        owner, expires = self._tokens.get(given, (-2, 0.0))
        return owner == number and time.monotonic() < expires


def listing(paths: dict[str, str], path: str) -> str | None:
    """The value at *path*, or the names below it, one a line, directories with a slash; None where
    there is nothing.
    """
    below = path.removeprefix("/latest").strip("/")
    if not path.startswith("/latest"):
        return None
    if below in paths:
        return paths[below]
    start = f"{below}/" if below else ""
    rest = [name[len(start) :] for name in paths if name.startswith(start)]
    names = dict.fromkeys(name.partition("/")[0] + ("/" if "/" in name else "") for name in rest)
    return "\n".join(names) if names else None


def serve(service: Service, connection: socket.socket, source: str) -> None:
    """Answer the requests of one connection, one after the other."""
    with connection, connection.makefile("rb") as stream:
        connection.settimeout(IDLE_S)
        try:
            while one(service, connection, stream, source):
                pass
        except (OSError, ValueError):
            return


def one(service: Service, connection: socket.socket, stream: Any, source: str) -> bool:
    """Read one request and answer it; False when the connection is over."""
    line = stream.readline(MAX_HEAD_BYTES).decode("latin-1").split()
    if len(line) != 3:
        return False
    headers: dict[str, str] = {}
    left = MAX_HEAD_BYTES
    while True:
        text = stream.readline(left).decode("latin-1")
        left -= len(text)
        if text in {"\r\n", "\n", ""} or left <= 0:
            break
        name, _, value = text.partition(":")
        headers[name.strip().lower()] = value.strip()
    stream.read(min(int(headers.get("content-length", "0")), MAX_HEAD_BYTES))
    if service.options["garbage"]:
        connection.sendall(b"\x16\x03\x01\x00\x02\x02\x28" + os.urandom(200) + b"\r\n\r\n")
        return False
    method, target, version = line
    status, extra, body = service.answer(method, target, headers, source)
    if method == "PUT":
        limit_hops(connection, int(service.options["hop_limit"]))
    stays = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    connection.sendall(response(method, status, extra, body, stays=stays))
    return stays


def limit_hops(connection: socket.socket, hops: int) -> None:
    """Let what is sent from now on live for *hops* hops only: AWS's HttpPutResponseHopLimit."""
    if connection.family == socket.AF_INET6:
        connection.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
    else:
        connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)


def response(method: str, status: int, extra: dict[str, str], body: str, *, stays: bool) -> bytes:
    """One HTTP/1.1 response."""
    octets = body.encode()
    headers = {
        "Content-Type": "text/plain",
        "Content-Length": str(len(octets)),
        "Server": "EC2ws",
        "Connection": "keep-alive" if stays else "close",
        **extra,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    start = f"HTTP/1.1 {status} {REASONS[status]}\r\n{head}\r\n".encode("latin-1")
    return start if method == "HEAD" else start + octets


def listen(service: Service, address: str) -> None:
    """Take connections on *address*, a thread for each."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, PORT), family=family, backlog=128) as door:
        while True:
            connection, peer = door.accept()
            threading.Thread(
                target=serve, args=(service, connection, str(peer[0])), daemon=True
            ).start()


def main() -> None:
    """Serve on every address of the options file named by the first argument."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123  pathlib takes 5 ms
        options = json.load(file)
    service = Service(options)
    doors = [
        threading.Thread(target=listen, args=(service, address)) for address in options["listen"]
    ]
    for door in doors:
        door.start()
    for door in doors:
        door.join()


if __name__ == "__main__":
    main()
