"""What is seen of a host with an engine, from inside the lab and past everything under test? And the
sessions and runs that change it.
"""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.inventory import toml
from pytest_v6probe.lab.clouds.docker import DEBIAN
from pytest_v6probe.session import Settings, V6Session
from pytest_v6probe.transport.netns import Keeper
from tests.lab import matrix, runs

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pytest_v6probe.inventory.model import Inventory

LOOK_S = 10.0
DAEMON_JSON = "/etc/docker/daemon.json"

STATE = """
import glob, json, os, stat
def text(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("latin-1")
    except OSError:
        return ""
found = {}
for place in ("all", "default", "eth0"):
    for key in ("accept_ra", "accept_ra_defrtr", "forwarding"):
        name = "/proc/sys/net/ipv6/conf/%s/%s" % (place, key)
        found[name] = text(name).strip()
found["daemon.json"] = text("/etc/docker/daemon.json")
about = os.stat("/etc/docker/daemon.json")
found["owner and mode"] = [about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)]
found["beside it"] = sorted(os.listdir("/etc/docker"))
found["engine"] = text("/run/docker.pid")
found["networks"] = sorted(name for name in os.listdir("/sys/class/net") if name[:4] != "veth")
found["armed"] = glob.glob("/run/watchdogs-v6probe/*/door")
print(json.dumps(found))
"""
PROGRAMS = """
import glob, json, os
here, found = os.readlink("/proc/self/ns/net"), []
for folder in set(glob.glob("/proc/[0-9]*")) - {"/proc/%d" % os.getpid()}:
    try:
        with open(folder + "/cmdline", "rb") as file:
            command = file.read()
        if b'"<v6probe>"' in command and os.readlink(folder + "/ns/net") == here:
            found.append(folder + " " + command[-60:].decode("ascii", "replace"))
    except OSError:
        continue
print(json.dumps(found))
"""
POST = """
import socket, sys
body = sys.argv[2].encode()
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect("/var/run/docker.sock")
head = "POST %s HTTP/1.0\\r\\nHost: docker\\r\\nContent-Type: application/json\\r\\n" % sys.argv[1]
s.sendall(("%sContent-Length: %d\\r\\n\\r\\n" % (head, len(body))).encode() + body)
print(s.recv(300).split(b" ")[1].decode())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerLab:
    """A lab with engines that is up, seen by its keeper."""

    keeper: Keeper
    environment: Path

    @property
    def inventory(self) -> Inventory:
        """Its inventory, as a run with ``--v6-env`` reads it."""
        return toml.load(self.environment)

    def sh(self, script: str, *, node: str = DEBIAN.node) -> str:
        """What *script* writes, run by root in *node*, standard error too."""
        return self._said(node, "sh", "-c", f"exec 2>&1; {script}")

    def default_route(self) -> dict[str, Any]:
        """The IPv6 default route of the host, as ip(8) has it; empty if there is none."""
        routes = json.loads(self.sh("ip -6 -json route show default") or "[]")
        return routes[0] if routes else {}

    def learned(self) -> tuple[str, str]:
        """By whom the default route was put there, and where it leads."""
        route = self.default_route()
        return route.get("protocol", ""), route.get("gateway", "")

    def state(self) -> dict[str, Any]:
        """What an action may change, but for the route."""
        return dict(json.loads(self._python(STATE)))

    def programs(self) -> list[str]:
        """The processes on the host that this project started there and that still run."""
        return list(json.loads(self._python(PROGRAMS)))

    def post(self, path: str, body: object, *, node: str) -> int:
        """The status with which the engine of *node* answers a POST by its own socket."""
        return int(self._python(POST, path, json.dumps(body), node=node))

    def write(self, text: str) -> None:
        """Put *text* into the host's daemon.json."""
        octal = "".join(f"\\{octet:03o}" for octet in text.encode("utf-8"))
        assert self.sh(f"printf '{octal}' > {DAEMON_JSON}") == ""

    def engine_pid(self, *, node: str = DEBIAN.node) -> str:
        """The process of the engine, as the lab numbers it."""
        return self.sh("cat /run/docker.pid", node=node).strip()

    def session(
        self, inventory: Inventory | None = None, *, disruptive: bool = True
    ) -> closing[V6Session]:
        """A session of its own connections on this lab."""
        settings = Settings(
            lab_name=self.keeper.name,
            guardian_pid=0,
            environment=self.environment,
            disruptive=disruptive,
        )
        return closing(V6Session(settings=settings, inventory=inventory or self.inventory))

    def _python(self, script: str, *argv: str, node: str = DEBIAN.node) -> str:
        return self._said(node, "python3", "-I", "-S", "-c", script, *argv)

    def _said(self, node: str, *argv: str) -> str:
        return runs.said(self.keeper, node, *argv, within_s=LOOK_S)


@contextmanager
def docker_lab(shape: str) -> Iterator[DockerLab]:
    """A lab of *shape* that is this process's own."""
    with matrix.lab(shape) as (keeper, environment):
        yield DockerLab(keeper=keeper, environment=environment)


@contextmanager
def fault(lab: DockerLab, name: str) -> Iterator[None]:
    """The lab has the fault *name* meanwhile."""
    lab.keeper.request({"do": "break", "fault": name}, timeout_s=60)
    try:
        yield
    finally:
        lab.keeper.request({"do": "mend", "fault": name}, timeout_s=60)


def run(
    lab: DockerLab, source: str, folder: Path
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A run of pytest on *lab*, with the test file *source*, that may change its hosts."""
    return runs.run(source, folder, "--v6-disruptive", "--v6-env", str(lab.environment))
