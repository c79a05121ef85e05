"""Who makes a cluster what its objects say? kube-controller-manager and kube-scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.lab import anchor, kubeconfig
from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon
from pytest_v6probe.lab.daemons import supervised

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNUSED = (
    "certificatesigningrequest-approving",
    "certificatesigningrequest-cleaner",
    "certificatesigningrequest-signing",
    "cloud-node-lifecycle",
    "ephemeral-volume",
    "horizontal-pod-autoscaler",
    "legacy-serviceaccount-token-cleaner",
    "node-ipam",
    "node-route",
    "persistentvolume-attach-detach",
    "persistentvolume-binder",
    "persistentvolume-expander",
    "persistentvolume-protection",
    "persistentvolumeclaim-protection",
    "replicationcontroller",
    "resourceclaim",
    "resourcequota",
    "service-lb",
    "storageversion-garbage-collector",
    "validatingadmissionpolicy-status",
    "volumeattributesclass-protection",
)
"""Of volumes, clouds and the like. They start one after the other, those of pods among the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeController(Daemon):
    """One of the two, alone: there is no leader to elect. It starts when the API server serves."""

    program: ClassVar[str] = "sh"

    command: str
    user: str
    """Who it is for the API server: ``system:kube-scheduler``."""
    server: str
    """The URL of the API server."""
    flags: tuple[str, ...] = ()

    @property
    def certificates(self) -> Mapping[str, Certificate]:
        """By which the API server knows it."""
        own = Certificate(name=self.user, organisation=self.user)
        return MappingProxyType({CERTIFICATE_FILE: own})

    def files(self, home: Path) -> dict[str, str]:
        config = home / "kubeconfig"
        command = (
            self.command,
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            *self.flags,
        )
        return {
            config.name: kubeconfig.text(self.server, home / CERTIFICATE_FILE),
            "supervise": supervised.script(command, before=supervised.until_ready(self.server)),
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, str(home / "supervise"))


def manager_flags(service_accounts: Path) -> tuple[str, ...]:
    """What kube-controller-manager is told besides; *service_accounts* is the key of their tokens."""
    return (
        f"--root-ca-file={anchor.AUTHORITY}",
        f"--service-account-private-key-file={service_accounts}",
        "--use-service-account-credentials=true",
        "--allocate-node-cidrs=false",  # each node's are declared
        "--node-monitor-period=1s",
        f"--controllers=*,{','.join(f'-{name}-controller' for name in UNUSED)}",
        "--flex-volume-plugin-dir=/run/volumeplugins",  # else it makes one of the machine's
    )
