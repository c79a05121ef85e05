"""How is a flight recording built for a reader? Line by line, as the agent's recorder writes it."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from ipaddress import IPv6Address

from tests.unit.probes.seen import address, default_route, link

CONF = "/proc/sys/net/ipv6/conf"
SETTINGS = {
    "all/forwarding": "0",
    "eth0/forwarding": "0",
    "eth0/accept_ra": "1",
    "eth0/accept_ra_defrtr": "1",
}


def b64(octets: bytes) -> str:
    return b64encode(octets).decode()


def flight(*lines: dict | bytes) -> bytes:
    whole = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return b"".join(line + b"\n" for line in whole)


def start(*routes: bytes, settings: dict[str, str] | None = None, **more) -> dict:
    values = {**SETTINGS, **(settings or {})}
    return {
        "kind": "start",
        "t_s": 0,
        "up_s": 1000.0,
        "clock_s": 1.7e9,
        "raw": True,
        "links": b64(link()),
        "routes": b64(b"".join(routes)),
        "addresses": "",
        "sysctls": {f"{CONF}/{name}": value for name, value in values.items()},
        **more,
    }


def end(t_s: float, *routes: bytes, **more) -> dict:
    return {"kind": "end", "t_s": t_s, "why": "asked", "lost": 0, "routes": b64(b"".join(routes)), "sysctls": {}, **more}  # fmt: skip


def routed(t_s: float, route: bytes, *, there: bool = True, port: int = 0, flags: int = 0) -> dict:
    kind = 24 if there else 25
    octets = route[:4] + struct.pack("<HH", kind, flags) + route[8:]
    return {"kind": "netlink", "t_s": t_s, "port": port, "payload": b64(octets)}


def addressed(t_s: float, port: int = 0) -> dict:
    return {"kind": "netlink", "t_s": t_s, "port": port, "payload": b64(address("2001:db8::5"))}


def linked(t_s: float, *, up: bool) -> dict:
    octets = bytearray(link())
    struct.pack_into("<I", octets, 24, 0x11043 if up else 0x1002)
    return {"kind": "netlink", "t_s": t_s, "port": 0, "payload": b64(bytes(octets))}


def setting(t_s: float, name: str, value: str) -> dict:
    return {"kind": "sysctl", "t_s": t_s, "name": f"{CONF}/{name}", "value": value}


def advertised(t_s: float, lifetime_s: int | None = 1800, source: str = "fe80::1") -> dict:
    said = {"kind": "ra", "t_s": t_s, "from": source, "interface": "eth0", "hop_limit": 255}
    if lifetime_s is not None:
        octets = bytes((134, 0, 0, 0, 64, 0)) + lifetime_s.to_bytes(2, "big") + bytes(8)
        said["payload"] = b64(octets)
    return said


def counted(t_s: float) -> dict:
    return {"kind": "ra-counted", "t_s": t_s, "interface": "eth0", "count": 1}


ROUTE = default_route()
LEFT = default_route(expires_s=1700.0)
GATEWAY = IPv6Address("fe80::1")
NOTHING = struct.pack("<IHHIIi", 20, 3, 2, 1, 0, 0)
"""The end of a dump that has no default route in it."""
