"""Does the walk along an image's servers get all of it, say what is broken, and keep secrets? Real
servers on ::1, the real agent.
"""

import json
from base64 import b64decode
from dataclasses import replace
from ipaddress import IPv6Address

import pytest

from pytest_v6probe.inventory.model import Image
from pytest_v6probe.lab.certificates import authority
from pytest_v6probe.linux.docker_config import Credentials
from pytest_v6probe.probes.pull_chain import pull_chain
from pytest_v6probe.result import Finding, Layer, Path
from tests.unit.probes.small_registry import IMAGE, NAME, Answer, digest, here, serving, walk

TOKEN = "a-token-that-nobody-may-see"
PASSWORD = "hunter2-of-the-registry"
ALICE = Credentials(username="alice", password=PASSWORD)
ROLES = ("registry", "index", "manifest", "config", *["layer"] * 12)


@pytest.fixture(scope="module")
def at():
    with here() as vantage:
        yield vantage


@pytest.fixture
def registry():
    with serving() as server:
        server.pages.update(IMAGE.pages(NAME))
        yield server


@pytest.fixture
def other():
    with serving() as server:
        yield server


def broken(chain):
    hop = chain.first_broken
    return (chain.verdict, hop and hop.role, chain.broken_layer)


@pytest.mark.parametrize("oci", [True, False], ids=["oci", "docker"])
def test_a_whole_image_is_got_and_no_layer_leaves_the_vantage(at, registry, oci):
    image = replace(IMAGE, oci=oci)
    registry.pages.update(image.pages(NAME))
    chain = walk(at, registry)
    assert chain.verdict == "complete"
    assert tuple(hop.role for hop in chain.hops) == ROLES
    assert {hop.verdict for hop in chain.hops} == {"ok"}
    assert chain.total_bytes == len(IMAGE.config) + 12 * 30_000
    assert [layer.digest for layer in chain.layers] == [digest(one) for one in IMAGE.layers]
    assert chain.path is Path.NATIVE
    assert chain.families == {registry.authority: {"ipv6"}}
    assert chain.addresses == {IPv6Address("::1")}


def test_an_image_by_its_digest_needs_no_index(at, registry):
    reference = f"{registry.authority}/{NAME}@{digest(IMAGE.manifest)}"
    chain = pull_chain(at, Image(reference=reference), plain=True)
    assert chain.verdict == "complete"
    assert [hop.role for hop in chain.hops][:2] == ["registry", "manifest"]
    assert chain.image == reference


def test_a_part_of_each_layer_is_got_where_that_is_enough(at, registry):
    def part(asked):
        assert asked.headers["range"] == "bytes=0-99"
        return Answer(206, body=IMAGE.layers[0][:100])

    registry.pages.update({f"/v2/{NAME}/blobs/{digest(one)}": part for one in IMAGE.layers})
    chain = walk(at, registry, range_bytes=100)
    assert (chain.verdict, chain.total_bytes) == ("complete", len(IMAGE.config) + 1200)


def moved(registry, other):
    """The layers are at another server, as those of Docker Hub and ECR are."""
    for layer in IMAGE.layers:
        path = f"/v2/{NAME}/blobs/{digest(layer)}"
        location = f"{other.url}/{digest(layer)[7:]}?X-Amz-Signature={TOKEN}"
        registry.pages[path] = Answer(307, (("Location", location),))
        other.pages[f"/{digest(layer)[7:]}"] = Answer(body=layer)


def guarded(registry, other, *, token=TOKEN):
    """The registry wants a token of another server."""

    def asked(page):
        def check(request):
            if request.headers.get("authorization") != f"Bearer {token}":
                realm = f'Bearer realm="{other.url}/token",service="lab"'
                return Answer(401, (("WWW-Authenticate", realm),), b'{"errors":[]}')
            return page

        return check

    registry.pages.update({path: asked(page) for path, page in registry.pages.items()})
    other.pages["/token"] = Answer(body=json.dumps({"token": token}).encode())


def test_token_and_redirects_are_followed_and_nothing_secret_is_told(at, registry, other):
    moved(registry, other)
    guarded(registry, other)
    witnessed: list[Finding] = []
    with here(witnessed) as vantage:
        chain = walk(vantage, registry)
    assert chain.verdict == "complete"
    roles = ["registry", "token", *ROLES[1:], *["layer"] * 12]
    assert [hop.role for hop in chain.hops] == roles
    assert [hop.verdict for hop in chain.hops if hop.role == "registry"] == ["token-wanted"]
    assert set(chain.families) == {registry.authority, other.authority}
    token = next(asked for asked in other.asked if asked.path.startswith("/token"))
    assert token.path == f"/token?service=lab&scope=repository:{NAME}:pull"
    assert all("authorization" not in asked.headers for asked in other.asked)
    assert witnessed == [chain]
    assert TOKEN not in repr(chain)
    assert TOKEN not in "".join(chain.evidence)


