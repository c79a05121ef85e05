"""Does the judge tell a cluster's families and its primary one?"""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from pytest_v6probe.inventory import kube
from pytest_v6probe.kube.services import service
from pytest_v6probe.probes.cluster_families import ClusterFamilies, cluster_families, judge
from pytest_v6probe.result import Family, Layer
from tests.unit.kube import objects
from tests.unit.kube.fake_api import Api, cluster

SPEC = kube.Cluster(
    name="lab",
    region="kind",
    families=("ipv6", "ipv4"),
    service_ranges=(ip_network("fd00:10:96::/112"), ip_network("10.96.0.0/16")),
)
SIX: dict[str, Any] = {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]}
FOUR: dict[str, Any] = {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}
API = objects.service("kubernetes", **SIX, clusterIPs=["fd00:10:96::1"], selector=None)
API_4 = objects.service("kubernetes", **FOUR, clusterIPs=["10.96.0.1"], selector=None)
BOTH = ["fd00:10:96::a", "10.96.0.10"]


def dns(*addresses, **changes):
    return objects.service("kube-dns", "kube-system", clusterIPs=list(addresses), **changes)


def found(*said, spec=SPEC):
    return judge({"all": (objects.service(), *said)}, spec=spec)


def wanted(verdict, api, dns_service, *families):
    return ClusterFamilies(
        vantage="kind/lab",
        asked="services default/kubernetes and kube-system/kube-dns",
        verdict=verdict,
        families=families,
        api=service(api),
        dns=service(dns_service),
    )


def test_a_dual_stack_cluster_shows_both_families():
    families = found(API, dns(*BOTH))
    assert families == wanted("as-declared", API, dns(*BOTH), Family.IPV6, Family.IPV4)
    assert families.primary == "ipv6"
    assert families.known_cause is None


def test_a_dns_service_of_one_family_says_nothing_against_dual_stack():
    single = dns("fd00:10:96::a", **SIX)
    assert found(API, single) == wanted("as-declared", API, single, Family.IPV6)


@pytest.mark.parametrize(
    ("api", "dns_service", "verdict", "families"),
    [
        pytest.param(
            API,
            dns("fd00:10:96::a", ipFamilies=["IPv6"]),
            "family-missing",
            (Family.IPV6,),
            id="fell-back",
        ),
        pytest.param(
            API_4,
            dns(*reversed(BOTH), ipFamilies=["IPv4", "IPv6"]),
            "other-primary",
            (Family.IPV4, Family.IPV6),
            id="the-other-first",
        ),
        pytest.param(
            API, dns("2001:db8::a", "10.96.0.10"), "outside-range", tuple(Family), id="range"
        ),
    ],
)
def test_what_is_against_the_inventory_is_said(api, dns_service, verdict, families):
    seen = found(api, dns_service)
    assert seen == wanted(verdict, api, dns_service, *families)
    assert seen.broken_layer is Layer.CLUSTER


@pytest.mark.parametrize(
    ("families", "verdict"), [(("ipv6",), "family-unexpected"), (("ipv4",), "other-primary")]
)
def test_a_family_that_is_not_declared_is_said(families, verdict):
    assert found(API, dns(*BOTH), spec=replace(SPEC, families=families)).verdict == verdict


def test_the_cure_names_the_range():
    cause, command = found(API, dns("fd00:10:96::a", ipFamilies=["IPv6"])).known_cause
    assert cause == (
        "the API server gives out IPv6: its first service range is of IPv6, and stays the first"
    )
    assert command.startswith("kubectl get servicecidrs")


def test_a_cluster_without_its_dns_service_is_said():
    families = found(API)
    assert (families.verdict, families.dns, families.primary) == ("absent", None, "ipv6")


def test_a_malformed_service_is_said():
    families = found(API, dns("x"))
    assert families.verdict == "malformed"
    assert families.evidence[0].startswith("kube-system/kube-dns: spec.clusterIPs: an IP address")


def test_only_the_two_namespaces_are_asked():
    api = Api(services=(API,))
    spec = replace(SPEC, dns_service="dns/coredns")
    assert cluster_families(cluster(spec, api)).verdict == "absent"
    assert api.asked == ["/api/v1/namespaces/default/services", "/api/v1/namespaces/dns/services"]
