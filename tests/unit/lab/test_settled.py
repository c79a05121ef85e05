"""Does a host count as settled exactly when its address is usable and it has a default route?"""

from __future__ import annotations

import os
import subprocess
from ipaddress import IPv6Address

import pytest

from pytest_v6probe.lab import settled
from pytest_v6probe.lab.topology import Node

ADDRESS = IPv6Address("2001:db8::1")
NODE = Node(name="web-1", hostname="web-1", advertised=ADDRESS)


@pytest.mark.parametrize(
    ("flags", "routers", "said"),
    [
        ({}, ("fe80",), "has not formed 2001:db8::1"),
        ({ADDRESS.packed.hex(): 0x40}, ("fe80",), "still tentative"),
        ({ADDRESS.packed.hex(): 0x48}, ("fe80",), "duplicate address detection failed"),
        ({ADDRESS.packed.hex(): 0}, (), "has no default route"),
    ],
)
def test_what_is_missing_is_named(monkeypatch, flags, routers, said: str):
    monkeypatch.setattr(settled, "address_flags", lambda _: flags)
    monkeypatch.setattr(settled, "default_routers", lambda _: routers)
    assert said in settled.missing(NODE, 1)


def test_a_host_with_address_and_route_lacks_nothing(monkeypatch):
    monkeypatch.setattr(settled, "address_flags", lambda _: {ADDRESS.packed.hex(): 0x80})
    monkeypatch.setattr(settled, "default_routers", lambda _: ("fe80",))
    assert settled.missing(NODE, 1) == ""


def test_proc_is_read_as_ip_reads_the_kernel():
    said = subprocess.run(("ip", "-6", "-o", "addr"), capture_output=True, text=True, check=True)
    expected = {IPv6Address(line.split()[3].split("/")[0]) for line in said.stdout.splitlines()}
    flags = settled.address_flags(os.getpid())
    assert {IPv6Address(bytes.fromhex(octets)) for octets in flags} == expected


def test_default_routes_are_those_ip_shows():
    said = subprocess.run(
        ("ip", "-6", "route", "show", "default"), capture_output=True, text=True, check=True
    )
    assert len(settled.default_routers(os.getpid())) == len(said.stdout.splitlines())
