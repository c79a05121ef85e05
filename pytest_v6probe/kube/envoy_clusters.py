"""Which endpoints does an Envoy have for a service, are they healthy, and how often did it ask each? Its
admin interface's ``/clusters`` and ``/config_dump?include_eds``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_v6probe.kube import envoy
from pytest_v6probe.kube.fields import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.kube.fields import Fields
    from pytest_v6probe.result import Endpoint

MOST_DIGITS = 20
"""Of a 64-bit counter."""

_FAILED = (
    "failed_active_health_check",
    "failed_outlier_check",
    "active_hc_timeout",
    "excluded_via_immediate_hc_fail",
)
_UNHEALTHY = frozenset({"UNHEALTHY", "TIMEOUT", "DRAINING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One host of a cluster of Envoy."""

    at: Endpoint
    requests: int = 0
    """``rq_total``: they are counted whatever of Envoy's stats its configuration leaves out."""
    connections: int = 0
    """``cx_total``."""
    unhealthy: str = ""
    """Why Envoy sends it nothing, in its own word; empty where it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamCluster:
    """One cluster of Envoy, as ``outbound|80||web.shop.svc.cluster.local`` or ``inbound|80||``."""

    name: str
    hosts: tuple[Upstream, ...] = ()
    eds_name: str = ""
    """What its endpoints are asked for under."""

    @property
    def direction(self) -> str:
        """``outbound``, ``inbound``, or the whole name of a cluster that is named otherwise."""
        return self.name.partition("|")[0]

    @property
    def port(self) -> str:
        """The port in its name."""
        return self.name.split("|")[1] if self.name.count("|") == 3 else ""

    @property
    def host_name(self) -> str:
        """The name of its service: ``web.shop.svc.cluster.local``."""
        return self.name.rpartition("|")[2]

    def is_of(self, namespace: str, service: str, port: int) -> bool:
        """Whether it leads to *port* of that service, to all of it or a subset."""
        named = self.host_name.startswith(f"{service}.{namespace}.svc.")
        return self.direction == "outbound" and self.port == str(port) and named


Backends = dict[str, tuple[tuple["Endpoint", ...], ...]]
"""Endpoints by cluster, each with all its addresses."""


def clusters(said: Fields) -> tuple[UpstreamCluster, ...]:
    """Read ``/clusters?format=json``. Hosts without an IP address are left out. Raises Malformed."""
    return tuple(
        UpstreamCluster(
            name=(name := entry.text("name")),
            eds_name=entry.text("eds_service_name") or name,
            hosts=tuple(
                _host(host, at)
                for host in envoy.each(entry, "host_statuses")
                if (at := envoy.socket(host.inner("address"))) is not None
            ),
        )
        for entry in envoy.each(said, "cluster_statuses")
    )


def _host(host: Fields, at: Endpoint) -> Upstream:
    counted = {entry.text("name"): entry for entry in envoy.each(host, "stats")}
    return Upstream(
        at=at,
        requests=_count(counted, "rq_total"),
        connections=_count(counted, "cx_total"),
        unhealthy=_unhealthy(host.inner("health_status")),
    )


def _count(counted: Mapping[str, Fields], name: str) -> int:
    entry = counted.get(name)
    text = entry.text("value") if entry is not None else ""
    if text and not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Malformed(f"{name}: a number was due, not {text[:64]!r}")
    return int(text or 0)


def _unhealthy(health: Fields) -> str:
    said = health.text("eds_health_status")
    failed = [name for name in _FAILED if health.flag(name)]
    return said if said in _UNHEALTHY else next(iter(failed), "")


def backends(said: Fields) -> Backends:
    """Read a ``/config_dump?include_eds`` of the resource ``dynamic_endpoint_configs`` or
    ``static_endpoint_configs``. Raises Malformed.
    """
    return {
        known.text("cluster_name"): tuple(
            envoy.sockets(entry.inner("endpoint"), "address", "additional_addresses", "address")
            for locality in envoy.each(known, "endpoints")
            for entry in envoy.each(locality, "lb_endpoints")
        )
        for known in (entry.inner("endpoint_config") for entry in envoy.each(said, "configs"))
    }
