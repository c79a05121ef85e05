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
    from pytest_v6probe.actions.kube import kube_namespace as kube_namespace
    from pytest_v6probe.actions.kube_policies import policy_pods as policy_pods
    from pytest_v6probe.actions.kube_policies import restrict_egress as restrict_egress
    from pytest_v6probe.actions.kube_policies import restrict_ingress as restrict_ingress
    from pytest_v6probe.actions.kube_services import change_policy as change_policy
    from pytest_v6probe.actions.kube_services import create_service as create_service
    from pytest_v6probe.actions.route_survival import route_survival as route_survival
    from pytest_v6probe.clouds.model import Cloud as Cloud
    from pytest_v6probe.cluster import Cluster as Cluster
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
    from pytest_v6probe.inventory.model import LoadBalancer as LoadBalancer
    from pytest_v6probe.inventory.model import Service as Service
    from pytest_v6probe.inventory.model import Site as Site
    from pytest_v6probe.probes.addresses import addresses as addresses
    from pytest_v6probe.probes.addresses import ipv4_addresses as ipv4_addresses
    from pytest_v6probe.probes.capture import capture as capture
    from pytest_v6probe.probes.client_address import client_address as client_address
    from pytest_v6probe.probes.cluster_dns import cluster_dns as cluster_dns
    from pytest_v6probe.probes.cluster_families import cluster_families as cluster_families
    from pytest_v6probe.probes.dns64 import dns64 as dns64
    from pytest_v6probe.probes.docker_engine import docker_engine as docker_engine
    from pytest_v6probe.probes.docker_network import docker_network as docker_network
    from pytest_v6probe.probes.envoy_endpoints import envoy_endpoints as envoy_endpoints
    from pytest_v6probe.probes.envoy_listeners import envoy_listeners as envoy_listeners
    from pytest_v6probe.probes.http import http as http
    from pytest_v6probe.probes.icmp import ping as ping
    from pytest_v6probe.probes.imds import imds as imds
    from pytest_v6probe.probes.imds import imds_without_token as imds_without_token
    from pytest_v6probe.probes.ipv4_egress import ipv4_egress as ipv4_egress
    from pytest_v6probe.probes.kube_load_balancer import kube_load_balancer as kube_load_balancer
    from pytest_v6probe.probes.kube_nodes import kube_nodes as kube_nodes
    from pytest_v6probe.probes.kube_pods import kube_pods as kube_pods
    from pytest_v6probe.probes.kube_service import kube_service as kube_service
    from pytest_v6probe.probes.load_balancer_answers import (
        load_balancer_answers as load_balancer_answers,
    )
    from pytest_v6probe.probes.lookup import lookup as lookup
    from pytest_v6probe.probes.nat64 import nat64 as nat64
    from pytest_v6probe.probes.nat64 import nat64_prefixes as nat64_prefixes
    from pytest_v6probe.probes.neighbour_proxy import neighbour_proxy as neighbour_proxy
    from pytest_v6probe.probes.ntp import ntp as ntp
    from pytest_v6probe.probes.parity import parity as parity
    from pytest_v6probe.probes.pmtu import pmtu as pmtu
    from pytest_v6probe.probes.pod_network import pod_network as pod_network
    from pytest_v6probe.probes.policy_parity import policy_parity as policy_parity
    from pytest_v6probe.probes.pull_chain import pull_chain as pull_chain
    from pytest_v6probe.probes.ra import router_advertisements as router_advertisements
    from pytest_v6probe.probes.ra_owner import ra_owner as ra_owner
    from pytest_v6probe.probes.resolv_conf import resolv_conf as resolv_conf
    from pytest_v6probe.probes.resolver import large_answer as large_answer
    from pytest_v6probe.probes.resolver import resolver as resolver
    from pytest_v6probe.probes.route import default_route as default_route
    from pytest_v6probe.probes.service_answers import service_answers as service_answers
    from pytest_v6probe.probes.sidecar_inbound import sidecar_inbound as sidecar_inbound
    from pytest_v6probe.probes.sidecar_outbound import sidecar_outbound as sidecar_outbound
    from pytest_v6probe.probes.ssh import ssh as ssh
    from pytest_v6probe.probes.tcp import tcp as tcp
    from pytest_v6probe.probes.time_daemon import time_daemon as time_daemon
    from pytest_v6probe.probes.tls import tls as tls
    from pytest_v6probe.probes.url import url_at as url_at
    from pytest_v6probe.result import Address as Address
    from pytest_v6probe.result import Endpoint as Endpoint
    from pytest_v6probe.result import Family as Family
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
    "actions.kube": ("kube_namespace",),
    "actions.kube_policies": ("policy_pods", "restrict_egress", "restrict_ingress"),
    "actions.kube_services": ("change_policy", "create_service"),
    "actions.route_survival": ("route_survival",),
    "clouds.model": ("Cloud",),
    "cluster": ("Cluster",),
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
    "inventory.model": (
        "Container",
        "Docker",
        "Host",
        "Image",
        "Inventory",
        "LoadBalancer",
        "Service",
        "Site",
    ),
    "probes.addresses": ("addresses", "ipv4_addresses"),
    "probes.capture": ("capture",),
    "probes.client_address": ("client_address",),
    "probes.cluster_dns": ("cluster_dns",),
    "probes.cluster_families": ("cluster_families",),
    "probes.dns64": ("dns64",),
    "probes.docker_engine": ("docker_engine",),
    "probes.docker_network": ("docker_network",),
    "probes.envoy_endpoints": ("envoy_endpoints",),
    "probes.envoy_listeners": ("envoy_listeners",),
    "probes.http": ("http",),
    "probes.icmp": ("ping",),
    "probes.imds": ("imds", "imds_without_token"),
    "probes.ipv4_egress": ("ipv4_egress",),
    "probes.kube_load_balancer": ("kube_load_balancer",),
    "probes.kube_nodes": ("kube_nodes",),
    "probes.kube_pods": ("kube_pods",),
    "probes.kube_service": ("kube_service",),
    "probes.load_balancer_answers": ("load_balancer_answers",),
    "probes.lookup": ("lookup",),
    "probes.nat64": ("nat64", "nat64_prefixes"),
    "probes.neighbour_proxy": ("neighbour_proxy",),
    "probes.ntp": ("ntp",),
    "probes.parity": ("parity",),
    "probes.pmtu": ("pmtu",),
    "probes.pod_network": ("pod_network",),
    "probes.policy_parity": ("policy_parity",),
    "probes.pull_chain": ("pull_chain",),
    "probes.ra": ("router_advertisements",),
    "probes.ra_owner": ("ra_owner",),
    "probes.resolv_conf": ("resolv_conf",),
    "probes.resolver": ("large_answer", "resolver"),
    "probes.route": ("default_route",),
    "probes.service_answers": ("service_answers",),
    "probes.sidecar_inbound": ("sidecar_inbound",),
    "probes.sidecar_outbound": ("sidecar_outbound",),
    "probes.ssh": ("ssh",),
    "probes.tcp": ("tcp",),
    "probes.time_daemon": ("time_daemon",),
    "probes.tls": ("tls",),
    "probes.url": ("url_at",),
    "result": ("Address", "Endpoint", "Family", "Finding", "Layer", "Path"),
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
    "Cluster",
    "Container",
    "DaemonNotReady",
    "DeadlinePassed",
    "Diagnosis",
    "Docker",
    "Endpoint",
    "Family",
    "Finding",
    "Host",
    "Image",
    "Inventory",
    "InventoryError",
    "LabError",
    "Layer",
    "LoadBalancer",
    "Path",
    "Probe",
    "Service",
    "Site",
    "Unobserved",
    "V6ProbeError",
    "Vantage",
    "VantageUnreachable",
    "addresses",
    "capture",
    "change_policy",
    "client_address",
    "cluster_dns",
    "cluster_families",
    "create_service",
    "credentials_for",
    "daemon_json",
    "default_route",
    "dns64",
    "docker_engine",
    "docker_network",
    "embed",
    "engine_pull",
    "engine_push",
    "envoy_endpoints",
    "envoy_listeners",
    "eventually",
    "first_ipv6_network",
    "http",
    "imds",
    "imds_without_token",
    "ipv4_addresses",
    "ipv4_egress",
    "kube_load_balancer",
    "kube_namespace",
    "kube_nodes",
    "kube_pods",
    "kube_service",
    "large_answer",
    "load_balancer_answers",
    "lookup",
    "nat64",
    "nat64_prefixes",
    "neighbour_proxy",
    "new_container",
    "ntp",
    "parity",
    "ping",
    "pmtu",
    "pod_network",
    "policy_parity",
    "policy_pods",
    "pull_chain",
    "ra_owner",
    "resolv_conf",
    "resolver",
    "restart_engine",
    "restrict_egress",
    "restrict_ingress",
    "route_survival",
    "router_advertisements",
    "service_answers",
    "sidecar_inbound",
    "sidecar_outbound",
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
