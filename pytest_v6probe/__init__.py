"""What does a scenario import? Probes, waiting, and the words of findings; each loads on first use.

Importing this package loads none of them: the plugin is part of every pytest run of its user.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_v6probe.actions.containers import new_container as new_container
    from pytest_v6probe.actions.docker import daemon_json as daemon_json
    from pytest_v6probe.actions.docker import first_ipv6_network as first_ipv6_network
    from pytest_v6probe.actions.docker import restart_engine as restart_engine
    from pytest_v6probe.actions.images import engine_pull as engine_pull
    from pytest_v6probe.actions.images import engine_push as engine_push
    from pytest_v6probe.actions.route_survival import route_survival as route_survival
    from pytest_v6probe.clouds.model import Cloud as Cloud
    from pytest_v6probe.diagnose import Diagnosis as Diagnosis
    from pytest_v6probe.errors import AgentUnusable as AgentUnusable
    from pytest_v6probe.errors import DaemonNotReady as DaemonNotReady
    from pytest_v6probe.errors import DeadlinePassed as DeadlinePassed
    from pytest_v6probe.errors import InventoryError as InventoryError
    from pytest_v6probe.errors import LabError as LabError
    from pytest_v6probe.errors import Unobserved as Unobserved
    from pytest_v6probe.errors import V6ProbeError as V6ProbeError
    from pytest_v6probe.errors import VantageUnreachable as VantageUnreachable
    from pytest_v6probe.inventory.model import Container as Container
    from pytest_v6probe.inventory.model import Docker as Docker
    from pytest_v6probe.inventory.model import Host as Host
    from pytest_v6probe.inventory.model import Image as Image
    from pytest_v6probe.inventory.model import Inventory as Inventory
    from pytest_v6probe.inventory.model import Site as Site
    from pytest_v6probe.probes.addresses import addresses as addresses
    from pytest_v6probe.probes.addresses import ipv4_addresses as ipv4_addresses
    from pytest_v6probe.probes.capture import capture as capture
    from pytest_v6probe.probes.dns64 import dns64 as dns64
    from pytest_v6probe.probes.docker_engine import docker_engine as docker_engine
    from pytest_v6probe.probes.docker_network import docker_network as docker_network
    from pytest_v6probe.probes.http import http as http
    from pytest_v6probe.probes.icmp import ping as ping
    from pytest_v6probe.probes.imds import imds as imds
    from pytest_v6probe.probes.imds import imds_without_token as imds_without_token
    from pytest_v6probe.probes.lookup import lookup as lookup
    from pytest_v6probe.probes.nat64 import nat64 as nat64
    from pytest_v6probe.probes.nat64 import nat64_prefixes as nat64_prefixes
    from pytest_v6probe.probes.neighbour_proxy import neighbour_proxy as neighbour_proxy
    from pytest_v6probe.probes.ntp import ntp as ntp
    from pytest_v6probe.probes.parity import parity as parity
    from pytest_v6probe.probes.pmtu import pmtu as pmtu
    from pytest_v6probe.probes.pull_chain import pull_chain as pull_chain
    from pytest_v6probe.probes.ra import router_advertisements as router_advertisements
    from pytest_v6probe.probes.ra_owner import ra_owner as ra_owner
    from pytest_v6probe.probes.resolv_conf import resolv_conf as resolv_conf
    from pytest_v6probe.probes.resolver import large_answer as large_answer
    from pytest_v6probe.probes.resolver import resolver as resolver
    from pytest_v6probe.probes.route import default_route as default_route
    from pytest_v6probe.probes.ssh import ssh as ssh
    from pytest_v6probe.probes.tcp import tcp as tcp
    from pytest_v6probe.probes.time_daemon import time_daemon as time_daemon
    from pytest_v6probe.probes.tls import tls as tls
    from pytest_v6probe.probes.url import url_at as url_at
    from pytest_v6probe.result import Address as Address
    from pytest_v6probe.result import Endpoint as Endpoint
    from pytest_v6probe.result import Finding as Finding
    from pytest_v6probe.result import Layer as Layer
    from pytest_v6probe.result import Path as Path
    from pytest_v6probe.rfc.rfc6052 import embed as embed
    from pytest_v6probe.transport.docker.credentials import credentials_for as credentials_for
    from pytest_v6probe.vantage import Ask as Ask
    from pytest_v6probe.vantage import Probe as Probe
    from pytest_v6probe.vantage import Vantage as Vantage
    from pytest_v6probe.vantage import sweep as sweep
    from pytest_v6probe.wait import eventually as eventually

_HOMES = {
    "actions.containers": ("new_container",),
    "actions.docker": ("daemon_json", "first_ipv6_network", "restart_engine"),
    "actions.images": ("engine_pull", "engine_push"),
    "actions.route_survival": ("route_survival",),
    "clouds.model": ("Cloud",),
    "diagnose": ("Diagnosis",),
    "errors": (
        "AgentUnusable",
        "DaemonNotReady",
        "DeadlinePassed",
        "InventoryError",
        "LabError",
        "Unobserved",
        "V6ProbeError",
        "VantageUnreachable",
    ),
    "inventory.model": ("Container", "Docker", "Host", "Image", "Inventory", "Site"),
    "probes.addresses": ("addresses", "ipv4_addresses"),
    "probes.capture": ("capture",),
    "probes.dns64": ("dns64",),
    "probes.docker_engine": ("docker_engine",),
    "probes.docker_network": ("docker_network",),
    "probes.http": ("http",),
    "probes.icmp": ("ping",),
    "probes.imds": ("imds", "imds_without_token"),
    "probes.lookup": ("lookup",),
    "probes.nat64": ("nat64", "nat64_prefixes"),
    "probes.neighbour_proxy": ("neighbour_proxy",),
    "probes.ntp": ("ntp",),
    "probes.parity": ("parity",),
    "probes.pmtu": ("pmtu",),
    "probes.pull_chain": ("pull_chain",),
    "probes.ra": ("router_advertisements",),
    "probes.ra_owner": ("ra_owner",),
    "probes.resolv_conf": ("resolv_conf",),
    "probes.resolver": ("large_answer", "resolver"),
    "probes.route": ("default_route",),
    "probes.ssh": ("ssh",),
    "probes.tcp": ("tcp",),
    "probes.time_daemon": ("time_daemon",),
    "probes.tls": ("tls",),
    "probes.url": ("url_at",),
    "result": ("Address", "Endpoint", "Finding", "Layer", "Path"),
    "rfc.rfc6052": ("embed",),
    "transport.docker.credentials": ("credentials_for",),
    "vantage": ("Ask", "Probe", "Vantage", "sweep"),
    "wait": ("eventually",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Address",
    "AgentUnusable",
    "Ask",
    "Cloud",
    "Container",
    "DaemonNotReady",
    "DeadlinePassed",
    "Diagnosis",
    "Docker",
    "Endpoint",
    "Finding",
    "Host",
    "Image",
    "Inventory",
    "InventoryError",
    "LabError",
    "Layer",
    "Path",
    "Probe",
    "Site",
    "Unobserved",
    "V6ProbeError",
    "Vantage",
    "VantageUnreachable",
    "addresses",
    "capture",
    "credentials_for",
    "daemon_json",
    "default_route",
    "dns64",
    "docker_engine",
    "docker_network",
    "embed",
    "engine_pull",
    "engine_push",
    "eventually",
    "first_ipv6_network",
    "http",
    "imds",
    "imds_without_token",
    "ipv4_addresses",
    "large_answer",
    "lookup",
    "nat64",
    "nat64_prefixes",
    "neighbour_proxy",
    "new_container",
    "ntp",
    "parity",
    "ping",
    "pmtu",
    "pull_chain",
    "ra_owner",
    "resolv_conf",
    "resolver",
    "restart_engine",
    "route_survival",
    "router_advertisements",
    "ssh",
    "sweep",
    "tcp",
    "time_daemon",
    "tls",
    "url_at",
]


def __getattr__(name: str) -> object:
    """Load the module that *name* lives in (PEP 562). Raises AttributeError if it is none."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
