"""Does the judge of a service say where it is not what it asks for, and what has no endpoint?"""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from pytest_v6probe.inventory import kube
from pytest_v6probe.kube.endpoint_slices import endpoint_slice
from pytest_v6probe.kube.nodes import node
from pytest_v6probe.kube.services import service
from pytest_v6probe.probes.kube_service import KubeService, judge, kube_service
from pytest_v6probe.result import Family, Layer
from tests.unit.kube import objects
from tests.unit.kube.fake_api import Api, cluster

SPEC = kube.Cluster(
    name="lab",
    region="kind",
    families=("ipv6", "ipv4"),
    service_ranges=(ip_network("fd00:10:96::/112"), ip_network("10.96.0.0/16")),
)
ONLY_SIX = replace(SPEC, families=("ipv6",), service_ranges=(ip_network("fd00:10:96::/112"),))
WEB = kube.Service(name="web", cluster="kind/lab", families=("ipv6", "ipv4"))
SLICES = (objects.endpoint_slice("IPv6"), objects.endpoint_slice("IPv4"))
FELL: dict[str, Any] = {"clusterIPs": ["fd00:10:96::7"], "ipFamilies": ["IPv6"]}
BARE: dict[str, Any] = {"clusterIP": "None", "clusterIPs": ["None"]}


def found(said=None, *, slices=SLICES, spec=SPEC, declared=WEB, name="web"):
    lists = objects.lists(slices=(objects.endpoint_slice(of="other"), *slices))
    if said is not None:
        lists["services"] = (objects.service("other"), said)
    return judge(lists, spec=spec, namespace="default", name=name, declared=declared)


def wanted(verdict, said, *, slices=SLICES, lacking=(), spec=SPEC, http=True):
    return KubeService(
        vantage="kind/lab",
        asked="service default/web",
        verdict=verdict,
        service=service(said),
        slices=tuple(map(endpoint_slice, slices)),
        nodes=(node(objects.node(1)), node(objects.node(2))),
        cluster_families=spec.families,
        http=http,
        lacking=lacking,
    )


def test_a_service_with_both_families_and_endpoints_is_as_declared():
    web = found()
    assert web == wanted("as-declared", objects.service())
    assert not web.fell_back
    assert web.cluster_ip(Family.IPV4) == ip_address("10.96.0.7")
    assert [str(one.address) for one in web.endpoints(Family.IPV6)] == [
        "fd00:10:244:1::5",
        "fd00:10:244:2::5",
    ]
    assert web.evidence == (
        "ClusterIP PreferDualStack: IPv6 and IPv4; fd00:10:96::7 10.96.0.7",
        "EndpointSlice web-ipv6 of IPv6: 2 of 2 ready",
        "EndpointSlice web-ipv4 of IPv4: 2 of 2 ready",
    )
    assert web.known_cause is None


@pytest.mark.parametrize(
    ("changes", "verdict", "lacking"),
    [
        pytest.param({"type": "NodePort"}, "other-type", (), id="type"),
        pytest.param(BARE, "other-type", (), id="headless"),
        pytest.param(FELL, "fell-back", ("ipv4",), id="fell-back"),
        pytest.param(
            {**FELL, "ipFamilyPolicy": "SingleStack"}, "family-missing", ("ipv4",), id="single"
        ),
        pytest.param(
            {"clusterIPs": ["10.96.0.7", "fd00:10:96::7"], "ipFamilies": ["IPv4", "IPv6"]},
            "other-order",
            (),
            id="order",
        ),
        pytest.param(
            {"clusterIPs": ["fd00:10:96::7"]}, "families-disagree", (), id="one-address-of-two"
        ),
        pytest.param(
            {"clusterIPs": ["10.96.0.7", "fd00:10:96::7"]}, "families-disagree", (), id="swapped"
        ),
        pytest.param({"clusterIPs": ["2001:db8::7", "10.96.0.7"]}, "outside-range", (), id="range"),
    ],
)
def test_what_is_not_as_declared_is_said(changes, verdict, lacking):
    said = objects.service(**changes)
    web = found(said)
    assert web == wanted(verdict, said, lacking=lacking)
    assert web.broken_layer is Layer.SERVICE


def test_one_family_that_is_declared_is_as_declared_and_falling_back_is_said_beside():
    said = objects.service(**FELL)
    declared = replace(WEB, families=("ipv6",))
    web = found(said, spec=ONLY_SIX, declared=declared, slices=SLICES[:1])
    assert web == wanted("as-declared", said, slices=SLICES[:1], spec=ONLY_SIX)
    assert web.fell_back
    assert web.evidence[0] == (
        "ClusterIP PreferDualStack: IPv6, which it fell back to; fd00:10:96::7"
    )


def test_falling_back_on_a_cluster_of_one_family_has_that_for_its_cause():
    web = found(objects.service(**FELL), spec=ONLY_SIX, declared=None, slices=SLICES[:1])
    assert (web.verdict, web.known_cause[0]) == (
        "fell-back",
        "the cluster's services have IPv6 only: PreferDualStack falls back to it silently",
    )


def test_a_second_family_that_is_not_declared_is_unexpected():
    web = found(declared=replace(WEB, families=("ipv6",)))
    assert web == wanted("family-unexpected", objects.service())


