"""What does a scenario import? Probes, waiting, and the words of findings; each loads on first use.

Importing this package loads none of them: the plugin is part of every pytest run of its user.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_v6probe.clouds.model import Cloud as Cloud
    from pytest_v6probe.diagnose import Diagnosis as Diagnosis
    from pytest_v6probe.errors import (
        AgentUnusable as AgentUnusable,
    )
    from pytest_v6probe.errors import (
        DaemonNotReady as DaemonNotReady,
    )
    from pytest_v6probe.errors import (
        DeadlinePassed as DeadlinePassed,
    )
    from pytest_v6probe.errors import (
        InventoryError as InventoryError,
    )
    from pytest_v6probe.errors import (
        LabError as LabError,
    )
    from pytest_v6probe.errors import (
        Unobserved as Unobserved,
    )
    from pytest_v6probe.errors import (
        V6ProbeError as V6ProbeError,
    )
    from pytest_v6probe.errors import (
        VantageUnreachable as VantageUnreachable,
    )
    from pytest_v6probe.inventory.model import Host as Host
    from pytest_v6probe.inventory.model import Inventory as Inventory
    from pytest_v6probe.inventory.model import Site as Site
    from pytest_v6probe.probes.addresses import (
        addresses as addresses,
    )
    from pytest_v6probe.probes.addresses import (
        ipv4_addresses as ipv4_addresses,
    )
    from pytest_v6probe.probes.dns64 import dns64 as dns64
    from pytest_v6probe.probes.http import http as http
    from pytest_v6probe.probes.icmp import ping as ping
    from pytest_v6probe.probes.imds import imds as imds
    from pytest_v6probe.probes.imds import imds_without_token as imds_without_token
    from pytest_v6probe.probes.lookup import lookup as lookup
    from pytest_v6probe.probes.nat64 import nat64 as nat64
    from pytest_v6probe.probes.nat64 import nat64_prefixes as nat64_prefixes
    from pytest_v6probe.probes.ntp import ntp as ntp
    from pytest_v6probe.probes.parity import parity as parity
    from pytest_v6probe.probes.pmtu import pmtu as pmtu
    from pytest_v6probe.probes.ra import router_advertisements as router_advertisements
    from pytest_v6probe.probes.resolv_conf import resolv_conf as resolv_conf
    from pytest_v6probe.probes.resolver import large_answer as large_answer
    from pytest_v6probe.probes.resolver import resolver as resolver
    from pytest_v6probe.probes.route import default_route as default_route
    from pytest_v6probe.probes.ssh import ssh as ssh
    from pytest_v6probe.probes.tcp import tcp as tcp
    from pytest_v6probe.probes.time_daemon import time_daemon as time_daemon
    from pytest_v6probe.probes.tls import tls as tls
    from pytest_v6probe.result import (
        Address as Address,
    )
    from pytest_v6probe.result import (
        Endpoint as Endpoint,
    )
    from pytest_v6probe.result import (
        Finding as Finding,
    )
    from pytest_v6probe.result import (
        Layer as Layer,
    )
    from pytest_v6probe.result import (
        Path as Path,
    )
    from pytest_v6probe.rfc.rfc6052 import embed as embed
    from pytest_v6probe.vantage import (
        Ask as Ask,
    )
    from pytest_v6probe.vantage import (
        Probe as Probe,
    )
    from pytest_v6probe.vantage import (
        Vantage as Vantage,
    )
    from pytest_v6probe.vantage import (
        sweep as sweep,
    )
    from pytest_v6probe.wait import eventually as eventually

_HOMES = {
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
    "inventory.model": ("Host", "Inventory", "Site"),
    "probes.addresses": ("addresses", "ipv4_addresses"),
    "probes.dns64": ("dns64",),
    "probes.http": ("http",),
    "probes.icmp": ("ping",),
    "probes.imds": ("imds", "imds_without_token"),
    "probes.lookup": ("lookup",),
    "probes.nat64": ("nat64", "nat64_prefixes"),
    "probes.ntp": ("ntp",),
    "probes.parity": ("parity",),
    "probes.pmtu": ("pmtu",),
    "probes.ra": ("router_advertisements",),
    "probes.resolv_conf": ("resolv_conf",),
    "probes.resolver": ("large_answer", "resolver"),
    "probes.route": ("default_route",),
    "probes.ssh": ("ssh",),
    "probes.tcp": ("tcp",),
    "probes.time_daemon": ("time_daemon",),
    "probes.tls": ("tls",),
    "result": ("Address", "Endpoint", "Finding", "Layer", "Path"),
    "rfc.rfc6052": ("embed",),
    "vantage": ("Ask", "Probe", "Vantage", "sweep"),
    "wait": ("eventually",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Address",
    "AgentUnusable",
    "Ask",
    "Cloud",
    "DaemonNotReady",
    "DeadlinePassed",
    "Diagnosis",
    "Endpoint",
    "Finding",
    "Host",
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
    "default_route",
    "dns64",
    "embed",
    "eventually",
    "http",
    "imds",
    "imds_without_token",
    "ipv4_addresses",
    "large_answer",
    "lookup",
    "nat64",
    "nat64_prefixes",
    "ntp",
    "parity",
    "ping",
    "pmtu",
    "resolv_conf",
    "resolver",
    "router_advertisements",
    "ssh",
    "sweep",
    "tcp",
    "time_daemon",
    "tls",
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
