"""Does the judge of a load balancer say which family it lacks, what is not from the pool, and why?"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory import kube
from pytest_v6probe.kube.load_balancers import load_balancer
from pytest_v6probe.probes.kube_load_balancer import (
    KubeLoadBalancer,
    explained,
    judge,
    kube_load_balancer,
)
from pytest_v6probe.result import Family, Layer
from tests.unit.kube.balanced import given
from tests.unit.kube.fake_api import Api, cluster

SPEC = kube.Cluster(name="lab", region="metallb", families=("ipv6", "ipv4"))
WEB = kube.LoadBalancer(
    name="web",
    cluster="metallb/lab",
    families=("ipv6", "ipv4"),
    pool=(ip_network("2001:db8:ff::/112"), ip_network("192.0.2.192/27")),
)
POOLED = {"metallb.io/ip-allocated-from-pool": "outside"}
BOTH = ({"ip": "192.0.2.192"}, {"ip": "2001:db8:ff::1"})
NAME = {"hostname": "web-1.elb.us-east-1.amazonaws.com"}
DUAL = {"service.beta.kubernetes.io/aws-load-balancer-ip-address-type": "dualstack"}


def said_of(reason: str, message: str, kind: str = "Warning", at: str = "08") -> Any:
    return {
        "involvedObject": {"kind": "Service", "namespace": "default", "name": "web"},
        "reason": reason,
        "message": message,
        "type": kind,
        "lastTimestamp": f"2026-11-23T{at}:15:48Z",
    }


LEFT = said_of("nodeAssigned", 'announcing from node "node-2" with protocol "layer2"', "Normal")
ON_NODE_2 = {"status": {"node": "node-2", "serviceName": "web", "serviceNamespace": "default"}}


def found(said: Any, declared: kube.LoadBalancer = WEB) -> KubeLoadBalancer:
    return judge((said,), vantage="metallb/lab", declared=declared)


def test_an_address_of_each_family_from_the_pool_is_as_declared():
    said = given(*BOTH, notes=POOLED)
    web = found(said)
    assert web == KubeLoadBalancer(
        vantage="metallb/lab",
        asked="external addresses of default/web",
        verdict="as-declared",
        service="default/web",
        balancer=load_balancer(said),
    )
    assert web.evidence == (
        "LoadBalancer PreferDualStack: 192.0.2.192 2001:db8:ff::1 out of the pool outside",
    )
    assert (web.families, web.known_cause) == ((Family.IPV4, Family.IPV6), None)


@pytest.mark.parametrize(
    ("said", "verdict", "lacking", "layer"),
    [
        pytest.param(given(), "pending", (), Layer.SERVICE, id="pending"),
        pytest.param(
            given(BOTH[0]), "address-missing", (Family.IPV6,), Layer.SERVICE, id="one-family"
        ),
        pytest.param(
            given(*BOTH, clusterIPs=["fd00:10:96::7"]),
            "families-disagree",
            (),
            Layer.SERVICE,
            id="more-than-cluster-ips",
        ),
        pytest.param(given(NAME, notes=DUAL), "as-declared", (), Layer.SERVICE, id="a-name"),
        pytest.param(given(NAME), "annotation-missing", (), Layer.CONFIGURATION, id="aws"),
        pytest.param(
            given(loadBalancerClass="service.k8s.aws/nlb"),
            "annotation-missing",
            (),
            Layer.CONFIGURATION,
            id="aws-and-pending",
        ),
        pytest.param(given({"ip": 7}), "malformed", (), Layer.SERVICE, id="malformed"),
    ],
)
def test_what_is_not_as_declared_is_said(said, verdict, lacking, layer):
    web = found(said)
    assert (web.verdict, web.lacking, web.broken_layer) == (verdict, lacking, layer)


def test_a_service_of_another_type_and_none_at_all_have_no_external_address():
    said = given(*BOTH)
    said["spec"]["type"] = "NodePort"
    assert found(said).verdict == "other-type"
    none = judge((), vantage="metallb/lab", declared=WEB)
    assert (none.verdict, none.addresses, none.known_cause) == ("absent", (), None)


def test_an_address_from_elsewhere_is_named():
    web = found(given(BOTH[0], {"ip": "2001:db8:fe::1"}))
    assert (web.verdict, web.strays) == ("outside-pool", (ip_address("2001:db8:fe::1"),))
    assert web.known_cause == (
        "2001:db8:fe::1: from none of the ranges that the inventory declares",
        "kubectl get ipaddresspools.metallb.io -A -o yaml",
    )


def test_ipv4_alone_needs_no_annotation_of_aws():
    only_four = kube.LoadBalancer(name="web", cluster="metallb/lab", families=("ipv4",))
    assert found(given(NAME), only_four).verdict == "as-declared"


NO_ROOM = said_of("AllocationFailed", 'Failed to allocate IP for "default/web": no available IPs')
NO_MORE = said_of("AdditionalAssignFailed", "cannot assign additional IP", "Normal", at="09")
ELSEWHERE = {**NO_ROOM, "involvedObject": {"kind": "Service", "namespace": "b", "name": "web"}}


@pytest.mark.parametrize(
    ("said", "events", "cause", "cure"),
    [
        pytest.param(
            given(),
            (NO_ROOM, NO_ROOM, ELSEWHERE),
            "no pool of MetalLB has an address of IPv6 and IPv4 to give; all of a service are from one "
            "pool, which must hold every family of it: AllocationFailed: Failed to allocate IP for "
            '"default/web": no available IPs',
            "kubectl get ipaddresspools.metallb.io -A -o yaml",
            id="no-room",
        ),
        pytest.param(
            given(BOTH[0], notes=POOLED),
            (NO_ROOM, NO_MORE),
            "no pool of MetalLB has an address of IPv6 to give; all of a service are from one pool, "
            "which must hold every family of it: AdditionalAssignFailed: cannot assign additional IP",
            "kubectl get ipaddresspools.metallb.io -A -o yaml",
            id="no-more",
        ),
        pytest.param(
            given(BOTH[0], clusterIPs=["10.96.0.7"], ipFamilyPolicy="SingleStack"),
            (),
            "the service has IPv4 only, by SingleStack: no load balancer gives it IPv6",
            "kubectl -n default patch service web -p "
            '\'{"spec":{"ipFamilyPolicy":"RequireDualStack"}}\'',
            id="single-stack",
        ),
        pytest.param(
            given(BOTH[0]),
            (),
            "the cloud gave it no IPv6: some give the first family alone, and then a second service "
            "with the other family is the way out (jenkins-infra/helpdesk#3639)",
            "kubectl -n default describe service web",
            id="cloud",
        ),
        pytest.param(
            given(),
            (said_of("SyncLoadBalancerFailed", "quota exceeded"),),
            "no controller has given it an address: SyncLoadBalancerFailed: quota exceeded",
            "kubectl -n default describe service web",
            id="refused",
        ),
        pytest.param(
            given(),
            (),
            "no controller has given it an address, and nobody says why",
            "kubectl -n default describe service web",
            id="nobody",
        ),
        pytest.param(
            given(NAME),
            (),
            "AWS gives a load balancer IPv6 only where it is asked for dualstack; asked is nothing, "
            "which is ipv4",
            "kubectl -n default annotate service web --overwrite "
            "service.beta.kubernetes.io/aws-load-balancer-ip-address-type=dualstack",
            id="annotation",
        ),
    ],
)
def test_why_there_is_no_address_is_what_the_controllers_said(said, events, cause, cure):
    assert explained(found(said), events).known_cause == (cause, cure)


class Refusing(Api):
    """An API whose account may list services alone; MetalLB's kinds it has not."""

    def list(self, path: str, *, selector: str = "", timeout_s: float) -> tuple[Any, ...]:
        if path.endswith("/services"):
            return super().list(path, selector=selector, timeout_s=timeout_s)
        reason = "forbidden" if path.endswith("/events") else "resource-absent"
        self.asked.append(path)
        raise Unobserved(f"{path}: no", reason=reason)


