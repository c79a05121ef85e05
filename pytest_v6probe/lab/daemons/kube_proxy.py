"""Who makes the addresses of services lead to pods on a node? kube-proxy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.lab import kubeconfig
from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question
from pytest_v6probe.lab.daemons import supervised
from pytest_v6probe.rfc import rfc1035

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_v6probe.lab.topology import Network
    from pytest_v6probe.result import Address

USER = "system:kube-proxy"
API_NAME = "kubernetes.default.svc.cluster.local"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeProxy(Daemon):
    """kube-proxy of one node. It is ready when the cluster's DNS answers there, at each of its
    addresses.
    """

    program: ClassVar[str] = "sh"
    deadline_s: ClassVar[float] = 90.0

    command: str
    server: str
    """The URL of the API server."""
    pods: tuple[Network, ...]
    """What is not from there gets the node's address when it asks a service."""
    dns: tuple[Address, ...]
    """The addresses of the cluster's DNS, the primary family's first."""
    mode: str = "nftables"
    node_ports: tuple[Network, ...] = ()
    """NodePorts are on the node's addresses in these; empty: on all."""

    @property
    def certificates(self) -> Mapping[str, Certificate]:
        """By which the API server knows it."""
        return MappingProxyType({CERTIFICATE_FILE: Certificate(name=USER, organisation=USER)})

    def files(self, home: Path) -> dict[str, str]:
        command = (self.command, f"--config={home / 'config.json'}")
        return {
            "config.json": json.dumps(self.config(home), indent=1),
            "kubeconfig": kubeconfig.text(self.server, home / CERTIFICATE_FILE),
            "supervise": supervised.script(command, before=supervised.until_ready(self.server)),
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, str(home / "supervise"))

    def ready(self) -> tuple[Question, ...]:
        # RFC 1035 §4.1.1: QR, AA, RD, RA, NOERROR
        record = "AAAA" if self.dns[0].version == 6 else "A"
        query = rfc1035.query(API_NAME, record, id=0x7636)
        return tuple(
            Question(
                address=address, port=53, send=query, pattern=rb"v6\x85\x80|v6\x85\x00", udp=True
            )
            for address in self.dns
        )

    def config(self, home: Path) -> dict[str, Any]:
        """Its configuration, below *home*. It leaves alone what is the whole machine's."""
        alone = {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s"}
        alone |= {"tcpCloseWaitTimeout": "0s", "udpTimeout": "0s", "udpStreamTimeout": "0s"}
        often = {"minSyncPeriod": "100ms", "syncPeriod": "30s"}
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": self.mode,
            "clientConnection": {"kubeconfig": str(home / "kubeconfig"), "qps": 100, "burst": 200},
            "clusterCIDR": ",".join(map(str, self.pods)),
            "conntrack": alone,
            "nftables": often,
            "iptables": often,
            "nodePortAddresses": list(map(str, self.node_ports)),
            "oomScoreAdj": 0,
        }
