"""Does the judge tell what Envoy lacks of a service's endpoints, by family, by address, by health?"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.envoy_endpoints import EnvoyEndpoints, envoy_endpoints
from pytest_v6probe.result import Endpoint, Family, Finding, Layer
from tests.unit.kube import objects
from tests.unit.probes import mesh
from tests.unit.probes.mesh import FAR, OWN

DUMP = "/config_dump?include_eds&resource=dynamic_endpoint_configs"
ALL = frozenset(Endpoint(ip_address(address), 80) for address in (*OWN.values(), *FAR.values()))


def asked(dump=mesh.BOTH, *, of=None, **answers):
    told: list[Finding] = []
    found = envoy_endpoints(mesh.pod({DUMP: dump, **answers}, told_to=told), of or mesh.found())
    assert told == [found]
    return found


def at(*addresses):
    return frozenset(Endpoint(ip_address(address), 80) for address in addresses)


def test_additional_addresses_are_counted():
    found = asked()
    assert found == EnvoyEndpoints(
        vantage="lab.mesh-web",
        asked="the endpoints that its Envoy has of service default/web",
        verdict="equal",
        service="default/web",
        endpoints=ALL,
        namespace="shop",
    )
    assert found.families == {Family.IPV6, Family.IPV4}
    assert found.evidence[0] == f"Envoy's clusters: {mesh.NAME}"


def test_a_family_that_envoy_has_no_endpoint_of_is_missing():
    found = asked({})
    assert (found.verdict, found.lacking) == ("family-missing", (Family.IPV4,))
    assert found.missing == at(OWN["ipv4"], FAR["ipv4"])
    assert found.broken_layer is Layer.SIDECAR
    assert found.known_cause[0].startswith("istiod tells it no endpoint of IPv4")


def test_a_family_that_is_ready_nowhere_is_not_missed():
    ipv4 = objects.endpoint_slice("IPv4", ready=False)
    found = asked({}, of=mesh.found(slices=(objects.endpoint_slice("IPv6"), ipv4)))
    assert (found.verdict, found.lacking) == ("equal", ())


def test_one_pod_without_its_second_address_differs():
    found = asked(mesh.endpoints((OWN["ipv6"], OWN["ipv4"]), (FAR["ipv6"],)))
    assert (found.verdict, found.missing, found.extra) == ("differs", at(FAR["ipv4"]), at())
    assert found.known_cause[0].startswith("it knows some pods by one address, without IPv4")


def test_an_endpoint_that_went_away_differs():
    gone = "fd00:10:244:2::66"
    found = asked(mesh.endpoints(*((one["ipv6"], one["ipv4"]) for one in (OWN, FAR)), (gone,)))
    assert (found.verdict, found.extra) == ("differs", at(gone))
    assert "proxy-status" in found.known_cause[1]


def test_every_address_of_an_endpoint_that_is_sent_nothing_is_unhealthy():
    ailing = mesh.clusters(failed_outlier_check=True)
    found = asked(**{"/clusters": ailing})
    assert (found.verdict, found.unhealthy) == ("unhealthy", at(*FAR.values()))
    assert f"[{FAR['ipv6']}]:80: failed_outlier_check" in found.evidence


def test_a_port_of_another_protocol_is_not_compared():
    ports = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    found = asked(of=mesh.found(services=(objects.service(ports=ports),)))
    assert found.verdict == "equal"


def test_endpoints_are_found_by_the_name_that_they_are_asked_for_under():
    clusters = mesh.clusters()
    clusters["cluster_statuses"][0]["eds_service_name"] = "web"
    dump = mesh.endpoints((OWN["ipv6"], OWN["ipv4"]), (FAR["ipv6"], FAR["ipv4"]))
    dump["configs"][0]["endpoint_config"]["cluster_name"] = "web"
    assert asked(dump, **{"/clusters": clusters}).verdict == "equal"


def test_a_service_that_envoy_has_no_cluster_of_is_unknown():
    found = asked(**{"/clusters": {}})
    assert found.verdict == "service-unknown"
    assert "keeps it from this pod" in found.known_cause[0]


def test_a_service_that_the_api_has_not_is_absent():
    assert asked(of=mesh.found(services=())).verdict == "absent"


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        pytest.param({"/clusters": Reply("refused")}, "no-envoy", id="refused"),
        pytest.param({"/clusters": {"cluster_statuses": 7}}, "malformed", id="clusters"),
        pytest.param({DUMP: {"configs": [{"endpoint_config": 1}]}}, "malformed", id="endpoints"),
        pytest.param({DUMP: mesh.page(b"no", "404 Not Found")}, "malformed", id="unknown-page"),
    ],
)
def test_what_is_no_answer_is_a_verdict(answers, verdict):
    assert envoy_endpoints(mesh.pod(answers), mesh.found()).verdict == verdict
