"""A machine of one's own for a moment: namespaces with a private /run, an interface and its peer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
WORLD = """
set -e
mount -t tmpfs tmpfs /run
ip link set lo up
ip link add name eth0 type veth peer name far
ip link set far up; ip link set eth0 up
ip -6 route add default via fe80::1 dev eth0 proto ra metric 512 expires 1700
ip -6 route add default via fe80::9 dev eth0 proto static metric 2000
umask 027; echo old > /run/daemon.json
exec "$@"
"""
BEGIN = """
import json, os, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from pytest_v6probe.actions.actor import open_actor
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.transport.local import LocalTransport

def ip(*words):
    out = subprocess.run(["ip", "-j", "-6", *words], stdout=-1, check=True).stdout
    return json.loads(out or "[]")

def routes():
    keys = ("gateway", "dev", "protocol", "metric")
    return [[route.get(key) for key in keys] for route in ip("route", "show", "default")]

def sh(text):
    subprocess.run(["sh", "-c", text], check=True, stdout=-3)

def sysctl(name):
    return open("/proc/sys/net/ipv6/conf/" + name).read().strip()
"""
Inside = Callable[..., Any]
ROOTLESS = () if os.geteuid() == 0 else ("-U", "--map-auto", "--map-root-user")
AS_ROOT = ("unshare", *ROOTLESS)
"""What makes a program root, at least of its own namespaces."""


@pytest.fixture(scope="session")
def inside() -> Inside:
    """Run a script in a machine of its own, and give what it prints as JSON."""

    def run(script: str, *arguments: str) -> Any:
        unshare = (*AS_ROOT, "-pmnf", "--mount-proc", "--kill-child", "sh", "-c", WORLD, "sh")
        python = (sys.executable, "-I", "-c", BEGIN + script, str(ROOT), *arguments)
        ended = subprocess.run((*unshare, *python), check=False, capture_output=True, timeout=60)
        assert ended.returncode == 0, ended.stderr.decode()
        return json.loads(ended.stdout)

    return run
