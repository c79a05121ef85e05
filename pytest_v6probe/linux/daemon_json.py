"""What does Docker's daemon.json say about IPv6, the firewall and registries? dockerd(8); pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/etc/docker/daemon.json"
MAX_BYTES = 1 << 20

Network = IPv4Network | IPv6Network

_FLAGS = (
    "ipv6",
    "iptables",
    "ip6tables",
    "ip-forward",
    "ip-forward-no-drop",
    "experimental",
    "userland-proxy",
    "live-restore",
)


class Malformed(ValueError):
    """The file is not what dockerd reads. The message says where, by line and column or by key."""


@dataclass(frozen=True, slots=True)
class Pool:
    """One of default-address-pools: networks of *size* bits are cut from *base*."""

    base: Network
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonJson:
    """The keys that matter here. None, and empty, is what the file does not say."""

    ipv6: bool | None = None
    fixed_cidr_v6: IPv6Network | None = None
    iptables: bool | None = None
    ip6tables: bool | None = None
    ip_forward: bool | None = None
    ip_forward_no_drop: bool | None = None
    experimental: bool | None = None
    userland_proxy: bool | None = None
    live_restore: bool | None = None
    firewall_backend: str = ""
    default_address_pools: tuple[Pool, ...] = ()
    registry_mirrors: tuple[str, ...] = ()
    insecure_registries: tuple[str, ...] = ()
    keys: frozenset[str] = frozenset()
    """Every key of the file."""


def parse(octets: bytes) -> DaemonJson:
    """Read the file. An empty one says nothing, as to dockerd. Raises `Malformed`."""
    if len(octets) > MAX_BYTES:
        raise Malformed(f"more than {MAX_BYTES} octets")
    said = _load(octets)
    return DaemonJson(
        **{key.replace("-", "_"): _flag(said, key) for key in _FLAGS},
        fixed_cidr_v6=_prefix(said),
        firewall_backend=_text(said, "firewall-backend"),
        default_address_pools=_pools(said),
        registry_mirrors=_texts(said, "registry-mirrors"),
        insecure_registries=_texts(said, "insecure-registries"),
        keys=frozenset(said),
    )


def _load(octets: bytes) -> Mapping[str, Any]:
    try:
        text = octets.decode("utf-8")
        said = json.loads(text) if text.strip() else {}
    except UnicodeDecodeError as why:
        raise Malformed(f"octet {why.start} is not UTF-8") from why
    except json.JSONDecodeError as why:
        raise Malformed(f"line {why.lineno}, column {why.colno}: {why.msg}") from why
    except (RecursionError, ValueError) as why:
        raise Malformed("nested too deep, or a number too long") from why
    if not isinstance(said, dict):
        raise Malformed("line 1: an object was due")
    return said


def _flag(said: Mapping[str, Any], key: str) -> bool | None:
    value = said.get(key)
    if value is not None and not isinstance(value, bool):
        raise Malformed(f"{key}: true or false was due")
    return value


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{key}: a text was due")
    return value or ""


def _texts(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = said.get(key)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Malformed(f"{key}: a list of texts was due")
    return tuple(values)


def _prefix(said: Mapping[str, Any]) -> IPv6Network | None:
    text = _text(said, "fixed-cidr-v6")
    if not text:
        return None
    network = _network("fixed-cidr-v6", text)
    if not isinstance(network, IPv6Network):
        raise Malformed(f"fixed-cidr-v6: {text[:80]!r} is not IPv6")
    return network


def _pools(said: Mapping[str, Any]) -> tuple[Pool, ...]:
    key = "default-address-pools"
    values = said.get(key)
    if values is None:
        return ()
    if not isinstance(values, list):
        raise Malformed(f"{key}: a list was due")
    return tuple(_pool(f"{key}[{number}]", value) for number, value in enumerate(values))


def _pool(key: str, value: object) -> Pool:
    base = value.get("base") if isinstance(value, dict) else None
    size = value.get("size") if isinstance(value, dict) else None
    if not isinstance(base, str) or not isinstance(size, int) or isinstance(size, bool):
        raise Malformed(f"{key}: {{base, size}} was due")
    return Pool(_network(key, base), size)


def _network(key: str, text: str) -> Network:
    try:
        return ip_network(text, strict=False)  # Go's net.ParseCIDR takes host bits too
    except ValueError as why:
        raise Malformed(f"{key}: {text[:80]!r} is no prefix") from why
