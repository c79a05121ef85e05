"""Are the external addresses of a service read as the API has them, with who gave and who announces them?"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.kube.load_balancers import (
    IP_ADDRESS_TYPE,
    Announcement,
    LoadBalancer,
    Said,
    announcement,
    event,
    load_balancer,
)
from pytest_v6probe.kube.services import service
from pytest_v6probe.result import Family
from tests.unit.kube.balanced import given


def test_metallb_gives_an_address_of_each_family_and_says_from_which_pool():
    said = given(
        {"ip": "172.18.255.192", "ipMode": "VIP"},
        {"ip": "fc00:f853:ccd:e793:ff::", "ipMode": "VIP"},
        notes={"metallb.io/ip-allocated-from-pool": "outside"},
    )
    found = load_balancer(said)
    assert found == LoadBalancer(
        service=service(said),
        addresses=(ip_address("172.18.255.192"), ip_address("fc00:f853:ccd:e793:ff::")),
        pool_name="outside",
    )
    assert found.families == (Family.IPV4, Family.IPV6)


def test_a_frontend_of_gke_is_an_address_whatever_is_behind_it():
    found = load_balancer(given({"ip": "2600:1900:4000:af3c:8000::/96"}, {"ip": "34.1.2.3"}))
    assert list(map(str, found.addresses)) == ["2600:1900:4000:af3c:8000::", "34.1.2.3"]


def test_aws_gives_a_name_whose_families_only_the_dns_knows():
    name = "k8s-Shop-web-0a1b.elb.us-east-1.amazonaws.com"
    found = load_balancer(given({"hostname": name}, notes={IP_ADDRESS_TYPE: "dualstack"}))
    assert found.names == (name.lower(),)
    assert (found.addresses, found.families, found.pending) == ((), (), False)
    assert (found.of_aws, found.ip_address_type) == (True, "dualstack")


@pytest.mark.parametrize(
    ("said", "of_aws"),
    [
        (given(loadBalancerClass="service.k8s.aws/nlb"), True),
        (given(loadBalancerClass="eks.amazonaws.com/nlb"), True),
        (
            given(notes={"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}),
            True,
        ),
        (given(loadBalancerClass="metallb.io/metallb"), False),
        (given(), False),
    ],
)
def test_who_makes_a_load_balancer_shows_before_it_has_an_address(said, of_aws: bool):
    found = load_balancer(said)
    assert (found.of_aws, found.pending) == (of_aws, True)


@pytest.mark.parametrize(
    "ingress", [{"ip": "2001:db8::g"}, {"hostname": "a name"}, {"hostname": "a\r\nX-Evil: 1"}]
)
def test_an_ingress_that_is_neither_address_nor_name_is_malformed(ingress: dict[str, str]):
    with pytest.raises(Malformed, match=r"status\.loadBalancer\.ingress\[0\]"):
        load_balancer(given(ingress))


def test_an_event_says_who_began_to_announce():
    said = {
        "involvedObject": {"kind": "Service", "namespace": "default", "name": "web"},
        "reason": "nodeAssigned",
        "message": 'announcing from node "node-2" with protocol "layer2"',
        "type": "Normal",
        "lastTimestamp": "2026-11-23T08:15:48Z",
        "eventTime": None,
    }
    found = event(said)
    assert found == Said(
        service="default/web",
        reason="nodeAssigned",
        message='announcing from node "node-2" with protocol "layer2"',
        at="2026-11-23T08:15:48Z",
    )
    assert found.node == "node-2"
    bgp = event({**said, "message": 'announcing from node "node-1" with protocol "bgp"'})
    assert bgp.node == "node-1"
    other = event({**said, "reason": "other"})
    assert other.node == ""


def test_an_event_of_a_pod_is_of_no_service():
    said = {"involvedObject": {"kind": "Pod", "namespace": "default", "name": "web"}}
    assert event(said) == Said(service="", reason="", message="")


def test_a_speaker_says_which_service_it_announces():
    status = {"node": "node-2", "serviceName": "web", "serviceNamespace": "default"}
    found = announcement({"metadata": {"name": "l2-x"}, "status": status})
    assert found == Announcement(service="default/web", node="node-2")
