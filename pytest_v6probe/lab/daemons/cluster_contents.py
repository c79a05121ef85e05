"""Who fills a cluster of the lab, and says when it is as it is to be? A program beside its API server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.kube import rbac
from pytest_v6probe.lab import anchor, kubeconfig
from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question
from pytest_v6probe.lab.daemons import supervised

if TYPE_CHECKING:
    from collections.abc import Mapping

DOOR, PORT = IPv6Address("::1"), 6440
TOLD, CONFIG = "contents.json", "kubeconfig"
USER_CERTIFICATE, USER_CONFIG = "user.pem", "user-kubeconfig"
"""Of the user that runs of pytest are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterContents(Daemon):
    """Makes *objects* as the cluster's administrator. It is ready when *nodes* and *pods* are."""

    program: ClassVar[str] = "sh"
    deadline_s: ClassVar[float] = 90.0

    server: str
    """The URL of the API server."""
    objects: tuple[tuple[str, Mapping[str, Any]], ...]
    """Each with the path of the collection that it is made in."""
    nodes: tuple[str, ...]
    pods: tuple[tuple[str, str, int], ...]
    """Namespace, label selector, and how many of them are to be ready."""
    stated: tuple[tuple[str, int], ...] = ()
    """The path of a collection, and how many of its objects are to have a status."""
    reminded: tuple[str, ...] = ()
    """The paths of the objects whose watchers are reminded of them until that is so."""

    @property
    def certificates(self) -> Mapping[str, Certificate]:
        """By which the API server knows the administrator, and the user that runs of pytest are."""
        own = Certificate(name="kubernetes-admin", organisation="system:masters")
        user = Certificate(name=rbac.NAME, organisation=rbac.NAME)
        return MappingProxyType({CERTIFICATE_FILE: own, USER_CERTIFICATE: user})

    def files(self, home: Path) -> dict[str, str]:
        command = supervised.client("fill", str(home / TOLD))
        return {
            TOLD: json.dumps(self.told(home)),
            CONFIG: kubeconfig.text(self.server, home / CERTIFICATE_FILE),
            USER_CONFIG: kubeconfig.text(self.server, home / USER_CERTIFICATE),
            "supervise": supervised.script(command),
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, str(home / "supervise"))

    def ready(self) -> tuple[Question, ...]:
        return (Question(address=DOOR, port=PORT, send=b"?", pattern=rb"ready\n"),)

    def told(self, home: Path) -> dict[str, Any]:
        """What cluster_client.py reads, below *home*."""
        groups = [
            {"namespace": namespace, "selector": selector, "count": count}
            for namespace, selector, count in self.pods
        ]
        return {
            "server": self.server,
            "authority": anchor.AUTHORITY,
            "certificate": str(home / CERTIFICATE_FILE),
            "door": [str(DOOR), PORT],
            "objects": [[path, dict(made)] for path, made in self.objects],
            "ready": {
                "nodes": list(self.nodes),
                "pods": groups,
                "stated": self.stated,
                "reminded": self.reminded,
            },
        }


def home(name: str) -> Path:
    """Where the files of the daemon called *name* are, seen from everywhere in the lab."""
    return Path(anchor.HOME, "daemons", name)
