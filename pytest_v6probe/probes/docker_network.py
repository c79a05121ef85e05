"""Which IPv6 prefixes has a Docker network, may they leave the host, and who is in it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, IPv6Interface, IPv6Network
from typing import Any, ClassVar
from urllib.parse import quote

from pytest_v6probe.probes import docker_answer, replies
from pytest_v6probe.probes.docker_settings import prefixes
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

ULA = IPv6Network("fc00::/7")  # RFC 4193 §3.1
MOST_CONTAINERS = 1000
_GATEWAY_MODE = "com.docker.network.bridge.gateway_mode_ipv6"
_MTU = "com.docker.network.driver.mtu"


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerNetwork(Finding):
    """One network of an engine, as its API has it.

    Verdicts: ``ipv6`` (with a prefix that the internet can route), ``ula-only`` (fc00::/7 alone:
    no way out but by translation), ``no-prefix`` (IPv6 is on, and no prefix is known),
    ``ipv4-only``, ``absent``; ``not-running``, ``not-permitted``, ``garbage`` and why else the API
    gave no answer.
    """

    layer: ClassVar[Layer] = Layer.ENGINE
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    prefixes: frozenset[IPv6Network] = frozenset()
    gateways: frozenset[IPv6Address] = frozenset()
    gateway_mode: str = ""
    """``nat``, ``routed``, ``nat-unprotected``, ``isolated`` for IPv6; empty: the engine's default,
    ``nat``.
    """
    internal: bool | None = None
    mtu_bytes: int | None = None
    """None: the driver's default, 1500."""
    containers: tuple[tuple[str, IPv6Interface | None], ...] = ()
    """Name and IPv6 address of every running container in it."""


@Probe
def docker_network(
    name: str, socket: str = "/var/run/docker.sock", timeout_s: float = 5.0
) -> Ask[DockerNetwork]:
    """Ask the engine behind *socket*, a path at the vantage, for its network *name*."""
    target = f"/networks/{quote(name, safe='')}"
    return Ask(
        operations=(docker_answer.get(socket, target, timeout_s=timeout_s),),
        judge=partial(judge, name=name),
    )


def judge(seen: Seen, *, name: str) -> DockerNetwork:
    """Read the answer. Pure."""
    reply = seen.replies[0]
    failed, said = docker_answer.read(reply)
    found = frozenset(prefixes(said))
    options = docker_answer.inner(said, "Options")
    verdict = "absent" if failed == "status-404" else failed
    return DockerNetwork(
        vantage=seen.vantage,
        asked=name,
        verdict=verdict or _verdict(said, found),
        prefixes=found,
        gateways=_gateways(said),
        gateway_mode=docker_answer.text(options, _GATEWAY_MODE),
        internal=docker_answer.flag(said, "Internal"),
        mtu_bytes=_number(docker_answer.text(options, _MTU)),
        containers=_containers(said),
        elapsed_s=reply.elapsed_s,
        evidence=(replies.said(reply), *(f"prefix {prefix}" for prefix in sorted(found)[:8])),
    )


def _verdict(said: Mapping[str, Any], found: frozenset[IPv6Network]) -> str:
    if not docker_answer.flag(said, "EnableIPv6"):
        return "ipv4-only"
    if not found:
        return "no-prefix"
    return "ula-only" if all(prefix.subnet_of(ULA) for prefix in found) else "ipv6"


def _gateways(said: Mapping[str, Any]) -> frozenset[IPv6Address]:
    configured = docker_answer.items(docker_answer.inner(said, "IPAM"), "Config", most=64)
    found = (_interface(entry.get("Gateway")) for entry in configured if isinstance(entry, dict))
    return frozenset(gateway.ip for gateway in found if gateway is not None)


def _containers(said: Mapping[str, Any]) -> tuple[tuple[str, IPv6Interface | None], ...]:
    entries = list(docker_answer.inner(said, "Containers").values())[:MOST_CONTAINERS]
    return tuple(
        sorted(
            (
                (docker_answer.text(entry, "Name"), _interface(entry.get("IPv6Address")))
                for entry in entries
                if isinstance(entry, dict)
            ),
            key=lambda named: named[0],
        )
    )


def _interface(said: object) -> IPv6Interface | None:
    try:
        return IPv6Interface(said) if isinstance(said, str) and said else None
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None