@pytest.mark.parametrize("status", [200, 307, 404])
def test_a_token_that_the_registry_says_again_is_not_told(at, registry, other, status):
    guarded(registry, other)
    again = {"mediaType": TOKEN, "errors": [{"code": TOKEN, "message": TOKEN}]}
    answer = Answer(status, (("Location", f"http://{TOKEN}.example/"),), json.dumps(again).encode())
    registry.pages[f"/v2/{NAME}/manifests/latest"] = answer
    chain = walk(at, registry)
    assert not chain.complete
    assert TOKEN not in repr(chain)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority for ::1, which TLS names by its address."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    issuer = authority()

    def issue(name, days=30, address="::1"):
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(7)
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(IPv6Address(address))]), critical=False
            )
            .sign(issuer.key, hashes.SHA256())
        )
        file = tmp_path_factory.mktemp("tls") / "server.pem"
        file.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file

    return issuer.pem, issue


def over_tls(at, file, ca, *, credentials=None, prepare=lambda server: None):
    with serving(file) as server:
        server.pages.update(IMAGE.pages(NAME))
        prepare(server)
        reference = f"{server.authority}/{NAME}"
        return pull_chain(at, Image(reference=reference, ca=ca), credentials=credentials), server


def test_over_tls_each_hop_says_whose_certificate_it_was(at, certificates):
    ca, issue = certificates
    chain, _ = over_tls(at, issue("registry.lab"), ca)
    assert chain.verdict == "complete"
    told = {
        (hop.certificate.subject, hop.certificate.issuer)
        for hop in chain.hops
        if hop.certificate is not None
    }
    assert told == {("registry.lab", "v6probe lab")}


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        ({"days": -1}, "tls-expired"),
        ({"address": "::2"}, "tls-name-mismatch"),
    ],
    ids=["expired", "another-name"],
)
def test_a_certificate_that_does_not_hold_is_named(at, certificates, made, verdict):
    ca, issue = certificates
    chain, _ = over_tls(at, issue("registry.lab", **made), ca)
    assert broken(chain) == (verdict, "registry", Layer.TLS)


def test_a_certificate_of_nobody_known_is_untrusted(at, certificates):
    _, issue = certificates
    chain, _ = over_tls(at, issue("registry.lab"), authority().pem)
    assert broken(chain) == ("tls-untrusted", "registry", Layer.TLS)


def basic(server):
    pages = dict(server.pages)

    def check(path):
        def page(asked):
            if asked.headers.get("authorization", "").startswith("Basic "):
                return pages[path]
            return Answer(401, (("WWW-Authenticate", 'Basic realm="lab"'),))

        return page

    server.pages.update({path: check(path) for path in pages})


def test_a_password_opens_a_registry_and_is_told_to_nobody_else(at, certificates):
    ca, issue = certificates
    chain, server = over_tls(at, issue("registry.lab"), ca, credentials=ALICE, prepare=basic)
    assert chain.verdict == "complete"
    sent = {asked.headers.get("authorization", "") for asked in server.asked[1:]}
    assert {b64decode(value[6:]).decode() for value in sent} == {f"alice:{PASSWORD}"}
    assert PASSWORD not in repr(chain)
    assert not any(value[6:] in repr(chain) for value in sent)


def test_without_a_password_it_stays_closed(at, certificates):
    ca, issue = certificates
    chain, _ = over_tls(at, issue("registry.lab"), ca, prepare=basic)
    assert broken(chain) == ("unauthorised", "registry", Layer.REGISTRY)


def test_a_redirect_from_tls_to_plain_http_is_not_followed(at, certificates, other):
    ca, issue = certificates
    chain, _ = over_tls(at, issue("registry.lab"), ca, prepare=lambda server: moved(server, other))
    assert broken(chain) == ("plain-http-redirect", "layer", Layer.REGISTRY)
    assert other.asked == []


