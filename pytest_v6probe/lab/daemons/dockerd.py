"""Who runs containers? A Docker Engine, restarted when it ends, and the containers it starts with."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.daemon import Daemon, Question
from pytest_v6probe.lab.process import PROGRAM_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv6Address, IPv6Network

CONTENTS, IMAGES = (
    Path(__file__).with_name(f"engine_{what}.py") for what in ("contents", "images")
)
PLACE = Path(anchor.HOME, "images")
HOOK = "after-start"
"""A program below the home of the engine that runs after each restart, before `restart` returns."""
PORT, PUBLISHED_PORT = 80, 8080
PYTHON_IMAGE, PLAIN_IMAGE = "v6probe/python:lab", "v6probe/plain:lab"
WEB, PLAIN = "web", "plain"
NO_OPTIONS: Mapping[str, str] = MappingProxyType({})

SUPERVISOR = """#!/bin/sh
# Runs the engine, and again whenever it has ended, as its unit would (Restart=always).
PATH={path}:$PATH
({own_python} -I -S {images} {place} && {python} -I -S {contents} fill {home}/contents.json) &
while :; do
  rm -f /run/docker.pid /run/docker/containerd/containerd.pid
  {command}
  echo "the engine ended with status $?"
  sleep 0.2
done
"""
RESTART = """#!/bin/sh
# Restarts the engine of this host as `systemctl restart docker` would; returns when it answers.
old=$(cat /run/docker.pid) || exit 1
kill -TERM "$old" || exit 1
while kill -0 "$old" 2>/dev/null; do sleep 0.02; done
while [ ! -s /run/docker.pid ]; do sleep 0.02; done
{python} -I -S {contents} wait || exit 1
if [ -e {home}/{hook} ]; then sh {home}/{hook}; fi
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerd(Daemon):
    """An engine with its own containerd. Its daemon.json is a file of its node's /etc.

    It makes a network of *subnet* with a container `web` at *web* in it, and a container `plain`
    without python3 on the default bridge.
    """

    program: ClassVar[str] = "sh"
    deadline_s: ClassVar[float] = 60.0

    programs: Path | None = None
    """Where dockerd and docker-proxy are; without it they are the machine's."""
    flags: tuple[str, ...] = ()
    cgroup: str
    """Its containers' cgroups are below this one."""
    subnet: IPv6Network
    web: IPv6Address
    network_options: Mapping[str, str] = field(default_factory=lambda: NO_OPTIONS)
    published_on: str = ""
    """The address of the host that the port of `web` is published on; empty: all of both families.
    """
    dns: tuple[str, ...] = ()
    """The resolvers of `web`; without them they are the host's."""
    own_resolver: bool = True
    """Whether the engine's resolver, 127.0.0.11, asks others over IPv6. That of 20.10 asks over IPv4
    only: there `web` has the host's resolv.conf itself.
    """

    def files(self, home: Path) -> dict[str, str]:
        words = {
            "python": shlex.quote(sys.executable),
            # what goes into an image is the interpreter that the hosts have: often half as large
            "own_python": shutil.which("python3", path=PROGRAM_PATH) or sys.executable,
            "contents": shlex.quote(str(CONTENTS)),
            "images": shlex.quote(str(IMAGES)),
            "place": PLACE,
            "home": home,
            "hook": HOOK,
        }
        dockerd = str(self.programs / "dockerd") if self.programs is not None else "dockerd"
        command = shlex.join((dockerd, f"--cgroup-parent=/{self.cgroup}", *self.flags))
        path = self.programs or "/usr/sbin"
        return {
            "supervise": SUPERVISOR.format(command=command, path=path, **words),
            "restart": RESTART.format(**words),
            "contents.json": self.contents(),
        }

    def argv(self, home: Path) -> tuple[str, ...]:
        return (self.program, str(home / "supervise"))

    def ready(self) -> tuple[Question, ...]:
        return (
            Question(
                address=self.web,
                port=PORT,
                send=b"GET / HTTP/1.0\r\n\r\n",
                pattern=rb"HTTP/1\.[01] 200 ",
            ),
        )

    def contents(self) -> str:
        """What engine_contents.py is to make: images, networks, containers."""
        images = {PYTHON_IMAGE: f"{PLACE}/python.tar", PLAIN_IMAGE: f"{PLACE}/plain.tar"}
        return json.dumps(
            {
                "images": images,
                "networks": [self._network()],
                "containers": {WEB: self._web(), PLAIN: self._plain()},
            }
        )

    def _network(self) -> dict[str, Any]:
        return {
            "Name": WEB,
            "EnableIPv6": True,
            "IPAM": {"Config": [{"Subnet": str(self.subnet)}]},
            "Options": dict(self.network_options),
        }

    def _web(self) -> dict[str, Any]:
        published = {"HostIp": self.published_on, "HostPort": str(PUBLISHED_PORT)}
        bindings = {f"{PORT}/tcp": [published]}
        own = {WEB: {"IPAMConfig": {"IPv6Address": str(self.web)}}}
        return {
            "Image": PYTHON_IMAGE,
            "Cmd": ["httpd", "-f", "-p", str(PORT), "-h", "/www"],
            "ExposedPorts": {f"{PORT}/tcp": {}},
            "HostConfig": {
                "NetworkMode": WEB,
                "PortBindings": bindings,
                "Dns": list(self.dns),
                "Binds": [] if self.own_resolver else ["/etc/resolv.conf:/etc/resolv.conf:ro"],
            },
            "NetworkingConfig": {"EndpointsConfig": own},
        }

    def _plain(self) -> dict[str, Any]:
        return {"Image": PLAIN_IMAGE, "Cmd": ["sleep", "1000000"], "HostConfig": {}}


def home(name: str) -> Path:
    """Where the files of the engine called *name* are, seen from everywhere in the lab."""
    return Path(anchor.HOME, "daemons", name)
