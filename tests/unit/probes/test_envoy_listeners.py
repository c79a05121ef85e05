"""Does the judge tell a family that Envoy listens on nowhere from one that a service has not?"""

from __future__ import annotations

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes.envoy_listeners import envoy_listeners
from pytest_v6probe.result import Family, Finding, Layer
from tests.unit.kube import objects
from tests.unit.probes import mesh
from tests.unit.probes.mesh import LISTENERS, listener

ONE_FAMILY = tuple(listener(one["name"], "0.0.0.0", port=80) for one in LISTENERS)


def asked(*listeners, of=None, **answers):
    told: list[Finding] = []
    at = mesh.pod({"/listeners": {"listener_statuses": listeners}, **answers}, told_to=told)
    found = envoy_listeners(at, of)
    assert told == [found]
    return found


def changed(name, *addresses, port):
    """The listeners of a healthy sidecar, but for the one called *name*."""
    return [
        listener(name, *addresses, port=port) if one["name"] == name else one for one in LISTENERS
    ]


def test_a_sidecar_listens_on_both_families():
    found = asked(*LISTENERS, of=mesh.found())
    assert (found.verdict, found.lacking, found.at_fault) == ("as-declared", (), ())
    assert found.asked == "where its Envoy listens for default/web"
    assert found.evidence[0] == "virtualOutbound: 0.0.0.0:15001 [::]:15001"
    assert found.known_cause is None


def test_a_listener_for_one_services_address_may_have_one_family():
    assert asked(*LISTENERS).verdict == "as-declared"


def test_a_single_stack_cluster_wants_its_family_alone():
    service = objects.service(
        clusterIPs=["10.96.0.7"], ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack"
    )
    of = mesh.found(families=("ipv4",), services=(service,))
    found = asked(
        listener("virtualOutbound", "0.0.0.0", port=15001),
        listener("0.0.0.0_80", "0.0.0.0", port=80),
        of=of,
    )
    assert (found.verdict, found.wanted) == ("as-declared", ("ipv4",))


def test_dual_stack_off_lacks_a_family_everywhere():
    found = asked(*ONE_FAMILY, of=mesh.found())
    assert (found.verdict, found.lacking) == ("family-missing", ("ipv6",))
    assert found.at_fault == ("virtualOutbound", "virtualInbound", "::_15021")
    assert (found.layer, found.broken_layer) == (Layer.SIDECAR, Layer.SIDECAR)
    cause, cure = found.known_cause
    assert cause == (
        "istiod gives it no listener of IPv6: dual stack is off, as it is by default, or the pod has no address of it"
    )
    assert "ISTIO_DUAL_STACK=true" in cure
    assert "-n shop rollout restart" in cure


def test_one_listener_that_lacks_a_family_is_named():
    found = asked(*changed("virtualInbound", "0.0.0.0", "127.0.0.1", port=15006), of=mesh.found())
    assert (found.verdict, found.at_fault) == ("family-missing", ("virtualInbound",))
    assert found.known_cause[0].startswith("of its listeners virtualInbound lack IPv6")


def test_a_services_listener_that_lacks_a_family_of_the_service_is_named():
    found = asked(*changed("0.0.0.0_80", "0.0.0.0", port=80), of=mesh.found())
    assert (found.verdict, found.lacking, found.at_fault) == (
        "family-missing",
        (Family.IPV6,),
        ("0.0.0.0_80",),
    )


def test_a_service_that_no_listener_is_for_is_unknown():
    found = asked(*(one for one in LISTENERS if one["name"] != "0.0.0.0_80"), of=mesh.found())
    assert found.verdict == "service-unknown"
    assert "get sidecars" in found.known_cause[1]


def test_a_service_that_the_api_has_not_is_absent():
    assert asked(*LISTENERS, of=mesh.found(services=())).verdict == "absent"


def test_ipv4_compat_counts_for_both_families():
    static = {"listener": {"name": "ingress", "address": mesh.socket("::", 80, ipv4_compat=True)}}
    found = asked(
        listener("ingress", "::", port=80),
        **{"/config_dump?resource=static_listeners": {"configs": [static]}},
    )
    assert found.verdict == "as-declared"
    assert found.evidence == ("ingress: [::]:80 (ipv4_compat)",)


def test_a_wildcard_of_ipv6_without_ipv4_compat_lacks_ipv4():
    found = asked(listener("ingress", "::", port=80))
    assert (found.verdict, found.lacking) == ("family-missing", (Family.IPV4,))


@pytest.mark.parametrize(
    ("said", "verdict", "line"),
    [
        pytest.param(Reply("refused"), "no-envoy", "refused after 0.0 ms", id="refused"),
        pytest.param(Reply("timed-out"), "no-envoy", "timed-out", id="silent"),
        pytest.param(mesh.page(b"x", "403 Forbidden"), "malformed", "HTTP 403", id="forbidden"),
        pytest.param(mesh.page(b"<html>"), "malformed", "JSON was due", id="no-json"),
        pytest.param({"listener_statuses": [1]}, "malformed", "an object was due", id="shape"),
        pytest.param({}, "none", "", id="no-listeners"),
    ],
)
def test_what_is_no_answer_is_a_verdict(said, verdict, line):
    found = envoy_listeners(mesh.pod({"/listeners": said}), mesh.found())
    assert found.verdict == verdict
    assert line in " ".join(found.evidence)


def test_an_answer_without_an_end_is_not_observed():
    endless = mesh.page(b"x", outcome="too-large")
    with pytest.raises(Unobserved, match="more than 1048576 octets") as why:
        envoy_listeners(mesh.pod({"/listeners": endless}))
    assert why.value.reason == "too-large"


def test_a_pod_without_a_sidecar_is_not_observed():
    with pytest.raises(Unobserved, match="set envoy_admin of its"):
        envoy_listeners(mesh.pod(admin=None))
