"""Does every question to a sidecar get a finding, or is told to be unobserved, whatever its Envoy says?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes.envoy_endpoints import envoy_endpoints
from pytest_v6probe.probes.envoy_listeners import envoy_listeners
from pytest_v6probe.probes.sidecar_inbound import sidecar_inbound
from pytest_v6probe.probes.sidecar_outbound import sidecar_outbound
from pytest_v6probe.result import Finding, Layer
from tests.unit.probes import mesh, seen
from tests.unit.probes.test_hostile_replies import JSON, REPLIES

OWN = seen.answered(seen.link() + seen.address(mesh.OWN["ipv6"]))
KEYS = (
    "listener_statuses",
    "cluster_statuses",
    "configs",
    "local_address",
    "host_statuses",
    "endpoint_config",
    "socket_address",
    "health_status",
    "stats",
    "name",
    "value",
)
SHAPES = st.recursive(
    JSON | st.sampled_from((mesh.LISTENERS[0], mesh.host("::1", 1), mesh.socket("::1"))),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
SAID = REPLIES | SHAPES
ASKED: dict[str, Callable[..., Finding]] = {
    "envoy_listeners": envoy_listeners,
    "envoy_endpoints": envoy_endpoints,
    "sidecar_outbound": partial(sidecar_outbound, family="ipv6"),
}


def pod(data, other):
    names = (*mesh.ANSWERS, "/config_dump?resource=dynamic_listeners")
    return mesh.pod({name: [data.draw(SAID), data.draw(SAID)] for name in names}, other=other)


def holds(ask):
    try:
        finding = ask()
    except Unobserved as why:
        return why.reason == "too-large"
    lines = all(len(line) < 600 and line.isprintable() for line in finding.evidence)
    return bool(finding.verdict) and isinstance(finding.broken_layer, Layer) and lines


@pytest.mark.parametrize("name", ASKED)
@settings(max_examples=40)
@given(data=st.data())
def test_anything_that_envoy_says_becomes_a_finding(name, data):
    at = pod(data, lambda _: data.draw(REPLIES))
    assert holds(lambda: ASKED[name](at, mesh.found()))


@settings(max_examples=40)
@given(data=st.data())
def test_anything_that_the_envoy_of_a_called_pod_says_becomes_a_finding(data):
    caller = mesh.pod(other=lambda _: data.draw(REPLIES))
    callee = pod(data, lambda _: OWN)
    assert holds(lambda: sidecar_inbound(caller, callee, mesh.found(), family="ipv6"))
