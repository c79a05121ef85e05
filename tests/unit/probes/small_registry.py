"""What does a registry serve that is small, on the loopback, and does what a test tells it?"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.probes.pull_chain import PullChain, pull_chain
from pytest_v6probe.result import Finding
from pytest_v6probe.transport.local import LocalTransport
from pytest_v6probe.vantage import Vantage

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Answer:
    """One response; *stream* writes what comes after the head by itself."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    stream: Callable[[socket.socket], None] | None = None


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes = b""


Page = Answer | Callable[[Asked], Answer]


@dataclass
class SmallServer:
    """An HTTP server on ::1: *pages* by path, without the query."""

    url: str
    port: int
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    keeps: bool = False
    """Whether it lets a connection live for more than one request."""
    connections: int = 0

    @property
    def authority(self) -> str:
        return f"[::1]:{self.port}"


def digest(octets: bytes) -> str:
    return f"sha256:{sha256(octets).hexdigest()}"


def described(octets: bytes, media_type: str = "application/octet-stream", **more) -> dict:
    return {"mediaType": media_type, "digest": digest(octets), "size": len(octets), **more}


@dataclass
class SmallImage:
    """An image of one platform behind an index."""

    layers: tuple[bytes, ...]
    config: bytes = b'{"os":"linux","architecture":"amd64"}'
    oci: bool = True

    @property
    def manifest(self) -> bytes:
        kind = OCI_MANIFEST if self.oci else DOCKER_MANIFEST
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": kind,
                "config": described(self.config),
                "layers": [described(layer) for layer in self.layers],
            }
        ).encode()

    @property
    def index(self) -> bytes:
        kind, inner = (OCI_INDEX, OCI_MANIFEST) if self.oci else (DOCKER_LIST, DOCKER_MANIFEST)
        entries = [
            described(self.manifest, inner, platform={"os": "linux", "architecture": name})
            for name in ("amd64",)
        ]
        return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()

    def pages(self, repository: str, tag: str = "latest") -> dict[str, Page]:
        kind, inner = (OCI_INDEX, OCI_MANIFEST) if self.oci else (DOCKER_LIST, DOCKER_MANIFEST)
        root = f"/v2/{repository}"
        return {
            "/v2/": Answer(body=b"{}"),
            f"{root}/manifests/{tag}": Answer(headers=(("Content-Type", kind),), body=self.index),
            f"{root}/manifests/{digest(self.manifest)}": Answer(
                headers=(("Content-Type", inner),), body=self.manifest
            ),
            **{
                f"{root}/blobs/{digest(blob)}": Answer(body=blob)
                for blob in (self.config, *self.layers)
            },
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.small.connections += 1

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        self.server.small.asked.append(asked)
        page = self.server.small.pages.get(self.path.partition("?")[0], Answer(404))
        answer = page(asked) if callable(page) else page
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.stream is None:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            if answer.stream is None:
                self.wfile.write(answer.body)
            else:
                answer.stream(self.connection)
        self.close_connection = self.close_connection or not self.server.small.keeps

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class _Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 64
    small: SmallServer

    def handle_error(self, *_: object) -> None:
        """A client that hung up is no news."""


@contextlib.contextmanager
def serving(certificate: Path | None = None) -> Iterator[SmallServer]:
    """Serve until the block ends; over TLS with *certificate* (and its key)."""
    with _Server(("::1", 0), _Handler) as server:
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        port = server.server_address[1]
        scheme = "https" if certificate else "http"
        server.small = SmallServer(url=f"{scheme}://[::1]:{port}", port=port)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.small
        finally:
            server.shutdown()
            thread.join(5)


@contextlib.contextmanager
def here(witnessed: list[Finding] | None = None) -> Iterator[Vantage]:
    """This machine as a vantage, with a real agent; what is found is put into *witnessed*."""
    agent = open_agent(LocalTransport())
    kept = [] if witnessed is None else witnessed
    try:
        yield Vantage(
            name="here",
            region="",
            host=Host(name="here"),
            connect=lambda: agent,
            prefixes=lambda _: frozenset(),
            witness=kept.append,
        )
    finally:
        agent.close()


IMAGE = SmallImage(tuple(bytes([number]) * 30_000 for number in range(12)))
NAME = "library/alpine"


def walk(at: Vantage, registry: SmallServer, **how) -> PullChain:
    """Walk the pull of NAME, over plain HTTP."""
    return pull_chain(at, f"{registry.authority}/{NAME}", plain=True, **how)
