"""Who runs the containers of a node? containerd, with the images of the lab and a CNI of its own."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.daemon import Daemon
from pytest_v6probe.lab.daemons import supervised
from pytest_v6probe.lab.process import PROGRAM_PATH

if TYPE_CHECKING:
    from pytest_v6probe.lab.topology import Network

ENGINE_IMAGES, CLUSTER_IMAGES = (
    Path(__file__).with_name(f"{whose}_images.py") for whose in ("engine", "cluster")
)
PLACE = Path(anchor.HOME, "images")
SOCKET = "/run/containerd/containerd.sock"
IMPORTED = "/run/containerd/v6probe-images"
"""There once the images are."""
CNI = "cni/net.d/10-v6probe.conflist"
"""The file below a node's /etc that says how its pods are wired."""
PYTHON_IMAGE, PLAIN_IMAGE = "docker.io/v6probe/python:lab", "docker.io/v6probe/plain:lab"
PAUSE_IMAGE = "docker.io/v6probe/pause:lab"
UNUSED = tuple(
    f"io.containerd.{name}"
    for name in (
        "internal.v1.opt",  # it makes /opt/containerd
        "snapshotter.v1.aufs",
        "snapshotter.v1.btrfs",
        "snapshotter.v1.devmapper",
        "snapshotter.v1.zfs",
        "tracing.processor.v1.otlp",
        "internal.v1.tracing",
    )
)
NO_DAD = {f"net.ipv6.conf.{which}.accept_dad": "0" for which in ("all", "default")}
"""Nobody else has the addresses of pods: as most CNI plugins do, wait for no such detection."""
CONFIG = """version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = {unused}
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""
BEFORE = """for what in all default; do  # pods' links, that is: eth0 has a setting of its own
  echo 0 > /proc/sys/net/ipv6/conf/$what/accept_dad
done
(
  {python} -I -S {engine} {place} && {python} -I -S {cluster} {place}
  while [ ! -S {socket} ]; do sleep 0.02; done
  ctr -a {socket} -n k8s.io images import {place}/cluster.tar && touch {imported}
) &
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Containerd(Daemon):
    """containerd of one node. That it is ready shows in its pods."""

    program: ClassVar[str] = "sh"

    def files(self, home: Path) -> dict[str, str]:
        words = {
            # what goes into an image is the interpreter that the hosts have: often half as large
            "python": shlex.quote(shutil.which("python3", path=PROGRAM_PATH) or sys.executable),
            "engine": shlex.quote(str(ENGINE_IMAGES)),
            "cluster": shlex.quote(str(CLUSTER_IMAGES)),
        }
        before = BEFORE.format(place=PLACE, socket=SOCKET, imported=IMPORTED, **words)
        command = ("containerd", "--config", str(home / "config.toml"), "--log-level", "warn")
        return {
            "config.toml": CONFIG.format(
                unused=json.dumps(UNUSED), socket=SOCKET, pause=PAUSE_IMAGE
            ),
            "supervise": supervised.script(command, before=before),
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, str(home / "supervise"))


def conflist(ranges: tuple[Network, ...]) -> str:
    """The CNI configuration of a node whose pods have an address out of each of *ranges*, and a
    default route of each family.
    """
    routes = [{"dst": "::/0" if net.version == 6 else "0.0.0.0/0"} for net in ranges]
    ipam: dict[str, Any] = {
        "type": "host-local",
        "ranges": [[{"subnet": str(net)}] for net in ranges],
        "routes": routes,
    }
    plugins = [
        {"type": "loopback"},
        {"type": "tuning", "sysctl": NO_DAD},
        {"type": "ptp", "ipMasq": False, "ipam": ipam},
    ]
    whole = {"cniVersion": "0.4.0", "name": "v6probe", "plugins": plugins}
    return json.dumps(whole, indent=1)
