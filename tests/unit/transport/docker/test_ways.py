"""Is an engine reached by each way, and is it said why where it is not?"""

import contextlib
import shutil
import socket
import ssl
import sys
from ipaddress import IPv6Address
from threading import Thread

import pytest

from pytest_v6probe.errors import DeadlinePassed, VantageUnreachable
from pytest_v6probe.inventory.model import Docker
from pytest_v6probe.lab.certificates import Certificate, authority
from pytest_v6probe.transport.docker import ways
from pytest_v6probe.transport.docker.engine import open_engine
from pytest_v6probe.transport.docker.sdk import Refusal
from pytest_v6probe.transport.docker.ways import RELAY
from pytest_v6probe.transport.local import LocalTransport
from tests.unit.transport.docker.clients import sign
from tests.unit.transport.docker.played import VERSION, read_request, said

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
    assert opened.inspect("x") == Refusal(404, "no such thing: GET /containers/x/json")
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
        sign(lab, place)
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
    assert by_tls(tls_port, certificates / "own").api_version == "1.45"


def test_a_stranger_over_tls_is_not_believed(tls_port, certificates):
    with pytest.raises(VantageUnreachable, match="CERTIFICATE_VERIFY_FAILED") as caught:
        by_tls(tls_port, certificates / "stranger")
    assert caught.value.reason == "docker-unreachable"


@pytest.mark.parametrize(
    ("file", "text"),
    [("ca.pem", None), ("cert.pem", None), ("key.pem", ""), ("ca.pem", "what is no certificate")],
)
def test_certificates_that_cannot_be_read_are_named_with_their_place(certificates, file, text):
    own = certificates / "own"
    (own / file).unlink()
    if text is not None:
        (own / file).write_text(text)
    with pytest.raises(
        VantageUnreachable, match=f"{own}: .* ca.pem, cert.pem and key.pem"
    ) as caught:
        by_tls(2376, own)
    assert caught.value.reason == "docker-certificates"


def test_the_place_of_certificates_may_be_in_the_users_home(tls_port, certificates, monkeypatch):
    monkeypatch.setenv("HOME", str(certificates))
    assert by_tls(tls_port, "~/own").api_version == "1.45"


@pytest.fixture
def not_taken(certificates):
    """Certificates of a client that trusts the engine, which does not trust it."""
    mixed = certificates / "mixed"
    shutil.copytree(certificates / "stranger", mixed)
    shutil.copy(certificates / "own" / "ca.pem", mixed / "ca.pem")
    return mixed


def test_a_certificate_that_the_engine_does_not_take_is_unobserved(tls_port, not_taken):
    with pytest.raises(VantageUnreachable, match=r"is cert\.pem signed by the authority") as caught:
        by_tls(tls_port, not_taken)
    assert caught.value.reason == "docker-forbidden"


def test_why_a_connection_was_closed_is_heard_by_who_writes_on(tls_port, not_taken):
    docker = Docker(host="x", url=f"tcp://[::1]:{tls_port}", certificates=str(not_taken))
    (way,) = ways.ways(docker, host_id="x", through=None, sudo=False, python="python3")
    with (
        contextlib.closing(way.connect(5)) as channel,
        pytest.raises(VantageUnreachable) as caught,
    ):
        write_on(channel)
    assert caught.value.reason == "docker-forbidden"


def write_on(channel):
    while True:
        channel.send(b"GET / HTTP/1.1\r\n", timeout_s=5)


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
    assert ways._tls("x", why).reason == reason


def test_a_port_where_nobody_listens_is_unreachable(certificates):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
        port = free.getsockname()[1]
    with pytest.raises(VantageUnreachable, match="refused") as caught:
        by_tls(port, certificates / "own")
    assert caught.value.reason == "docker-unreachable"
