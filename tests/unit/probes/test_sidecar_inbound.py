"""Does the judge tell calls that came in through the sidecar from those that came past it?"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.probes.sidecar_inbound import SidecarInbound, sidecar_inbound
from pytest_v6probe.result import Endpoint, Family, Finding, Layer, Path
from tests.unit.kube import objects
from tests.unit.probes import mesh, seen
from tests.unit.probes.mesh import CLIENT, LISTENERS, OWN, listener

AT = Endpoint(ip_address(OWN["ipv6"]), 80)
ANSWER = mesh.page(b"hello", local=CLIENT, remote=AT)
ONE_FAMILY = [listener("virtualInbound", "0.0.0.0", "127.0.0.1", port=15006)]


def addresses(*own):
    octets = seen.link(1, "lo") + seen.link() + seen.address("::6", index=1)
    return Reply("answered", octets + b"".join(seen.address(one, bits=24) for one in own))


def called(after=None, *, reply=ANSWER, own=(OWN["ipv6"],), of=None, family="ipv6", **said):
    told: list[Finding] = []
    caller = mesh.pod(other=lambda _: reply, told_to=told)
    before = mesh.clusters(inbound=5)
    callee = mesh.pod(
        {"/clusters": [before, after or before], **said}, other=lambda _: addresses(*own)
    )
    found = sidecar_inbound(caller, callee, of or mesh.found(), family=family)
    assert told == [found]
    return found


def test_calls_that_envoy_counted_for_the_pods_address_passed():
    found = called(mesh.clusters(inbound=13))
    assert found == SidecarInbound(
        vantage="lab.mesh-web",
        asked=f"lab.mesh-web at {AT} over ipv6, through its sidecar",
        verdict="passed",
        pod="lab.mesh-web",
        family=Family.IPV6,
        serves=True,
        answered=8,
        through=8,
        namespace="shop",
        local=CLIENT,
        remote=AT,
        path=Path.NATIVE,
    )
    assert found.evidence[1] == "Envoy counted 8 for that address"


def test_ipv4_is_counted_apart():
    after = mesh.clusters(inbound=5)
    after["cluster_statuses"][2]["host_statuses"][0] = mesh.host(OWN["ipv6"], 13)
    assert called(after).verdict == "passed"
    found = called(after, own=(OWN["ipv4"],), family="ipv4")
    assert (found.verdict, found.through, found.path) == ("not-captured", 0, Path.IPV4)


@pytest.mark.parametrize(
    ("reply", "count", "listeners", "verdict", "layer"),
    [
        pytest.param(ANSWER, 5, LISTENERS, "not-captured", Layer.SIDECAR, id="past-it"),
        pytest.param(ANSWER, 6, LISTENERS, "partly-captured", Layer.SIDECAR, id="some"),
        pytest.param(
            Reply("refused"), 5, LISTENERS, "not-captured", Layer.SIDECAR, id="by-the-pod"
        ),
        pytest.param(Reply("refused"), 5, ONE_FAMILY, "not-listening", Layer.SIDECAR, id="nobody"),
        pytest.param(Reply("reset"), 5, LISTENERS, "reset", Layer.SIDECAR, id="strict"),
        pytest.param(Reply("timed-out"), 5, LISTENERS, "timed-out", Layer.POD, id="silent"),
        pytest.param(Reply("no-route"), 5, LISTENERS, "no-route", Layer.ROUTE, id="no-route"),
        pytest.param(
            mesh.page(b"", "503 x"), 13, LISTENERS, "status-503", Layer.SIDECAR, id="no-server"
        ),
    ],
)
def test_what_became_of_the_calls_and_who_counted_them(reply, count, listeners, verdict, layer):
    said = {"/listeners": {"listener_statuses": listeners}}
    found = called(mesh.clusters(inbound=count), reply=reply, **said)
    assert (found.verdict, found.broken_layer) == (verdict, layer)


def test_past_the_sidecar_is_the_doing_of_ip6tables():
    cause, cure = called().known_cause
    assert cause.startswith("what comes over IPv6 goes past the sidecar: no rule of ip6tables")
    assert cure.startswith("ip6tables -t nat -S")


def test_a_reset_that_envoy_did_not_count_is_of_strict_mtls():
    assert "PeerAuthentication is STRICT" in called(reply=Reply("reset")).known_cause[0]


def test_a_pod_that_does_not_serve_is_passed_where_envoy_counted_any():
    other = "fd00:10:244:2::77"
    after = mesh.clusters()
    after["cluster_statuses"].append(
        {"name": "InboundPassthroughCluster", "host_statuses": [mesh.host(other, 1)]}
    )
    found = called(after, reply=mesh.page(b"", "503 x"), own=(other,))
    assert (found.verdict, found.serves, found.through) == ("passed", False, 1)


def test_an_address_of_the_loopback_is_not_the_pods():
    found = called(own=())
    assert (found.verdict, found.broken_layer) == ("family-missing", Layer.POD)
    assert found.asked == "lab.mesh-web at its own address over ipv6, through its sidecar"


def test_a_service_whose_port_no_endpoint_has_is_not_called():
    bare = objects.endpoint_slice("IPv6", ports=[])
    found = called(of=mesh.found(slices=(bare,)))
    assert (found.verdict, found.broken_layer) == ("endpoints-missing", Layer.ENDPOINTS)


def test_a_pod_that_does_not_tell_its_addresses_is_not_observed():
    callee = mesh.pod(other=lambda _: Reply("answered", b"\x01"))
    with pytest.raises(Unobserved, match="does not tell its addresses"):
        sidecar_inbound(mesh.pod(), callee, mesh.found(), family="ipv6")


def test_an_envoy_that_cannot_be_asked_is_a_verdict():
    assert called(**{"/clusters": Reply("timed-out")}).verdict == "no-envoy"