class WithoutBgp(Api):
    """MetalLB before 0.15.0, which has no ServiceBGPStatus."""

    def list(self, path: str, *, selector: str = "", timeout_s: float) -> tuple[Any, ...]:
        if path.endswith("/servicebgpstatuses"):
            raise Unobserved(f"{path}: no", reason="resource-absent")
        return super().list(path, selector=selector, timeout_s=timeout_s)


def test_an_address_that_a_speaker_announces_needs_no_events():
    api = Api(services=(given(*BOTH, notes=POOLED),), servicel2statuses=(ON_NODE_2,))
    told: list[Any] = []
    web = kube_load_balancer(cluster(SPEC, api, told), WEB)
    assert (web.verdict, web.announcers, told) == ("as-declared", ("node-2",), [web])
    assert api.asked == [
        "/api/v1/namespaces/default/services",
        "/apis/metallb.io/v1beta1/servicel2statuses",
    ]


def test_who_announced_it_last_is_in_the_events():
    api = Api(
        services=(given(*BOTH, notes=POOLED),),
        servicel2statuses=(),
        servicebgpstatuses=(),
        events=(LEFT, ELSEWHERE),
    )
    web = kube_load_balancer(cluster(SPEC, api), WEB)
    assert (web.verdict, web.announcers, web.announced_last) == ("as-declared", (), "node-2")


def test_an_address_may_be_announced_to_peers_instead():
    said = given(*BOTH, notes=POOLED)
    api = Api(services=(said,), servicel2statuses=(), servicebgpstatuses=(ON_NODE_2, ON_NODE_2))
    assert kube_load_balancer(cluster(SPEC, api), WEB).announcers == ("node-2",)


def test_where_one_way_of_announcing_is_out_of_sight_nobody_is_said_to_be_silent():
    said = given(*BOTH, notes=POOLED)
    api = WithoutBgp(services=(said,), servicel2statuses=(), events=(LEFT,))
    web = kube_load_balancer(cluster(SPEC, api), WEB)
    assert (web.announcers, web.announced_last) == (None, "node-2")


def test_a_cloud_has_no_speakers_to_ask():
    api = Api(services=(given(NAME, notes=DUAL),))
    web = kube_load_balancer(cluster(SPEC, api), WEB)
    assert (web.verdict, web.names) == ("as-declared", (NAME["hostname"],))
    assert api.asked == ["/api/v1/namespaces/default/services"]


def test_what_only_explains_may_be_out_of_sight():
    api = Refusing(services=(given(BOTH[0], notes=POOLED),))
    web = kube_load_balancer(cluster(SPEC, api), WEB)
    assert (web.verdict, web.said, web.announcers) == ("address-missing", (), None)
    assert len(api.asked) == 3


def test_an_api_that_cannot_be_asked_is_no_verdict():
    class Gone(Api):
        def list(self, path: str, *, selector: str = "", timeout_s: float) -> tuple[Any, ...]:
            if path.endswith("/events"):
                raise Unobserved("gone", reason="api-closed")
            return super().list(path, selector=selector, timeout_s=timeout_s)

    with pytest.raises(Unobserved, match="gone"):
        kube_load_balancer(cluster(SPEC, Gone(services=(given(),))), WEB)
