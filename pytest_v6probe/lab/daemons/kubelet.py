"""Who makes a node run its pods? kubelet."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from ipaddress import IPv4Address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.lab import anchor, kubeconfig
from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question
from pytest_v6probe.lab.daemons import containerd, supervised

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_v6probe.result import Address

HOME = "/var/lib/kubelet"
HEALTHZ = IPv4Address("127.0.0.1"), 10248
TUNABLES = MappingProxyType(
    {
        "vm/overcommit_memory": 1,
        "vm/panic_on_oom": 0,
        "kernel/panic": 10,
        "kernel/panic_on_oops": 1,
        "kernel/keys/root_maxkeys": 1000000,
        "kernel/keys/root_maxbytes": 25000000,
    }
)
"""Settings of the whole machine that kubelet makes (pkg/kubelet/cm, setupKernelTunables)."""
PRETEND = """if mkdir /run/tunables; then  # as if they were so already: the machine keeps its own
{lines}fi
"""
CGROUPS = """for place in /sys/fs/cgroup/*/; do mkdir -p "$place/{cgroup}"; done
"""
WAIT_FOR_IMAGES = f"while [ ! -e {containerd.IMPORTED} ]; do sleep 0.02; done\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubelet(Daemon):
    """kubelet of one node, called as its host is. It starts when containerd has its images and the
    API server serves.
    """

    program: ClassVar[str] = "sh"
    deadline_s: ClassVar[float] = 60.0

    command: str
    host: str
    addresses: tuple[Address, ...]
    """The node's internal addresses: one of each family of the cluster, the primary's first."""
    server: str
    """The URL of the API server."""
    dns: tuple[Address, ...]
    """The resolvers of its pods."""
    cgroup: str
    """Its pods' cgroups are below this one."""

    @property
    def certificates(self) -> Mapping[str, Certificate]:
        """By which the API server knows it, as a client and as a server."""
        own = Certificate(
            name=f"system:node:{self.host}",
            organisation="system:nodes",
            aliases=(self.host,),
            addresses=self.addresses,
        )
        return MappingProxyType({CERTIFICATE_FILE: own})

    def files(self, home: Path) -> dict[str, str]:
        command = (
            self.command,
            f"--config={home / 'config.json'}",
            f"--kubeconfig={home / 'kubeconfig'}",
            f"--node-ip={','.join(map(str, self.addresses))}",
            f"--root-dir={HOME}",
            f"--cert-dir={HOME}/pki",
        )
        before = (
            pretend()
            + CGROUPS.format(cgroup=self.cgroup)
            + WAIT_FOR_IMAGES
            + supervised.until_ready(self.server)
        )
        return {
            "config.json": json.dumps(self.config(home), indent=1),
            "kubeconfig": kubeconfig.text(self.server, home / CERTIFICATE_FILE),
            "supervise": supervised.script(command, before=before),
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, str(home / "supervise"))

    def ready(self) -> tuple[Question, ...]:
        address, port = HEALTHZ
        asks = b"GET /healthz HTTP/1.0\r\n\r\n"
        return (Question(address=address, port=port, send=asks, pattern=rb"HTTP/1\.[01] 200 "),)

    def config(self, home: Path) -> dict[str, Any]:
        """Its configuration, below *home*."""
        own = str(home / CERTIFICATE_FILE)
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": "::",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": anchor.AUTHORITY},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": own,
            "tlsPrivateKeyFile": own,
            "clusterDNS": [str(address) for address in self.dns],
            "clusterDomain": "cluster.local",
            "resolvConf": "/etc/resolv.conf",
            "containerRuntimeEndpoint": f"unix://{containerd.SOCKET}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.cgroup}",
            "enforceNodeAllocatable": [],
            "enableControllerAttachDetach": False,
            "failSwapOn": False,
            "syncFrequency": "2s",  # so long a changed ConfigMap takes to be in its pods
            "localStorageCapacityIsolation": False,
            "evictionHard": {},
            "imageGCHighThresholdPercent": 100,
            "makeIPTablesUtilChains": False,
            "oomScoreAdj": 0,
            "podLogsDir": "/var/log/pods",
            "volumePluginDir": f"{HOME}/volumeplugins",
            "registerWithTaints": [],
            "kubeAPIQPS": 100,
            "kubeAPIBurst": 200,
        }


def pretend() -> str:
    """Lines of shell that show kubelet the settings that it would make."""
    lines = ""
    for number, (name, value) in enumerate(TUNABLES.items()):
        file = f"/run/tunables/{number}"
        where = shlex.quote(f"/proc/sys/{name}")
        lines += f"  echo {value} > {file} && mount --bind {file} {where}\n"
    return PRETEND.format(lines=lines)
