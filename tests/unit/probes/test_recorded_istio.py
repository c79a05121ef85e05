"""Is what the Envoy 1.40 of a sidecar of Istio said read whole? Dual stack on, IPv6 first, 2026-11-23."""

from __future__ import annotations

import json
from ipaddress import ip_address
from pathlib import Path

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.inventory import kube
from pytest_v6probe.probes import kube_service
from pytest_v6probe.probes.envoy_endpoints import envoy_endpoints
from pytest_v6probe.probes.envoy_listeners import envoy_listeners
from pytest_v6probe.probes.sidecar_calls import look
from pytest_v6probe.probes.sidecar_inbound import sidecar_inbound
from pytest_v6probe.result import Endpoint, Family
from tests.unit.kube import objects
from tests.unit.probes import mesh, seen

RECORDED = json.loads(Path(__file__).with_name("recorded_istio.json").read_text(encoding="utf-8"))
ANSWERS = {
    "/clusters": RECORDED["clusters"],
    "/listeners": RECORDED["listeners"],
    "/config_dump?include_eds&resource=dynamic_endpoint_configs": RECORDED["endpoints"],
    "/config_dump?include_eds&resource=static_endpoint_configs": RECORDED["static_endpoints"],
    "/config_dump?resource=dynamic_listeners": RECORDED["listener"],
}
IPV6 = ("fd00:10:244:1::9", "fd00:10:244:2::7")
IPV4 = ("10.244.1.9", "10.244.2.7")


def of_mesh(said, *addresses):
    said["metadata"]["namespace"] = "mesh"
    for known, address in zip(said.get("endpoints", ()), addresses, strict=True):
        known["addresses"] = [address]
    return said


SERVICE = of_mesh(
    objects.service(clusterIPs=["fd00:10:96::2d1c", "10.96.7.7"], ipFamilies=["IPv6", "IPv4"])
)
FOUND = kube_service.judge(
    objects.lists(
        services=(SERVICE,),
        slices=(
            of_mesh(objects.endpoint_slice("IPv6"), *IPV6),
            of_mesh(objects.endpoint_slice("IPv4"), *IPV4),
        ),
    ),
    spec=kube.Cluster(name="lab", families=("ipv6", "ipv4")),
    namespace="mesh",
    name="web",
    declared=kube.Service(
        name="web", cluster="lab", namespace="mesh", families=("ipv6", "ipv4"), mesh=True
    ),
)


def test_its_listeners_take_both_families():
    found = envoy_listeners(mesh.pod(ANSWERS), FOUND)
    assert found.verdict == "as-declared"
    assert len(found.listeners) == len(RECORDED["listeners"]["listener_statuses"])
    by_name = {one.name: one.families for one in found.listeners}
    assert by_name["virtualInbound"] == by_name["0.0.0.0_80"] == {*Family}
    assert by_name["fd00:10:96::1_443"] == {Family.IPV6}


def test_its_endpoints_are_those_of_both_slices():
    found = envoy_endpoints(mesh.pod(ANSWERS), FOUND)
    assert found.verdict == "equal"
    assert found.endpoints == {Endpoint(ip_address(one), 80) for one in (*IPV6, *IPV4)}


def test_the_calls_that_came_in_are_counted_by_the_address_that_they_came_to():
    inbound = next(
        one
        for one in look(mesh.pod(ANSWERS), "inbound", timeout_s=1).clusters
        if one.direction == "inbound"
    )
    assert {str(host.at.address): host.requests for host in inbound.hosts} == {
        IPV6[1]: 86,
        IPV4[1]: 157,
    }


def test_calls_that_these_counters_did_not_rise_by_went_past_it():
    own = Reply("answered", seen.link() + seen.address(IPV6[1]))
    callee = mesh.pod(ANSWERS, other=lambda _: own)
    caller = mesh.pod(other=lambda _: mesh.page(b"hello"))
    found = sidecar_inbound(caller, callee, FOUND, family="ipv6")
    assert (found.verdict, found.serves) == ("not-captured", True)
