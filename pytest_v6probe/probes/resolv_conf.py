"""Which resolvers is the host configured with, and of which family? resolv.conf(5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import resolv_conf as linux_resolv_conf
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Address, Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvConf(Finding):
    """The nameservers of one host; behind systemd-resolved, those that it asks.

    Verdicts: ``ipv6-only``, ``mixed``, ``ipv4-only``, ``none`` (glibc asks 127.0.0.1 then), or why
    it cannot be read.
    """

    layer: ClassVar[Layer] = Layer.CONFIGURATION
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    nameservers: tuple[Address, ...] = ()
    file: str = ""


@Probe
def resolv_conf() -> Ask[ResolvConf]:
    """The host's resolv.conf, or systemd-resolved's own where the host only names that."""
    paths = (linux_resolv_conf.PATH, linux_resolv_conf.UPSTREAM_PATH)
    return Ask(operations=(wire.read(*paths),), judge=judge)


def judge(seen: Seen) -> ResolvConf:
    """Read the file as glibc does. Pure."""
    reply = seen.replies[0]
    files = replies.files(reply)
    path = linux_resolv_conf.PATH
    found = _parse(files, path)
    if found.is_local_stub and linux_resolv_conf.UPSTREAM_PATH in files:
        path = linux_resolv_conf.UPSTREAM_PATH
        found = _parse(files, path)
    versions = {address.version for address in found.nameservers}
    verdict = {(6,): "ipv6-only", (4,): "ipv4-only", (4, 6): "mixed"}.get(
        tuple(sorted(versions)), "none"
    )
    return ResolvConf(
        vantage=seen.vantage,
        asked=linux_resolv_conf.PATH,
        verdict=verdict if reply.outcome == "answered" else reply.outcome,
        nameservers=found.nameservers,
        file=path,
        elapsed_s=reply.elapsed_s,
        evidence=tuple(f"nameserver {address}" for address in found.nameservers[:8]),
    )


def _parse(files: dict[str, bytes], path: str) -> linux_resolv_conf.ResolvConf:
    return linux_resolv_conf.parse(files.get(path, b"").decode("utf-8", "replace"))
