"""Istio with dual stack (BRKIPV-3927, rows I1 and I2): have service, endpoints and pods both families,
what does Envoy see, and does a call over each pass the sidecars?
"""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Cluster,
    Family,
    Service,
    Vantage,
    envoy_endpoints,
    envoy_listeners,
    eventually,
    kube_pods,
    kube_service,
    sidecar_inbound,
    sidecar_outbound,
)

pytestmark = pytest.mark.v6_lab("istio")


# Row I1


def test_a_service_of_the_mesh_has_addresses_and_endpoints_of_its_families(
    cluster: Cluster, mesh_service: Service
) -> None:
    found = kube_service(cluster, mesh_service)
    assert found.verdict == "as-declared"
    assert found.families == mesh_service.families


def test_every_pod_of_the_mesh_has_an_address_of_each_family(cluster: Cluster) -> None:
    seen = kube_pods(cluster)
    assert seen.verdict == "as-declared"


# Row I2, what Envoy sees


def test_a_sidecar_listens_on_every_family(
    mesh_pod: Vantage, cluster: Cluster, mesh_service: Service
) -> None:
    seen = envoy_listeners(mesh_pod, kube_service(cluster, mesh_service))
    assert seen.verdict == "as-declared"


def test_a_sidecar_has_the_endpoints_of_every_family(
    mesh_pod: Vantage, cluster: Cluster, mesh_service: Service
) -> None:
    seen = eventually(
        lambda: envoy_endpoints(mesh_pod, kube_service(cluster, mesh_service)),
        until=lambda seen: seen.verdict == "equal",
        within_s=5,
        every_s=1,
    )
    assert seen.verdict == "equal"


# Row I2, what passes it


def test_a_call_to_a_service_passes_the_sidecar_of_the_caller(
    mesh_pod: Vantage, cluster: Cluster, mesh_service: Service, family: Family
) -> None:
    call = sidecar_outbound(mesh_pod, kube_service(cluster, mesh_service), family=family)
    assert call.verdict == "passed"


def test_a_call_from_outside_of_the_mesh_passes_the_sidecar_of_the_pod(
    plain_pod: Vantage,
    mesh_pod: Vantage,
    cluster: Cluster,
    mesh_service: Service,
    family: Family,
) -> None:
    found = kube_service(cluster, mesh_service)
    call = sidecar_inbound(plain_pod, mesh_pod, found, family=family)
    assert call.verdict == "passed"
