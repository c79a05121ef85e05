"""Is an engine reached by each way, and is it said why where it is not?"""

import contextlib
import os
import shutil
import socket
import ssl
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pytest_v6probe.errors import DeadlinePassed, VantageUnreachable
from pytest_v6probe.inventory.model import Docker
from pytest_v6probe.lab.certificates import Certificate, authority
from pytest_v6probe.transport import docker_dial
from pytest_v6probe.transport.docker import open_engine
from pytest_v6probe.transport.docker_dial import RELAY
from pytest_v6probe.transport.local import LocalTransport
from tests.unit.transport.engine import VERSION, read_request, said

LOOPBACK = IPv6Address("::1")


class Host:
    """A host whose commands are those in *programs*; the others are not found, as a shell says."""

    def __init__(self, **programs):
        self.programs = programs
        self.asked = []

    name = "ssh web-1"

    def start(self, argv, *, timeout_s):
        self.asked.append(tuple(argv))
        shown = {word: self.programs.get(word) for word in argv[:1]}
        program = shown[argv[0]] or [
            "sh",
            "-c",
            f"echo '{argv[0]}: command not found' >&2; exit 127",
        ]
        rest = argv[1:] if program == [sys.executable] else ()
        return LocalTransport().start([*program, *rest], timeout_s=timeout_s)

    def close(self):
        """Nothing."""


def engine(socket_path, host, **kwargs):
    docker = Docker(host="web-1", socket=str(socket_path))
    return open_engine(docker, host_id="web-1", through=host, **{"timeout_s": 10, **kwargs})


def failure(*args, **kwargs):
    with pytest.raises(VantageUnreachable) as caught:
        engine(*args, **kwargs)
    return caught.value


def test_through_a_host_the_docker_command_is_the_way(play):
    fake = play()
    host = Host(docker=[sys.executable, "-c", RELAY, str(fake.path)])
    assert engine(fake.path, host).api_version == "1.45"
    url = f"unix://{fake.path}"
    assert host.asked == [("docker", "-H", url, "system", "dial-stdio")]


def test_where_there_is_no_docker_command_python_is_the_way(play):
    fake = play()
    host = Host(python3=[sys.executable])
    opened = engine(fake.path, host)
    assert opened.info() == {"ServerVersion": "27.3.1"}
    assert [argv[0] for argv in host.asked] == ["docker", "python3", "python3"]


def test_with_sudo_every_program_is_started_by_it(play):
    fake = play()
    host = Host(sudo=[sys.executable, "-c", RELAY, str(fake.path)])
    engine(fake.path, host, sudo=True)
    assert host.asked[0][:5] == ("sudo", "-n", "--", "docker", "-H")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Cannot connect to the Docker daemon at unix:///x. Is it running?", "docker-unreachable"),
        ("permission denied while trying to connect to the socket", "docker-forbidden"),
        ("docker: not found", "docker-unreachable"),
    ],
)
def test_the_last_words_of_the_way_say_why(words, reason):
    host = Host(docker=["sh", "-c", f"echo '{words}' >&2; exit 1"])
    assert failure("/run/x.sock", host).reason == reason


def test_a_host_that_is_silent_is_given_up_in_time():
    with pytest.raises(DeadlinePassed):
        engine("/run/x.sock", Host(docker=["sleep", "30"]), timeout_s=0.5)


def test_a_socket_that_is_not_there_is_unreachable(tmp_path):
    assert failure(tmp_path / "none.sock", None).reason == "docker-unreachable"


def test_a_socket_that_may_not_be_used_is_forbidden(play, monkeypatch):
    fake = play()

    def refuse(self, _address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert failure(fake.path, None).reason == "docker-forbidden"


def sign_a_client(lab, place):
    """The lab's own certificates are for servers; one for a client is made here."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    signed = (
        x509.CertificateBuilder(lab.certificate.subject, named, key.public_key(), 7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(lab.key.public_key()), critical=False
        )
        .sign(lab.key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (place / "cert.pem").write_bytes(signed.public_bytes(pem))
    (place / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.fixture
def certificates(tmp_path):
    """Two directories as DOCKER_CERT_PATH wants them: an authority's, and a stranger's."""
    for name in ("own", "stranger"):
        place = tmp_path / name
        place.mkdir()
        lab = authority()
        (place / "ca.pem").write_text(lab.pem)
        lab.issue(Certificate(name="engine.example", addresses=(LOOPBACK,)), place / "cert.pem")
        shutil.copy(place / "cert.pem", place / "server.pem")
        sign_a_client(lab, place)
    return tmp_path


@pytest.fixture
def tls_port(certificates):
    """An engine that wants a certificate of its own authority."""
    own = certificates / "own"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own / "server.pem")
    context.load_verify_locations(own / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    plain, _ = listener.accept()
                    answer(plain)

        def answer(plain):
            with (
                contextlib.suppress(OSError, ValueError),
                context.wrap_socket(plain, server_side=True) as secure,
            ):
                read_request(secure)
                secure.sendall(said(200, VERSION))

        Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def by_tls(port, certificates):
    docker = Docker(host="web-1", url=f"tcp://[::1]:{port}", certificates=str(certificates))
    return open_engine(docker, host_id="web-1", through=None)


def test_over_tls_both_sides_show_certificates(tls_port, certificates):
    assert by_tls(tls_port, certificates / "own").version() == VERSION


@pytest.mark.parametrize(
    ("cut", "said_of_it"),
    [("stranger", "CERTIFICATE_VERIFY_FAILED"), ("none", "No such file or directory")],
)
def test_a_stranger_over_tls_is_not_believed(tls_port, certificates, cut, said_of_it):
    with pytest.raises(VantageUnreachable, match=said_of_it) as caught:
        by_tls(tls_port, certificates / cut)
    assert caught.value.reason == "docker-unreachable"


def test_a_certificate_that_the_engine_does_not_take_is_unobserved(tls_port, certificates):
    mixed = certificates / "mixed"
    shutil.copytree(certificates / "stranger", mixed)
    shutil.copy(certificates / "own" / "ca.pem", mixed / "ca.pem")
    with pytest.raises(VantageUnreachable) as caught:
        by_tls(tls_port, mixed)
    # its alert may be lost: a reset, for the request that it has not read, can overtake it
    assert caught.value.reason in {"docker-forbidden", "docker-unreachable"}


@pytest.mark.parametrize(
    ("alert", "reason"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "docker-forbidden"),
        ("TLSV1_ALERT_UNKNOWN_CA", "docker-forbidden"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "docker-forbidden"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "docker-unreachable"),
        ("CERTIFICATE_VERIFY_FAILED", "docker-unreachable"),
    ],
)
def test_an_alert_about_our_certificate_is_the_engines_no(alert, reason):
    why = ssl.SSLError(1, alert)
    why.reason = alert
    assert docker_dial._tls("x", why).reason == reason


def test_a_port_where_nobody_listens_is_unreachable():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
        port = free.getsockname()[1]
    with pytest.raises(VantageUnreachable, match="refused") as caught:
        by_tls(port, os.devnull)
    assert caught.value.reason == "docker-unreachable"
