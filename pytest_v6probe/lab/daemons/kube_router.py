"""Who enforces network policies on a node? kube-router, by iptables and ipset, and it does nothing else."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab import kubeconfig
from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question
from pytest_v6probe.lab.daemons import supervised

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_v6probe.lab.topology import Network

USER = "system:kube-router"
METRICS_PORT = 20241
RESTORE = "bin/ip6tables-restore"
SPELT_ALIKE = "s/--match-set KUBE-/--match-set inet6:KUBE-/g"
"""kube-router 2.1.0 names sets of IPv6 addresses ``inet6:NAME``, and its rules say NAME alone: with
pods in a policy none of its IPv6 rules took effect (cloudnativelabs/kube-router#1653).
"""
DISCOVERY_ALLOWED = (
    "/RELATED,ESTABLISHED/{p;"
    "s/-m conntrack --ctstate RELATED,ESTABLISHED/-p icmpv6 --icmpv6-type neighbour-solicitation/p;"
    "s/-solicitation/-advertisement/}"
)
"""What kube-router 2.1.0 denies with a policy for egress (cloudnativelabs/kube-router#1895): RFC 4890
§4.4.1 says that it must not be dropped. ARP passes no firewall.
"""
MENDED = f"{SPELT_ALIKE};{DISCOVERY_ALLOWED}"
EDITED = """#!/bin/sh
sed {program} | PATH="${{PATH#*:}}" ip6tables-restore "$@"
"""
ON_PATH = """chmod 0755 {restore}
export PATH={bin}:$PATH
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeRouter(Daemon):
    """kube-router of one node. It is ready when it serves its metrics, for which it waits until it knows
    all pods and policies; that it is healthy it says from the start.
    """

    program: ClassVar[str] = "sh"
    deadline_s: ClassVar[float] = 90.0

    command: str
    server: str
    """The URL of the API server."""
    host: str
    """What the API calls its node."""
    services: tuple[Network, ...]
    """The ranges of services of the families in which it enforces policies."""
    ipv6_rules: str = MENDED
    """What is done to its rules for IPv6 on their way, as a program of sed."""

    @property
    def certificates(self) -> Mapping[str, Certificate]:
        """By which the API server knows it."""
        return MappingProxyType({CERTIFICATE_FILE: Certificate(name=USER, organisation=USER)})

    def files(self, home: Path) -> dict[str, str]:
        restore = home / RESTORE
        before = ON_PATH.format(restore=restore, bin=restore.parent)
        before += supervised.until_ready(self.server)
        return {
            RESTORE: EDITED.format(program=shlex.quote(self.ipv6_rules)),
            "kubeconfig": kubeconfig.text(self.server, home / CERTIFICATE_FILE),
            "supervise": supervised.script((self.command, *self.flags(home)), before=before),
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, str(home / "supervise"))

    def ready(self) -> tuple[Question, ...]:
        return (
            Question(
                address=IPv6Address("::1"),
                port=METRICS_PORT,
                send=b"GET /metrics HTTP/1.0\r\n\r\n",
                pattern=rb"HTTP/1\.[01] 200 ",
            ),
        )

    def flags(self, home: Path) -> tuple[str, ...]:
        """Its options, below *home*."""
        versions = {known.version for known in self.services}
        return (
            f"--kubeconfig={home / 'kubeconfig'}",
            f"--hostname-override={self.host}",
            "--run-router=false",
            "--run-service-proxy=false",
            "--run-firewall=true",
            f"--enable-ipv6={_spelt(6 in versions)}",
            f"--enable-ipv4={_spelt(4 in versions)}",
            f"--service-cluster-ip-range={','.join(map(str, self.services))}",
            "--health-port=0",
            "--metrics-addr=[::1]",
            f"--metrics-port={METRICS_PORT}",
        )


def _spelt(yes: bool) -> str:  # noqa: FBT001  # a word for it
    return str(yes).lower()
