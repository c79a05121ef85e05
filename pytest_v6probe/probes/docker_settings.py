"""How is an engine really set, as far as its API tells, and where does daemon.json say otherwise?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_network
from typing import Any
from urllib.parse import urlsplit

from pytest_v6probe.linux.daemon_json import DaemonJson, Pool
from pytest_v6probe.probes import docker_answer, replies

IP6TABLES_SINCE = (1, 46)
"""The API version of Engine 27.0, from which on ip6tables is on by default (docs.docker.com,
Engine API, version history; release notes 27.0).
"""
KEEPS_POLICY_SINCE = (1, 48)
"""That of Engine 28.0, which has ``--ip-forward-no-drop`` and drops only where it turned forwarding on
(release notes 28.0; 27.x always drops).
"""
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``/version``, ``/info`` and the default network say. None, and empty, is unknown."""

    version: str = ""
    api_version: str = ""
    firewall_backend: str = ""
    ipv6: bool | None = None
    fixed_cidr_v6: IPv6Network | None = None
    userland_proxy: bool | None = None
    live_restore: bool | None = None
    experimental: bool | None = None
    pools: tuple[Pool, ...] = ()
    mirrors: frozenset[str] = frozenset()
    insecure_registries: frozenset[str] = frozenset()

    @classmethod
    def read(
        cls, version: Mapping[str, Any], info: Mapping[str, Any], network: Mapping[str, Any]
    ) -> Settings:
        """The settings in three answers, each of which may be empty or of any shape."""
        backend = docker_answer.inner(info, "FirewallBackend")
        registries = docker_answer.inner(info, "RegistryConfig")
        return cls(
            version=docker_answer.text(version, "Version"),
            api_version=docker_answer.text(version, "ApiVersion"),
            firewall_backend=docker_answer.text(backend, "Driver").partition("+")[0],
            ipv6=docker_answer.flag(network, "EnableIPv6"),
            fixed_cidr_v6=next(iter(prefixes(network, "IPRange") or prefixes(network)), None),
            userland_proxy=_userland_proxy(backend),
            live_restore=docker_answer.flag(info, "LiveRestoreEnabled"),
            experimental=docker_answer.flag(info, "ExperimentalBuild"),
            pools=_pools(info),
            mirrors=frozenset(map(_place, _texts(registries, "Mirrors"))),
            insecure_registries=_insecure(registries),
        )

    @property
    def filters_ipv6_by_default(self) -> bool | None:
        """Whether this version has ip6tables on by itself; None for an unknown version."""
        return None if self._api is None else self._api >= IP6TABLES_SINCE

    def forward_policy(self, said: DaemonJson, *, ip6tables: bool | None) -> str:
        """What it does to the host's policy for forwarded IPv6: ``drop``; ``kept``, where it leaves
        it as it is; ``drop-if-it-forwards``: only where it turned forwarding on itself (28.0); empty
        for what is not known.
        """
        if self._api is None or ip6tables is None:
            return ""
        if not ip6tables or self.firewall_backend == "nftables" or said.ip_forward_no_drop:
            return "kept"
        if self._api >= KEEPS_POLICY_SINCE:
            return "drop-if-it-forwards"
        return "drop" if self._api >= IP6TABLES_SINCE else ""

    @property
    def _api(self) -> tuple[int, int] | None:
        major, _, minor = self.api_version.partition(".")
        if not (major.isdecimal() and minor.isdecimal() and len(major + minor) < 9):
            return None
        return int(major), int(minor)

    def shown(self, key: str) -> str:
        """What the engine has for *key* of daemon.json, for a person."""
        value = {
            "ipv6": self.ipv6,
            "fixed-cidr-v6": self.fixed_cidr_v6,
            "live-restore": self.live_restore,
            "experimental": self.experimental,
            "userland-proxy": self.userland_proxy,
            "firewall-backend": self.firewall_backend or "iptables",
            "default-address-pools": [f"{pool.base} by {pool.size}" for pool in self.pools],
            "registry-mirrors": sorted(self.mirrors),
            "insecure-registries": sorted(self.insecure_registries),
        }.get(key)
        return f"{value}" if value not in (None, []) else "none"


