"""Are Envoy's clusters read with counters and health, and its endpoints with every address?"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pytest_v6probe.kube.envoy_clusters import Upstream, UpstreamCluster, backends, clusters
from pytest_v6probe.kube.fields import Fields, Malformed
from pytest_v6probe.result import Endpoint
from tests.unit.probes import mesh

AT = Endpoint(ip_address("fd00:10:244:1::5"), 80)


def read(**host):
    known = {"address": mesh.socket(str(AT.address)), **host}
    said = {"cluster_statuses": [{"name": mesh.NAME, "host_statuses": [known]}]}
    return clusters(Fields(said))


def test_a_host_has_its_counters():
    stats = [{"name": "rq_total", "value": "7"}, {"name": "cx_total", "value": "3"}]
    (found,) = read(stats=stats, health_status={"eds_health_status": "HEALTHY"})
    assert found == UpstreamCluster(
        name=mesh.NAME,
        hosts=(Upstream(at=AT, requests=7, connections=3),),
        eds_name=mesh.NAME,
    )


@pytest.mark.parametrize(
    ("health", "why"),
    [
        ({}, ""),
        ({"eds_health_status": "UNKNOWN"}, ""),
        ({"eds_health_status": "DEGRADED", "failed_active_degraded_check": True}, ""),
        ({"eds_health_status": "UNHEALTHY"}, "UNHEALTHY"),
        ({"eds_health_status": "HEALTHY", "failed_outlier_check": True}, "failed_outlier_check"),
        ({"failed_active_health_check": True}, "failed_active_health_check"),
    ],
)
def test_a_host_that_envoy_sends_nothing_to_says_why(health, why):
    assert read(health_status=health)[0].hosts[0].unhealthy == why


def test_a_host_without_an_ip_address_is_left_out():
    found = clusters(Fields(mesh.clusters()))
    assert found[-1] == UpstreamCluster(name="sds-grpc", eds_name="sds-grpc")


@pytest.mark.parametrize(
    ("name", "port", "of"),
    [
        (mesh.NAME, 80, True),
        ("outbound|80|v1|web.default.svc.cluster.local", 80, True),
        (mesh.NAME, 81, False),
        ("outbound|80||web.defaults.svc.cluster.local", 80, False),
        ("outbound|80||my-web.default.svc.cluster.local", 80, False),
        ("inbound|80||", 80, False),
        ("PassthroughCluster", 80, False),
        ("outbound|80", 80, False),
    ],
)
def test_the_name_of_a_cluster_tells_its_service(name, port, of):
    assert UpstreamCluster(name=name).is_of("default", "web", port) is of


def test_an_endpoint_has_its_additional_addresses():
    found = backends(Fields(mesh.BOTH))
    assert [[str(at.address) for at in one] for one in found[mesh.NAME]] == [
        [mesh.OWN["ipv6"], mesh.OWN["ipv4"]],
        [mesh.FAR["ipv6"], mesh.FAR["ipv4"]],
    ]


@pytest.mark.parametrize(
    "value", ["-1", "1.5", "x", "9" * 21, "٣", "1" * 5000], ids=lambda value: value[:6]
)
def test_a_counter_that_is_no_number_is_malformed(value):
    with pytest.raises(Malformed):
        read(stats=[{"name": "rq_total", "value": value}])