def test_an_identity_token_is_posted_to_the_realm_and_to_no_redirect(at, certificates, other):
    ca, issue = certificates

    def prepare(server):
        realm = f'Bearer realm="{server.url}/token",service="lab"'
        server.pages["/v2/"] = Answer(401, (("WWW-Authenticate", realm),))
        server.pages["/token"] = Answer(307, (("Location", f"{server.url}/elsewhere"),))

    secret = Credentials(identity_token=PASSWORD)
    chain, server = over_tls(at, issue("registry.lab"), ca, credentials=secret, prepare=prepare)
    assert broken(chain) == ("refused-redirect", "token", Layer.REGISTRY)
    assert f"refresh_token={PASSWORD}".encode() in server.asked[-1].body
    assert PASSWORD not in repr(chain)


def test_credentials_do_not_go_over_plain_http(at):
    with pytest.raises(ValueError, match="plain http"):
        pull_chain(at, "r.example/a", plain=True, credentials=ALICE)


@pytest.mark.parametrize("image", ["", "http://x/y", "192.0.2.1/a"])
def test_what_cannot_be_asked_over_ipv6_is_a_value_error(at, image):
    with pytest.raises(ValueError, match=r"."):
        pull_chain(at, image)


def loop(registry):
    path = f"/v2/{NAME}/manifests/latest"
    registry.pages[path] = Answer(307, (("Location", f"{path}?again"),))


def spoiled(registry):
    layer = IMAGE.layers[0]
    registry.pages[f"/v2/{NAME}/blobs/{digest(layer)}"] = Answer(body=layer[:-1] + b"x")


def short(registry):
    registry.pages[f"/v2/{NAME}/blobs/{digest(IMAGE.config)}"] = Answer(body=b"{}")


def changed(registry):
    path = f"/v2/{NAME}/manifests/{digest(IMAGE.manifest)}"
    registry.pages[path] = Answer(body=IMAGE.manifest + b" ")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(loop, ("loop", "manifest", Layer.REGISTRY), id="redirect-loop"),
        pytest.param(spoiled, ("digest-mismatch", "layer", Layer.REGISTRY), id="layer"),
        pytest.param(short, ("digest-mismatch", "config", Layer.REGISTRY), id="config"),
        pytest.param(changed, ("digest-mismatch", "manifest", Layer.REGISTRY), id="manifest"),
        pytest.param(
            lambda r: r.pages.update({"/v2/": Answer(404)}),
            ("not-found", "registry", Layer.REGISTRY),
            id="no-registry",
        ),
        pytest.param(
            lambda r: r.pages.update({"/v2/": Answer(401, (("WWW-Authenticate", "="),))}),
            ("garbage", "registry", Layer.REGISTRY),
            id="no-challenge",
        ),
        pytest.param(
            lambda r: r.pages.update({f"/v2/{NAME}/manifests/latest": Answer(429)}),
            ("rate-limited", "manifest", Layer.REGISTRY),
            id="too-many",
        ),
        pytest.param(
            lambda r: r.pages.update({f"/v2/{NAME}/manifests/latest": Answer(body=b"<html>")}),
            ("garbage", "manifest", Layer.REGISTRY),
            id="no-manifest",
        ),
    ],
)
def test_what_a_registry_does_wrong_is_named(at, registry, change, expected):
    change(registry)
    assert broken(walk(at, registry)) == expected


def test_another_platform_is_not_there(at, registry):
    chain = walk(at, registry, platform="linux/riscv64")
    assert broken(chain) == ("no-such-platform", "index", Layer.REGISTRY)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_realm_that_gives_no_token_refuses_it(at, registry, other, status):
    guarded(registry, other)
    other.pages["/token"] = Answer(status)
    assert broken(walk(at, registry)) == ("token-refused", "token", Layer.REGISTRY)


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/",
        "http://[fe80::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[64:ff9b::169.254.169.254]/x",
        "http://[fd00::1]/x",
        "http://10.0.0.1/x",
    ],
)
def test_a_redirect_to_where_no_registry_is_is_not_followed(at, registry, location):
    layer = f"/v2/{NAME}/blobs/{digest(IMAGE.layers[0])}"
    registry.pages[layer] = Answer(307, (("Location", location),))
    assert broken(walk(at, registry)) == ("refused-redirect", "layer", Layer.REGISTRY)


def test_a_refused_connection_is_a_finding(at):
    with serving() as server:
        gone = server.authority
    chain = pull_chain(at, f"{gone}/{NAME}", plain=True)
    assert broken(chain) == ("refused", "registry", Layer.TCP)


def test_a_name_with_a_records_only_has_no_ipv6(at, registry):
    chain = pull_chain(at, f"localhost:{registry.port}/{NAME}", plain=True)
    assert chain.verdict in {"no-aaaa", "complete"}  # as /etc/hosts has it here
    assert chain.families[f"localhost:{registry.port}"] >= {"ipv4"} or chain.complete
