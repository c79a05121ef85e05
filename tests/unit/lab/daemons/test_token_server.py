"""Does the token service give each client what it may have, signed so that a registry can tell?"""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from pytest_v6probe.lab.certificates import Certificate, authority, signer
from pytest_v6probe.lab.daemons.token_server import REFUSED, Door, Requests, Tokens

if TYPE_CHECKING:
    from pathlib import Path

NAME = "auth.docker.io"
PULL = {"scope": "repository:library/alpine:pull"}
PUSH = {"scope": "repository:team/app:pull,push"}
ME = {"username": "me", "password": "secret"}


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    made: Path = tmp_path_factory.mktemp("tokens") / "certificate.pem"
    authority().issue(Certificate(name=NAME), made)
    return made


def tokens(file: Path, **options: Any) -> Tokens:
    known = {"users": {"me": "secret"}, "public": ["library/"], "refuses": False}
    said = {"certificate": str(file), "service": "registry", "issuer": NAME}
    return Tokens({**known, **said, **options})


def part(token: str, number: int) -> bytes:
    text = token.split(".")[number]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def granted(answer: tuple[int, dict[str, Any]]) -> list[dict[str, Any]]:
    assert answer[0] == 200
    access: list[dict[str, Any]] = json.loads(part(answer[1]["token"], 1))["access"]
    return access


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_anybody_may_pull_what_is_public(file: Path):
    assert granted(tokens(file).answer(PULL, "")) == [
        {"type": "repository", "name": "library/alpine", "actions": ["pull"]}
    ]


def test_nobody_gets_more_than_that_without_logging_in(file: Path):
    assert granted(tokens(file).answer(PUSH, "")) == []
    both = {"scope": "repository:library/alpine:pull,push"}
    assert granted(tokens(file).answer(both, "")) == [
        {"type": "repository", "name": "library/alpine", "actions": ["pull"]}
    ]


@pytest.mark.parametrize("how", ["form", "basic"])
def test_who_has_logged_in_may_push(file: Path, how: str):
    form, header = ({**PUSH, **ME}, "") if how == "form" else (PUSH, basic("me:secret"))
    assert granted(tokens(file).answer(form, header)) == [
        {"type": "repository", "name": "team/app", "actions": ["pull", "push"]}
    ]


def test_a_name_with_a_port_in_a_scope_is_a_name(file: Path):
    form = {"scope": "repository:host:5000/app:pull repository:library/b:pull", **ME}
    names = [one["name"] for one in granted(tokens(file).answer(form, ""))]
    assert names == ["host:5000/app", "library/b"]


@pytest.mark.parametrize(
    ("form", "header"),
    [
        ({**PULL, "username": "me", "password": "no"}, ""),
        ({**PULL, "username": "you", "password": ""}, ""),
        (PULL, basic("me:no")),
        (PULL, basic("me:")),
        (PULL, basic("stranger:secret")),
    ],
)
def test_a_wrong_password_is_refused_though_nobody_needs_one(file: Path, form, header):
    assert tokens(file).answer(form, header) == (401, REFUSED)


@pytest.mark.parametrize("header", ["%%%", "/w==", ""])
def test_a_header_that_is_no_base64_is_as_none(file: Path, header: str):
    assert len(granted(tokens(file).answer(PULL, header))) == 1


def test_a_service_that_refuses_gives_nobody_a_token(file: Path):
    asked = tokens(file, refuses=True)
    assert asked.answer(PULL, "") == asked.answer({**PULL, **ME}, "") == (401, REFUSED)


def test_a_token_is_signed_with_the_key_of_the_certificate_it_carries(file: Path):
    token = tokens(file).token("", PULL["scope"])
    header = json.loads(part(token, 0))
    signature = part(token, 2)
    (der,) = [base64.b64decode(text) for text in header["x5c"]]
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert (header["typ"], header["alg"], len(signature)) == ("JWT", "ES256", 64)
    pair = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    signed = token.rpartition(".")[0].encode()
    key.verify(utils.encode_dss_signature(*pair), signed, ec.ECDSA(hashes.SHA256()))


def test_a_key_of_another_kind_signs_no_token():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(TypeError, match=r"`Authority\.issue`"):
        signer(pem.decode())


@pytest.fixture
def door(file: Path):
    Requests.tokens = tokens(file)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    made = Door("::1", 0, tls)
    thread = Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://[::1]:{made.server_address[1]}/token"
    made.shutdown()
    thread.join()
    made.server_close()


def fetched(request: str | urllib.request.Request) -> tuple[int, dict[str, Any]]:
    unverified = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(request, context=unverified, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as why:
        with why:
            return why.code, json.load(why)


def test_it_answers_over_tls_a_query_and_a_form(door: str):
    query = fetched(f"{door}?service=registry&scope=repository:library/alpine:pull")
    form = fetched(urllib.request.Request(door, b"username=me&password=secret&scope=x"))
    wrong = urllib.request.Request(door, headers={"Authorization": f"Basic {basic('me:no')}"})
    assert [len(granted(query)), granted(form)] == [1, []]
    assert fetched(wrong) == (401, REFUSED)