@pytest.mark.parametrize(
    ("policy", "given", "spec", "verdict"),
    [
        ("PreferDualStack", {}, SPEC, "as-declared"),
        ("PreferDualStack", FELL, SPEC, "fell-back"),
        ("PreferDualStack", FELL, ONLY_SIX, "fell-back"),
        ("RequireDualStack", FELL, SPEC, "family-missing"),
        ("SingleStack", FELL, SPEC, "as-declared"),
    ],
)
def test_a_service_that_nobody_declared_is_judged_by_its_policy(policy, given, spec, verdict):
    said = objects.service(ipFamilyPolicy=policy, **given)
    assert found(said, spec=spec, declared=None).verdict == verdict


@pytest.mark.parametrize(
    ("slices", "cause"),
    [
        pytest.param(
            (SLICES[1],), "its EndpointSlices have no endpoint of IPv6", id="no-slice-of-it"
        ),
        pytest.param(
            (objects.endpoint_slice("IPv6", endpoints=[]), SLICES[1]),
            "its EndpointSlices have no endpoint of IPv6",
            id="an-empty-one",
        ),
        pytest.param(
            (objects.endpoint_slice("IPv6", ready=False), SLICES[1]),
            "no endpoint of IPv6 is ready",
            id="none-ready",
        ),
    ],
)
def test_a_family_without_endpoints_is_named(slices, cause):
    web = found(slices=slices)
    assert web == wanted("endpoints-missing", objects.service(), slices=slices, lacking=("ipv6",))
    assert web.broken_layer is Layer.ENDPOINTS
    assert web.known_cause[0].startswith(cause)
    assert web.endpoints(Family.IPV6) == ()


@pytest.mark.parametrize(
    ("selector", "cause"),
    [
        ({"app": "web"}, "its selector fits no pod that runs"),
        (None, "the service has no selector, and its owner made no EndpointSlice"),
    ],
)
def test_a_service_without_any_endpoint_lacks_both_families(selector, cause):
    web = found(objects.service(selector=selector), slices=())
    assert (web.verdict, web.lacking) == ("endpoints-missing", ("ipv6", "ipv4"))
    assert web.known_cause[0].startswith(cause)


def test_a_headless_service_needs_endpoints_and_no_address():
    said = objects.service(**BARE)
    declared = replace(WEB, type="Headless")
    assert found(said, declared=declared) == wanted("as-declared", said)


def test_a_headless_service_without_a_selector_lacks_no_family_that_its_cluster_has_not():
    said = objects.service(**BARE, selector=None, ipFamilyPolicy="RequireDualStack")
    web = found(said, spec=ONLY_SIX, declared=None, slices=SLICES[:1])
    assert web == wanted("as-declared", said, slices=SLICES[:1], spec=ONLY_SIX, http=False)


def test_a_name_elsewhere_has_no_endpoints_to_miss():
    said = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"type": "ExternalName", "externalName": "db.example"},
    }
    assert found(said, declared=None, slices=()).verdict == "as-declared"


def test_a_service_that_is_not_there_is_absent():
    web = found(name="nobody")
    assert (web.verdict, web.service, web.families, web.policy, web.cluster_ips, web.slices) == (
        "absent",
        None,
        (),
        "",
        (),
        (),
    )
    assert web.known_cause is None


@pytest.mark.parametrize(
    ("said", "slices"),
    [
        (objects.service(clusterIPs=["x"]), SLICES),
        (None, (objects.but(SLICES[0], "metadata.labels", 7),)),
        (None, (objects.but(SLICES[0], "endpoints.0.addresses", ["x"]), SLICES[1])),
    ],
)
def test_what_is_malformed_is_said(said, slices):
    web = found(said, slices=slices)
    assert web.verdict == "malformed"
    assert "due" in web.evidence[0]


def test_a_malformed_service_of_another_name_is_nobodys_trouble():
    lists = objects.lists()
    lists["services"] += (objects.service("bad", ipFamilies=[7]),)
    web = judge(lists, spec=SPEC, namespace="default", name="web", declared=WEB)
    assert web == wanted("as-declared", objects.service())


def test_the_cures_are_commands_on_that_service():
    single = found(objects.service(**FELL, ipFamilyPolicy="SingleStack")).known_cause
    assert single == (
        "SingleStack gives it IPv6 only",
        "kubectl -n default patch service web -p "
        '\'{"spec":{"ipFamilyPolicy":"RequireDualStack"}}\'',
    )
    order: dict[str, Any] = {
        "clusterIPs": ["10.96.0.7", "fd00:10:96::7"],
        "ipFamilies": ["IPv4", "IPv6"],
    }
    assert found(objects.service(**order)).known_cause[0] == (
        "its first family is IPv4, and that cannot be changed"
    )
    assert found(objects.service(**FELL)).known_cause[0].startswith("the API server gave IPv6 only")


@pytest.mark.parametrize(("asked", "http"), [(WEB, True), ("default/web", False)])
def test_a_cluster_is_asked_for_the_services_of_the_namespace(asked, http):
    said = objects.lists()
    api = Api(services=said["services"], endpointslices=said["slices"], nodes=said["nodes"])
    web = kube_service(cluster(SPEC, api), asked)
    assert web == replace(
        wanted("as-declared", objects.service()),
        http=http,
        slices=tuple(map(endpoint_slice, said["slices"][1:])),
    )
    assert api.asked == [
        "/api/v1/namespaces/default/services",
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        "/api/v1/nodes",
    ]
