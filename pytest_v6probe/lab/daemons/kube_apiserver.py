"""Who answers for a cluster? kube-apiserver, with RBAC and Node authorization, over TLS alone."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question
from pytest_v6probe.lab.daemons import etcd, supervised

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_v6probe.lab.topology import Network
    from pytest_v6probe.result import Address

PORT = 6443
ISSUER = "https://kubernetes.default.svc.cluster.local"
SERVICE_ACCOUNTS = "service-accounts.pem"
"""The certificate whose key signs the tokens of service accounts."""
CLIENT = "client.pem"
ALIASES = tuple(f"kubernetes.default{more}" for more in ("", ".svc", ".svc.cluster.local"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeApiserver(Daemon):
    """Listens on every address of its node. What its certificate is for is in *served*."""

    program: ClassVar[str] = "sh"
    deadline_s: ClassVar[float] = 60.0

    command: str
    addresses: tuple[Address, ...]
    """Of its node: the first is the one that it advertises."""
    served: tuple[Address, ...]
    """What clients call it by, besides `addresses`: its addresses as a service."""
    services: tuple[Network, ...]
    """The ranges of services, the primary family's first."""

    @property
    def certificates(self) -> Mapping[str, Certificate]:
        """Its own, that of the tokens it signs, and that by which etcd and kubelets know it."""
        own = Certificate(
            name="kubernetes", aliases=ALIASES, addresses=(*self.addresses, *self.served)
        )
        tokens = Certificate(name="service-accounts", organisation="v6probe")
        client = Certificate(name="kube-apiserver", organisation="system:masters")
        return MappingProxyType({CERTIFICATE_FILE: own, SERVICE_ACCOUNTS: tokens, CLIENT: client})

    def files(self, home: Path) -> dict[str, str]:
        return {"supervise": supervised.script((self.command, *self.flags(home)))}

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, str(home / "supervise"))

    def flags(self, home: Path) -> tuple[str, ...]:
        """Its command line."""
        own, tokens, client = (home / name for name in (CERTIFICATE_FILE, SERVICE_ACCOUNTS, CLIENT))
        return (
            "--bind-address=::",
            f"--secure-port={PORT}",
            f"--advertise-address={self.addresses[0]}",
            f"--tls-cert-file={own}",
            f"--tls-private-key-file={own}",
            f"--client-ca-file={anchor.AUTHORITY}",
            f"--etcd-servers={etcd.URL}",
            f"--etcd-cafile={anchor.AUTHORITY}",
            f"--etcd-certfile={client}",
            f"--etcd-keyfile={client}",
            f"--kubelet-certificate-authority={anchor.AUTHORITY}",
            f"--kubelet-client-certificate={client}",
            f"--kubelet-client-key={client}",
            "--kubelet-preferred-address-types=InternalIP",  # names of nodes resolve nowhere
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={tokens}",
            f"--service-account-signing-key-file={tokens}",
            f"--service-cluster-ip-range={','.join(map(str, self.services))}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--profiling=false",
        )

    def ready(self) -> tuple[Question, ...]:
        # Go's net/http says so to a client that does not start a handshake
        return tuple(
            Question(
                address=address,
                port=PORT,
                send=b"GET / HTTP/1.0\r\n\r\n",
                pattern=rb"HTTP/1\.0 400 ",
            )
            for address in self.addresses
        )
