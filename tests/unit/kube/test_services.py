"""Is a Service read as the API's reference has it?"""

from ipaddress import ip_address

import pytest

from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.kube.services import Service, ServicePort, service
from pytest_v6probe.result import Family
from tests.unit.kube import objects

BOTH = (Family.IPV6, Family.IPV4)


def test_a_dual_stack_service_is_whole():
    found = service(objects.service())
    assert found == Service(
        namespace="default",
        name="web",
        policy="PreferDualStack",
        families=BOTH,
        cluster_ips=(ip_address("fd00:10:96::7"), ip_address("10.96.0.7")),
        ports=(ServicePort(port=80, name="http"),),
    )
    assert (found.id, found.kind, found.address_families) == ("default/web", "ClusterIP", BOTH)


def test_a_headless_service_has_no_address():
    found = service(objects.service(clusterIP="None", clusterIPs=["None"], selector=None))
    assert (found.kind, found.cluster_ips, found.selector) == ("Headless", (), False)


def test_a_load_balancer_has_addresses_outside_and_a_port_on_every_node():
    said = objects.service(
        type="LoadBalancer",
        externalTrafficPolicy="Local",
        externalIPs=["192.0.2.9"],
        ports=[{"name": "http", "port": 80, "nodePort": 30080}],
    )
    ingress = [{"ip": "2600:1900::1/96"}, {"ip": "192.0.2.1"}, {"hostname": "k8s-X.elb.example"}]
    found = service(objects.but(said, "status.loadBalancer", {"ingress": ingress}))
    assert (found.type, found.local_only) == ("LoadBalancer", True)
    assert list(map(str, found.external)) == ["2600:1900::1", "192.0.2.1", "192.0.2.9"]
    assert found.external_names == ("k8s-X.elb.example",)
    assert found.ports == (ServicePort(port=80, name="http", node_port=30080),)


def test_a_name_elsewhere_has_neither_family_nor_address():
    said = {
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {"type": "ExternalName", "externalName": "db.example"},
    }
    assert service(said) == Service(
        namespace="default", name="db", type="ExternalName", selector=False
    )


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("metadata.name", None, "metadata.name: a DNS name was due"),
        ("metadata.namespace", None, "metadata.namespace: a DNS name was due"),
        ("spec.ipFamilies", ["IPv5"], "spec.ipFamilies: IPv6 or IPv4 was due, not 'IPv5'"),
        ("spec.ipFamilies", [6], "spec.ipFamilies: a list of texts was due"),
        ("spec.clusterIPs", ["fd00::/108"], "spec.clusterIPs: an IP address was due"),
        ("spec.ports.0.port", None, r"spec.ports\[0\].port: a port number was due"),
        ("spec.ports.0.port", "80", r"spec.ports\[0\].port: a port number was due"),
        ("status.loadBalancer", {"ingress": [{"ip": "x/96"}]}, "an IP address was due"),
    ],
)
def test_what_is_no_service_is_malformed(path, value, why):
    with pytest.raises(Malformed, match=why):
        service(objects.but(objects.service(), path, value))
