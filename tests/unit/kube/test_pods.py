"""Is a Pod read as the API's reference has it?"""

from ipaddress import ip_address

import pytest

from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.kube.pods import Pod, pod
from pytest_v6probe.result import Family
from tests.unit.kube import objects


def test_a_running_pod_is_whole():
    found = pod(objects.pod())
    assert found == Pod(
        namespace="default",
        name="web-1",
        node="node-1",
        addresses=(ip_address("fd00:10:244:1::5"), ip_address("10.244.1.5")),
        phase="Running",
        ready=True,
        tcp_ports=(80,),
    )
    assert (found.id, found.running) == ("default/web-1", True)
    assert found.families == (Family.IPV6, Family.IPV4)
    assert found.address(Family.IPV4) == ip_address("10.244.1.5")


def test_a_pod_that_waits_has_no_address_of_any_family():
    found = pod(objects.pod(phase="Pending", podIPs=None))
    assert (found.running, found.address(Family.IPV6)) == (False, None)


def test_a_pod_that_is_being_deleted_does_not_count_as_running():
    said = objects.but(objects.pod(), "metadata.deletionTimestamp", "2026-11-23T08:00:00Z")
    assert not pod(said).running


def test_a_pod_on_the_host_network_is_told_apart():
    assert pod(objects.host_pod()).host_network


def test_only_ports_of_tcp_are_kept():
    ports = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 8080}]
    assert pod(objects.but(objects.pod(), "spec.containers.0.ports", ports)).tcp_ports == (8080,)


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("metadata.namespace", "", "metadata.namespace: a DNS name was due"),
        ("metadata.namespace", "$(id)", "metadata.namespace: a DNS name was due"),
        ("spec.nodeName", "../x", "spec.nodeName: a DNS name was due"),
        ("spec.hostNetwork", "yes", "spec.hostNetwork: true or false was due"),
        ("spec.containers.0.ports.0.containerPort", 70000, "a port number was due"),
        ("spec.containers.0.ports.0.containerPort", True, "a port number was due"),
        ("status.podIPs.0.ip", "fd00::x", r"status.podIPs\[0\].ip: an IP address was due"),
        ("status", "Running", "status: an object was due"),
    ],
)
def test_what_is_no_pod_is_malformed(path, value, why):
    with pytest.raises(Malformed, match=why):
        pod(objects.but(objects.pod(), path, value))
