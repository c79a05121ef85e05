"""Is an EndpointSlice read as the API's reference has it?"""

from ipaddress import ip_address

import pytest

from pytest_v6probe.kube.endpoint_slices import (
    EndpointPort,
    EndpointSlice,
    ServiceEndpoint,
    endpoint_slice,
)
from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.result import Family
from tests.unit.kube import objects


def an_endpoint(number, *, ready=True):
    return ServiceEndpoint(
        address=ip_address(f"fd00:10:244:{number}::5"),
        ready=ready,
        node=f"node-{number}",
        pod=f"default/web-{number}",
    )


def test_a_slice_of_one_family_is_whole():
    assert endpoint_slice(objects.endpoint_slice()) == EndpointSlice(
        namespace="default",
        name="web-ipv6",
        service="web",
        family=Family.IPV6,
        endpoints=(an_endpoint(1), an_endpoint(2)),
        ports=(EndpointPort(port=80, name="http"),),
    )


@pytest.mark.parametrize(("said", "ready"), [(True, True), (False, False), (None, True)])
def test_an_endpoint_is_ready_unless_it_is_said_not_to_be(said, ready):
    found = endpoint_slice(objects.endpoint_slice(ready=said))
    assert found.endpoints[0] == an_endpoint(1, ready=ready)


def test_an_endpoint_without_a_pod_behind_it_has_none():
    found = endpoint_slice(objects.endpoint_slice(endpoints=[{"addresses": ["fd00::1"]}]))
    assert found.endpoints == (ServiceEndpoint(address=ip_address("fd00::1")),)


def test_a_slice_of_names_has_no_endpoint_to_ask():
    found = endpoint_slice(
        objects.endpoint_slice(addressType="FQDN", endpoints=[{"addresses": ["a.example"]}])
    )
    assert (found.family, found.endpoints) == (None, ())


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("metadata.labels", ["web"], "metadata.labels: an object was due"),
        ("endpoints.0.addresses", [], r"endpoints\[0\].addresses: an IP address was due"),
        ("endpoints.0.addresses", ["10.0.0.1"], "10.0.0.1 in a slice of ipv6"),
        ("endpoints.0.conditions.ready", "no", "conditions.ready: true or false was due"),
        ("endpoints.0.nodeName", "a b", "nodeName: a DNS name was due"),
        ("ports.0.port", 0, "a port number was due"),
    ],
)
def test_what_is_no_slice_is_malformed(path, value, why):
    with pytest.raises(Malformed, match=why):
        endpoint_slice(objects.but(objects.endpoint_slice(), path, value))
