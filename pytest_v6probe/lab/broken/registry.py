"""What can be broken in the lab "registry"? Its faults, as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.clouds import internet, registry, registry_servers
from pytest_v6probe.lab.clouds.registry_servers import (
    ECR,
    ECR_BLOBS,
    HUB,
    HUB_BLOBS,
    HUB_TOKENS,
    MIRROR,
    OWN,
    S3,
    Server,
)
from pytest_v6probe.lab.clouds.registry_services import INSECURE
from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.steps import Changed, Filtered, Stopped, options
from pytest_v6probe.lab.steps_registry import Reloaded

if TYPE_CHECKING:
    from pytest_v6probe.lab.steps import Step


def _fault(name: str, summary: str, *steps: Step) -> Fault:
    return Fault(name=name, summary=summary, steps=steps, region="", shape="registry")


def _without_aaaa(name: str, summary: str, server: Server) -> Fault:
    zones = {**internet.zones(), **registry_servers.zones(without_aaaa=(server.node,))}
    step = Changed(daemon=internet.DNS, options=options(zones=MappingProxyType(zones)))
    return _fault(name, summary, step)


def _changed(name: str, summary: str, daemon: str, **changes: object) -> Fault:
    return _fault(name, summary, Changed(daemon=daemon, options=options(**changes)))


def _certified(name: str, summary: str, certificate: Certificate) -> Fault:
    return _changed(name, summary, OWN.node, certificate=certificate)


def _settings(name: str, summary: str, **changes: object) -> Fault:
    text = registry.daemon_json(**changes)
    steps = (Reloaded(node=host.node, daemon=host.daemon, text=text) for host in registry.HOSTS)
    return _fault(name, summary, *steps)


FAULTS: tuple[Fault, ...] = (
    _without_aaaa("registry-without-aaaa", "the public registry's name has an A record only", ECR),
    _without_aaaa(
        "token-host-without-aaaa",
        "the host that gives out the hub's tokens has an A record only",
        HUB_TOKENS,
    ),
    _without_aaaa(
        "blob-host-without-aaaa",
        "the host that the hub sends clients to for blobs has an A record only",
        HUB_BLOBS,
    ),
    _without_aaaa("s3-without-aaaa", "S3's dual-stack name has an A record only", S3),
    _fault(
        "aaaa-black-hole",
        "nothing comes back from the public registry's IPv6 address, IPv4 works",
        Filtered(node=ECR.node, hook="input", rule=f"ip6 daddr {ECR.ipv6} tcp dport 443 drop"),
    ),
    _certified(
        "registry-tls-name-mismatch",
        "the registry's certificate is for another name",
        Certificate(name=MIRROR.name, addresses=OWN.addresses),
    ),
    _certified(
        "registry-certificate-expired",
        "the registry's certificate has expired",
        Certificate(name=OWN.name, days=-1, addresses=OWN.addresses),
    ),
    _certified(
        "registry-not-certified-for-its-address",
        "the registry's certificate is for its name only: no engine can pull by its address",
        OWN.certificate,
    ),
    _changed(
        "redirect-to-plain-http",
        "the hub sends clients to plain http for blobs",
        HUB.node,
        redirect=f"http://{HUB_BLOBS.name}/",
    ),
    _changed("token-refused", "nobody gets a token for the hub", HUB_TOKENS.node, refuses=True),
    _changed(
        "blob-digest-wrong",
        "the public registry's blobs end in another octet than their digests say",
        ECR_BLOBS.node,
        spoils=True,
    ),
    _changed("registry-read-only", "the registry takes no push", OWN.node, read_only=True),
    _fault("registry-down", "no registry listens at the registry's name", Stopped(daemon=OWN.node)),
    _fault(
        "mirror-down",
        "nothing listens at the mirror's name, and the engine asks the hub without a word",
        Stopped(daemon=MIRROR.node),
    ),
    _settings(
        "mirror-not-configured",
        "the engine's registry-mirrors names no mirror",
        **{"registry-mirrors": []},
    ),
    _settings(
        "insecure-registry-not-declared",
        "the engine's insecure-registries does not name the registry without TLS",
        **{"insecure-registries": []},
    ),
    _fault(
        "insecure-registry-down",
        "no registry listens at the port without TLS",
        Stopped(daemon=INSECURE),
    ),
)
