"""How does a registry answer that is out to harm whoever pulls? One small server on [::1], and the
answers to give it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

IMAGE = "library/alpine"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
METADATA_URL = "http://169.254.169.254/latest/meta-data/"
LINK_LOCAL_URL = "http://[fe80::1]/layer"
MEGABYTE = b"a" * 2**20
IDLE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One response. *body* may be endless; without a length the end of the connection is its end.
    *silent* says nothing at all, *raw* is sent instead of a head.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Callable[[], Iterable[bytes]] = b""
    raw: bytes = b""
    silent: bool = False

    def head(self) -> bytes:
        length = (("Content-Length", str(len(self.body))),) if isinstance(self.body, bytes) else ()
        lines = "".join(f"{name}: {value}\r\n" for name, value in (*self.headers, *length))
        return f"HTTP/1.1 {self.status} X\r\nConnection: close\r\n{lines}\r\n".encode("latin-1")

    def parts(self) -> Iterable[bytes]:
        return (self.body,) if isinstance(self.body, bytes) else self.body()


Answers = dict[str, Answer]
"""By path (without the query); the answer at ``"*"`` is for every other path, else it is 404."""


@dataclass(kw_only=True)
class HostileRegistry:
    """It listens while its `listening` lasts; *requests* are the request lines it was sent, with
    their headers.
    """

    answers: Answers
    port: int = 0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent_bytes: int = 0
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://[::1]:{self.port}"

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order, without query."""
        return [line.split()[1].partition("?")[0] for line, _ in self.requests]

    def serve(self, door: socket.socket) -> None:
        while True:
            try:
                connection, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def converse(self, connection: socket.socket) -> None:
        connection.settimeout(IDLE_S)
        with connection, suppress(OSError):
            line = (
                self.tls.wrap_socket(connection, server_side=True)
                if self.tls is not None
                else connection
            )
            with line, line.makefile("rb") as stream:
                self.one(line, stream)

    def one(self, line: socket.socket, stream: Any) -> None:
        request = stream.readline(65536).decode("latin-1").strip()
        headers: dict[str, str] = {}
        while (text := stream.readline(65536).decode("latin-1").strip()) != "":
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        if not request:
            return
        self.requests.append((request, headers))
        path = request.split()[1].partition("?")[0]
        answer = self.answers.get(path, self.answers.get("*", Answer(status=404)))
        if answer.silent:
            stream.read(1)  # until the client hangs up, or IDLE_S is over
            return
        line.sendall(answer.raw or answer.head())
        if not request.startswith("HEAD "):
            for part in answer.parts():
                line.sendall(part)
                self.sent_bytes += len(part)


@contextmanager
def listening(answers: Answers, *, certificate: Path | None = None) -> Iterator[HostileRegistry]:
    """A registry that gives *answers*, over TLS if there is a *certificate* (PEM, with its key)."""
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    with socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=64) as door:
        registry = HostileRegistry(answers=answers, port=door.getsockname()[1], tls=tls)
        thread = threading.Thread(target=registry.serve, args=(door,), daemon=True)
        thread.start()
        try:
            yield registry
        finally:
            door.shutdown(socket.SHUT_RDWR)
            thread.join()


def digest(octets: bytes) -> str:
    return f"sha256:{hashlib.sha256(octets).hexdigest()}"


def descriptor(kind: str, octets: bytes, **more: Any) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest(octets), "size": len(octets), **more}


def document(value: object, kind: str) -> Answer:
    octets = json.dumps(value).encode()
    headers = (("Content-Type", kind), ("Docker-Content-Digest", digest(octets)))
    return Answer(headers=headers, body=octets)


