"""Is a real engine asked over tcp:// with TLS, from outside its lab as from any machine, and is a
certificate that one side does not take said?
"""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.lab.certificates import Authority, Certificate, authority
from pytest_v6probe.lab.clouds import internet
from pytest_v6probe.lab.clouds.docker import DEBIAN
from pytest_v6probe.lab.daemons import dockerd
from pytest_v6probe.lab.daemons.dockerd import WEB
from tests.lab import dockers
from tests.unit.transport.docker import clients

if TYPE_CHECKING:
    from ipaddress import IPv6Address
    from pathlib import Path

    from tests.lab.dockers import DockerLab

PORT = 2376
INVENTORY = """
[environment]
name = "prod"
cloud = "aws"

[[host]]
name = "{name}"
region = "us-east-1"
ssh = "ec2-user@[{address}]"
sudo = true

[[docker]]
host = "us-east-1/{name}"
url = "tcp://[{address}]:{port}"
certificates = "{certificates}"

[[container]]
name = "{container}"
host = "us-east-1/{name}"
address = "{inside}"
"""
SESSIONS = """
import json, sys
from contextlib import closing
from pathlib import Path
from pytest_v6probe import addresses, docker_engine
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.session import Settings, open_session

def seen(file):
    settings = Settings(lab_name="", guardian_pid=0, environment=Path(file))
    with closing(open_session(settings)) as session:
        host, container = (session.vantage(host.id) for host in session.inventory.hosts)
        try:
            found = addresses(container, container.address)
            way = host.engine.name
        except Unobserved as why:
            return [why.reason, str(why)]
        return [found.verdict, docker_engine(host).verdict, way]

print(json.dumps({Path(file).stem: seen(file) for file in sys.argv[1:]}))
"""
REFUSED = {
    "nothing": ("docker-certificates", "No such file or directory"),
    "other-authority": ("docker-unreachable", "CERTIFICATE_VERIFY_FAILED"),
    "strangers": (
        "docker-forbidden",
        "is cert.pem signed by the authority that the engine trusts?",
    ),
    "servers": ("docker-forbidden", "bad certificate"),
}
"""What is said of each directory of certificates that does not do."""


def certificates(place: Path, lab: Authority) -> None:
    """A directory of each kind: what an engine and its user have, and what others might."""
    other = authority()
    for name, trusted in {
        "own": lab,
        "strangers": lab,
        "servers": lab,
        "other-authority": other,
    }.items():
        (place / name).mkdir()
        (place / name / "ca.pem").write_text(trusted.pem)
    clients.sign(lab, place / "own")
    clients.sign(lab, place / "other-authority")
    clients.sign(other, place / "strangers")
    lab.issue(Certificate(name="web-1"), place / "servers" / "cert.pem")
    (place / "servers" / "key.pem").write_text((place / "servers" / "cert.pem").read_text())


def listen(lab: DockerLab, place: Path, issuer: Authority, address: IPv6Address | None) -> None:
    """Have the engine listen with TLS as well, as its documentation says; it is restarted."""
    assert address is not None
    issuer.issue(Certificate(name=DEBIAN.name, addresses=(address,)), place / "server.pem")
    keys = {
        **json.loads(DEBIAN.daemon_json()),
        "hosts": ["unix:///var/run/docker.sock", f"tcp://[::]:{PORT}"],
        "tlsverify": True,
        "tlscacert": str(place / "own" / "ca.pem"),
        "tlscert": str(place / "server.pem"),
        "tlskey": str(place / "server.pem"),
    }
    lab.write(json.dumps(keys))
    assert lab.sh(f"sh {dockerd.home(DEBIAN.daemon)}/restart") == ""


def log_in(lab: DockerLab, home: Path) -> None:
    """Give the user whose home is *home* the key of the lab's hosts."""
    said, _ = lab.keeper.request({"do": "credentials"})
    (home / ".ssh").mkdir()
    (home / ".ssh" / "known_hosts").write_text(said["known_hosts"])
    key = home / ".ssh" / "id_ed25519"
    key.touch(mode=0o600)
    key.write_text(said["key"])


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a user on another machine sees with each directory of certificates."""
    place, issuer = tmp_path_factory.mktemp("docker"), authority()
    certificates(place, issuer)
    with dockers.docker_lab("docker-one") as lab:
        address = lab.inventory.host(DEBIAN.node).address
        listen(lab, place, issuer, address)
        log_in(lab, place)
        files = []
        for name in ("own", *REFUSED):
            files.append(place / f"{name}.toml")
            files[-1].write_text(
                INVENTORY.format(
                    name=DEBIAN.name,
                    address=address,
                    port=PORT,
                    certificates=place / name,
                    container=WEB,
                    inside=DEBIAN.web,
                )
            )
        argv = ("env", f"HOME={place}", sys.executable, "-I", "-c", SESSIONS, *map(str, files))
        said = lab.sh(shlex.join(argv), node=internet.CLIENT)
    return dict(json.loads(said))


def test_a_container_is_asked_over_tls_where_both_sides_show_certificates(
    seen: dict[str, list[str]],
):
    *verdicts, way = seen["own"]
    assert verdicts == ["usable", "agrees"]
    assert way.startswith("docker tcp://[2600:1f18:")


@pytest.mark.parametrize("name", REFUSED)
def test_certificates_that_one_side_does_not_take_are_said(seen: dict[str, list[str]], name: str):
    reason, words = seen[name]
    assert (reason, REFUSED[name][1] in words) == (REFUSED[name][0], True), words