def differing(said: DaemonJson, actual: Settings) -> tuple[str, ...]:
    """The keys of daemon.json that the engine does not do, as far as the API tells."""
    asked: dict[str, tuple[object, object]] = {
        "ipv6": (said.ipv6, actual.ipv6),
        "fixed-cidr-v6": (said.fixed_cidr_v6 if said.ipv6 else None, actual.fixed_cidr_v6),
        "live-restore": (said.live_restore, actual.live_restore),
        "experimental": (said.experimental, actual.experimental),
        "userland-proxy": (said.userland_proxy, actual.userland_proxy),
        "firewall-backend": (said.firewall_backend or None, actual.firewall_backend or "iptables"),
        "default-address-pools": (said.default_address_pools or None, actual.pools),
    }
    untold = {"experimental", "userland-proxy", "live-restore", "ipv6"}
    wrong = {
        key
        for key, (wanted, has) in asked.items()
        if wanted is not None and wanted != has and not (has is None and key in untold)
    }
    if not set(map(_place, said.registry_mirrors)) <= actual.mirrors:
        wrong.add("registry-mirrors")
    if not set(map(_named, said.insecure_registries)) <= actual.insecure_registries:
        wrong.add("insecure-registries")
    return tuple(sorted(wrong))


def prefixes(network: Mapping[str, Any], key: str = "Subnet") -> tuple[IPv6Network, ...]:
    """The IPv6 prefixes at *key* of a network's answer, in its order; ``IPRange`` is the part that
    containers get theirs from.
    """
    configured = docker_answer.items(docker_answer.inner(network, "IPAM"), "Config", most=64)
    found = (_network(entry.get(key)) for entry in configured if isinstance(entry, dict))
    return tuple(prefix for prefix in found if isinstance(prefix, IPv6Network))


def _network(said: object) -> Any:
    try:
        return ip_network(said, strict=False) if isinstance(said, str) else None
    except ValueError:
        return None


def _pools(info: Mapping[str, Any]) -> tuple[Pool, ...]:
    found = []
    for entry in docker_answer.items(info, "DefaultAddressPools", most=64):
        base = _network(entry.get("Base")) if isinstance(entry, dict) else None
        size = entry.get("Size") if isinstance(entry, dict) else None
        if base is not None and isinstance(size, int) and not isinstance(size, bool):
            found.append(Pool(base, size))
    return tuple(found)


def _userland_proxy(backend: Mapping[str, Any]) -> bool | None:
    """As the firewall backend of Engine 29 tells it, a list of pairs."""
    for pair in docker_answer.items(backend, "Info", most=64):
        if isinstance(pair, list) and len(pair) == 2 and pair[0] == "EnableUserlandProxy":
            return _TRUTHS.get(pair[1]) if isinstance(pair[1], str) else None
    return None


def _insecure(registries: Mapping[str, Any]) -> frozenset[str]:
    named = docker_answer.inner(registries, "IndexConfigs")
    insecure = {
        replies.shown(name)
        for name, entry in list(named.items())[:4096]
        if isinstance(entry, dict) and entry.get("Secure") is False
    }
    return frozenset(insecure | set(map(_named, _texts(registries, "InsecureRegistryCIDRs"))))


def _texts(said: Mapping[str, Any], key: str) -> list[str]:
    return [replies.shown(one) for one in docker_answer.items(said, key) if isinstance(one, str)]


def _place(url: str) -> str:
    """``host`` or ``host:port`` of a mirror's URL."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() or url
    except ValueError:
        return url


def _named(registry: str) -> str:
    """An entry of insecure-registries as the engine holds it: without a scheme, a prefix masked."""
    name = registry.partition("://")[2] or registry
    network = _network(name) if "/" in name else None
    return str(network) if network is not None else name.rstrip("/")