@dataclass(frozen=True, kw_only=True)
class Image:
    """An honest image for linux/amd64: index, manifest, config and *layers*."""

    name: str = IMAGE
    layers: tuple[bytes, ...] = (gzip.compress(b"first"), gzip.compress(b"second"))
    config: bytes = b'{"architecture":"amd64","os":"linux"}'

    def manifest(self) -> Answer:
        value = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG_TYPE, self.config),
            "layers": [descriptor(LAYER_TYPE, layer) for layer in self.layers],
        }
        return document(value, MANIFEST_TYPE)

    def index(self) -> Answer:
        octets = b"".join(self.manifest().parts())
        platform = {"architecture": "amd64", "os": "linux"}
        entry = descriptor(MANIFEST_TYPE, octets, platform=platform)
        return document(index_of(entry), INDEX_TYPE)

    def manifest_path(self, reference: str = "latest") -> str:
        return f"/v2/{self.name}/manifests/{reference}"

    def blob_path(self, octets: bytes) -> str:
        return f"/v2/{self.name}/blobs/{digest(octets)}"

    def answers(self) -> Answers:
        """What an honest registry answers for it, without asking who asks."""
        manifest = self.manifest()
        found = {
            "/v2/": Answer(body=b"{}"),
            self.manifest_path(): self.index(),
            self.manifest_path(digest(b"".join(manifest.parts()))): manifest,
        }
        blobs = (self.config, *self.layers)
        return found | {self.blob_path(octets): Answer(body=octets) for octets in blobs}


def index_of(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": list(entries)}


def endless(chunk: bytes = MEGABYTE[: 2**16], *, kind: str = MANIFEST_TYPE) -> Answer:
    """A body that never ends: for a manifest, a token, a layer."""
    return Answer(headers=(("Content-Type", kind),), body=lambda: repeat(chunk))


def gzip_bomb(status: int = 500) -> Answer:
    """An error whose body of some kilobytes would be 64 MiB when decoded."""
    body = gzip.compress(bytes(2**26), 9)
    headers = (("Content-Encoding", "gzip"), ("Content-Type", "application/json"))
    return Answer(status=status, headers=headers, body=body)


def large_header(octets: int = 4 * 2**20) -> Answer:
    """One header of megabytes."""
    return Answer(headers=(("X-Padding", "a" * octets),), body=b"{}")


def many_headers() -> Answer:
    """A head that never ends, one short header after the other."""
    raw = b"HTTP/1.1 200 OK\r\n"
    return Answer(raw=raw, body=lambda: repeat(b"X-More: a\r\n" * 1000))


def redirect(url: str, status: int = 307) -> Answer:
    return Answer(status=status, headers=(("Location", url),))


def challenge(realm: str, *, service: str = "registry", scope: str = "") -> Answer:
    """401 that sends the client to *realm* for a token."""
    wanted = f'Bearer realm="{realm}",service="{service}"' + (f',scope="{scope}"' if scope else "")
    return Answer(status=401, headers=(("WWW-Authenticate", wanted),), body=b"{}")


def index_loop(image: Image) -> Answers:
    """Every manifest is an index whose only entry is yet another one that says the same."""
    platform = {"architecture": "amd64", "os": "linux"}
    entry = descriptor(INDEX_TYPE, b"never there", platform=platform)
    same = document(index_of(entry), INDEX_TYPE)
    return {**image.answers(), image.manifest_path(): same, "*": same}


def nested_indexes(image: Image, depth: int) -> Answers:
    """*depth* indexes within one another, every digest right, the image at the bottom."""
    answers, inner = image.answers(), image.index()
    for _ in range(depth):
        octets = b"".join(inner.parts())
        answers[image.manifest_path(digest(octets))] = inner
        platform = {"architecture": "amd64", "os": "linux"}
        entry = descriptor(INDEX_TYPE, octets, platform=platform)
        inner = document(index_of(entry), INDEX_TYPE)
    return {**answers, image.manifest_path(): inner}


def wrong_layer(image: Image) -> Answers:
    """The first layer has another octet at its end than its digest says, and the same length."""
    layer = image.layers[0]
    spoiled = Answer(body=layer[:-1] + bytes([layer[-1] ^ 1]))
    return {**image.answers(), image.blob_path(layer): spoiled}
