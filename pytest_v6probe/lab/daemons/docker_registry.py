"""Who keeps container images? Distribution's registry as Debian packages it: a store, or a mirror."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question
from pytest_v6probe.lab.daemons.nginx import literal

if TYPE_CHECKING:
    from pytest_v6probe.lab.certificates import Certificate
    from pytest_v6probe.result import Address

CONTENT = Path(__file__).with_name("registry_content.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What is in a registry before anybody pushes: *form* is ``docker`` (one manifest, schema 2),
    ``list`` (a manifest list of two platforms) or ``oci`` (an OCI index of two).
    """

    name: str
    tag: str = "latest"
    form: str = "docker"
    layers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Where a registry sends who has no token."""

    url: str
    service: str
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerRegistry(Daemon):
    """Answers on *port* of its *addresses*, over TLS if it has a *certificate*; writes one line an
    answer to its log.
    """

    program: ClassVar[str] = "docker-registry"

    addresses: tuple[Address, ...]
    """One, or all that its node has."""
    port: int
    certificate: Certificate | None = None
    images: tuple[Image, ...] = ()
    origin: str = ""
    """The registry whose images they are; its own name where that is empty."""
    realm: Realm | None = None
    redirect: str = ""
    """The URL below which another server has the blobs: clients are sent there."""
    remote: str = ""
    """The URL of the registry that it mirrors."""
    read_only: bool = False
    """Take no push."""
    operators: tuple[Address, int] | None = None
    """Address and port where it counts, in plain HTTP."""

    def files(self, home: Path) -> dict[str, str]:
        content = {
            "storage": str(storage(self.name)),
            "spoiled": str(spoiled(self.name)) if self.redirect else "",
            "images": [
                {**asdict(image), "origin": self.origin or self.name} for image in self.images
            ],
        }
        # every JSON text is a YAML text
        return {"content.json": json.dumps(content), "config.yml": json.dumps(self._config(home))}

    def argv(self, home: Path) -> tuple[str, ...]:
        return (
            sys.executable,
            "-I",
            "-S",
            str(CONTENT),
            str(home / "content.json"),
            self.program,
            "serve",
            str(home / "config.yml"),
        )

    def ready(self) -> tuple[Question, ...]:
        # Go's net/http says so to a client that does not start a handshake
        pattern = rb"HTTP/1\.0 400 " if self.certificate else rb"HTTP/1\.1 (200|401) "
        return tuple(
            Question(
                address=address,
                port=self.port,
                send=b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n",
                pattern=pattern,
            )
            for address in self.addresses
        )

    def _config(self, home: Path) -> dict[str, Any]:
        where = literal(self.addresses[0]) if len(self.addresses) == 1 else ""
        http: dict[str, Any] = {"addr": f"{where}:{self.port}", "secret": "of this lab"}
        if self.certificate is not None:
            file = str(home / CERTIFICATE_FILE)  # Go's X509KeyPair takes one file for both
            http["tls"] = {"certificate": file, "key": file}
        if self.operators is not None:
            address, port = self.operators
            http["debug"] = {"addr": f"{literal(address)}:{port}"}
        config: dict[str, Any] = {
            "version": "0.1",
            "log": {"level": "warn"},
            "storage": {
                "filesystem": {"rootdirectory": str(storage(self.name))},
                "delete": {"enabled": True},
                "maintenance": {"readonly": {"enabled": self.read_only}},
            },
            "http": http,
        }
        if self.redirect:
            options = {"baseurl": self.redirect}
            config["middleware"] = {"storage": [{"name": "redirect", "options": options}]}
        if self.remote:
            config["proxy"] = {"remoteurl": self.remote}
        return config | self._auth()

    def _auth(self) -> dict[str, Any]:
        if self.realm is None:
            return {}
        return {
            "auth": {
                "token": {
                    "realm": self.realm.url,
                    "service": self.realm.service,
                    "issuer": self.realm.issuer,
                    "rootcertbundle": anchor.AUTHORITY,
                }
            }
        }


def storage(name: str) -> Path:
    """Where the registry called *name* keeps what it has."""
    return Path(anchor.HOME, "daemons", name, "storage")


def spoiled(name: str) -> Path:
    """Where the same blobs are with another last octet."""
    return Path(anchor.HOME, "daemons", name, "spoiled")
