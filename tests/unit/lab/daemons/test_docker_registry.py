"""Does Debian's registry do what the lab's daemon tells it: images, tokens, redirects, pushes?"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.certificates import Authority, Certificate, authority
from pytest_v6probe.lab.clouds import registry
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE
from pytest_v6probe.lab.daemons.docker_registry import DockerRegistry, Image, Realm, storage
from pytest_v6probe.lab.daemons.registry_front import BlobHost, RegistryFront
from pytest_v6probe.lab.daemons.token_server import Tokens
from pytest_v6probe.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.lab.daemon import Daemon

LOOPBACK = IPv6Address("::1")
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ACCEPT = {"Accept": MANIFEST}
REALM = Realm(url="https://auth.example/token", service="registry", issuer="auth.example")
Answer = tuple[int, dict[str, str], bytes]


def free_port() -> int:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as door:
        port: int = door.getsockname()[1]
        return port


@pytest.fixture
def lab(tmp_path: Path, monkeypatch) -> Authority:
    """An authority, and a place for daemons, as a running lab has them."""
    made = authority()
    monkeypatch.setattr(anchor, "HOME", str(tmp_path))
    monkeypatch.setattr(anchor, "AUTHORITY", str(tmp_path / "authority.pem"))
    (tmp_path / "authority.pem").write_text(made.pem)
    return made


def a_registry(**options: Any) -> DockerRegistry:
    known: dict[str, Any] = {"images": (Image(name="alpine"),), "port": free_port()}
    return DockerRegistry(name="own", node="own", addresses=(LOOPBACK,), **{**known, **options})


def laid_out(daemon: Daemon, lab: Authority) -> Path:
    home = Path(anchor.HOME, "daemons", daemon.name)
    home.mkdir(parents=True, exist_ok=True)
    for name, text in daemon.files(home).items():
        (home / name).write_text(text)
    if getattr(daemon, "certificate", None) is not None:
        lab.issue(Certificate(name="localhost", addresses=(LOOPBACK,)), home / CERTIFICATE_FILE)
    return home


@contextmanager
def running(daemon: DockerRegistry, lab: Authority) -> Iterator[None]:
    home = laid_out(daemon, lab)
    environment = {**os.environ, "SSL_CERT_FILE": anchor.AUTHORITY}
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(daemon.argv(home), stdout=log, stderr=log, env=environment) as process,
    ):
        try:
            (question,) = daemon.ready()
            said = eventually(
                lambda: raw(question.port, question.send),
                until=lambda got: re.match(question.pattern, got) is not None,
                within_s=10,
                every_s=0.02,
            )
            assert re.match(question.pattern, said), (home / "log").read_text()
            yield
        finally:
            process.kill()


def raw(port: int, octets: bytes) -> bytes:
    try:
        with socket.create_connection(("::1", port), timeout=1) as door:
            door.sendall(octets)
            return door.recv(100)
    except OSError:
        return b""


def ask(
    daemon: DockerRegistry,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    if daemon.certificate is None:
        line = http.client.HTTPConnection("::1", daemon.port, timeout=5)
    else:
        trust = ssl.create_default_context(cafile=anchor.AUTHORITY)
        line = http.client.HTTPSConnection("::1", daemon.port, timeout=5, context=trust)
    try:
        line.request(method, path, body, headers or {})
        answer = line.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, fields, answer.read()
    finally:
        line.close()


def manifest(daemon: DockerRegistry, name: str = "alpine") -> dict[str, Any]:
    status, _, body = ask(daemon, f"/v2/{name}/manifests/latest", headers=ACCEPT)
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def test_it_serves_over_tls_the_images_it_was_filled_with(lab):
    daemon = a_registry(certificate=Certificate(name="localhost"))
    with running(daemon, lab):
        (layer,) = manifest(daemon)["layers"]
        status, _, body = ask(daemon, f"/v2/alpine/blobs/{layer['digest']}")
    assert (status, len(body)) == (200, layer["size"])


def test_it_takes_a_push_and_keeps_it_when_it_is_started_again(lab):
    daemon = a_registry()
    with running(daemon, lab):
        pushed = push(daemon, manifest(daemon))
    with running(daemon, lab):
        assert (pushed, manifest(daemon, "mine")["schemaVersion"]) == (201, 2)


def push(daemon: DockerRegistry, whole: dict[str, Any]) -> int:
    """Mount the blobs of alpine into the repository mine, and put the manifest there."""
    for blob in (whole["config"], *whole["layers"]):
        place = f"/v2/mine/blobs/uploads/?mount={blob['digest']}&from=alpine"
        ask(daemon, place, method="POST")
    put = {"Content-Type": MANIFEST}
    body = json.dumps(whole).encode()
    return ask(daemon, "/v2/mine/manifests/latest", method="PUT", headers=put, body=body)[0]


def test_a_registry_that_is_read_only_takes_no_push(lab):
    daemon = a_registry(read_only=True)
    with running(daemon, lab):
        assert push(daemon, manifest(daemon)) == 405


def test_it_sends_who_has_no_token_to_the_realm_and_takes_a_signed_one(lab, tmp_path):
    daemon = a_registry(realm=REALM, images=(Image(name="library/alpine"),))
    lab.issue(Certificate(name=REALM.issuer), tmp_path / "signer.pem")
    authority().issue(Certificate(name=REALM.issuer), tmp_path / "stranger.pem")
    scope = "repository:library/alpine:pull"
    path = "/v2/library/alpine/manifests/latest"
    with running(daemon, lab):
        status, headers, _ = ask(daemon, path, headers=ACCEPT)
        taken = [
            ask(daemon, path, headers={**ACCEPT, "Authorization": f"Bearer {token}"})[0]
            for token in (
                tokens(tmp_path / "signer.pem").token("", scope),
                tokens(tmp_path / "stranger.pem").token("", scope),
                tokens(tmp_path / "signer.pem").token("", "repository:other:pull"),
            )
        ]
    challenge = f'Bearer realm="{REALM.url}",service="{REALM.service}",scope="{scope}"'
    assert (status, headers["www-authenticate"]) == (401, challenge)
    assert taken == [200, 401, 401]


def tokens(file: Path) -> Tokens:
    known = {"certificate": str(file), "service": REALM.service, "issuer": REALM.issuer}
    return Tokens({**known, "users": {}, "public": ["library/"], "refuses": False})


def test_it_sends_clients_elsewhere_for_blobs_to_a_path_of_its_storage(lab):
    daemon = a_registry(redirect="http://blobs.example/")
    with running(daemon, lab):
        digest = manifest(daemon)["layers"][0]["digest"]
        status, headers, _ = ask(daemon, f"/v2/alpine/blobs/{digest}")
    path = headers["location"].removeprefix("http://blobs.example")
    assert status == 307
    assert (storage("own") / path.lstrip("/")).exists()


def test_a_mirror_fetches_what_it_lacks_and_counts_it(lab):
    origin = a_registry(images=(Image(name="library/alpine"), Image(name="library/new")))
    port = free_port()
    mirror = replace(
        a_registry(
            remote=f"http://[::1]:{origin.port}",
            origin="own",
            images=origin.images[:1],
            operators=(LOOPBACK, port),
        ),
        name="mirror",
    )
    with running(origin, lab), running(mirror, lab):
        fetched = [manifest(mirror, f"library/{name}") for name in ("alpine", "new")]
        there = [manifest(origin, f"library/{name}") for name in ("alpine", "new")]
        counters = json.loads(ask(replace(mirror, port=port), "/debug/vars")[2])
    counted = counters["registry"]["proxy"]["manifests"]
    assert fetched == there
    assert (counted["Requests"] >= 2, counted["Misses"]) == (True, 1)


FRONTS = [
    daemon
    for daemon in registry.shape("test").daemons
    if isinstance(daemon, BlobHost | RegistryFront)
]


@pytest.mark.parametrize("daemon", FRONTS, ids=[daemon.name for daemon in FRONTS])
def test_nginx_takes_its_configuration(daemon, lab):
    home = laid_out(daemon, lab)
    text = (home / "nginx.conf").read_text()
    listening = sorted(re.findall(r"listen (\S+?)(?:;| ssl;)", text))
    local = re.sub(r"listen \S+:(80|443)\b", lambda _: f"listen [::1]:{free_port()}", text)
    (home / "nginx.conf").write_text(local)
    ran = subprocess.run(
        ("/usr/sbin/nginx", "-t", *daemon.argv(home)[1:]), capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    ports = (80, 443) if isinstance(daemon, BlobHost) else (443,)
    literals = [f"[{one}]" if one.version == 6 else f"{one}" for one in daemon.addresses]
    assert listening == sorted(f"{one}:{port}" for one in literals for port in ports)
