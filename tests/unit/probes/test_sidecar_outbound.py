"""Does the judge tell calls that passed the sidecar from those that went past it, by Envoy's counters?"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.sidecar_outbound import STATUS, SidecarOutbound, sidecar_outbound
from pytest_v6probe.result import Endpoint, Family, Finding, Layer, Path
from tests.unit.kube import objects
from tests.unit.probes import mesh, seen
from tests.unit.probes.mesh import CLIENT, LISTENERS, SERVICE, listener

AT = Endpoint(ip_address(SERVICE["ipv6"]), 80)
ONE_FAMILY = [listener("virtualOutbound", "0.0.0.0", port=15001)]


def answers(status="200 OK", **how):
    reply = mesh.page(b"hello", status, local=CLIENT, remote=AT, **how)

    def reply_to(operation):
        if operation["op"] == "read":
            return seen.read({STATUS: "Name:\tpython3\nUid:\t1000\t1000\t1000\t1000\n"})
        return reply

    return reply_to


def called(after=None, *, other=None, of=None, family="ipv6", **said):
    told: list[Finding] = []
    before = mesh.clusters(outbound=100)
    at = mesh.pod(
        {"/clusters": [before, after or before], **said},
        other=other or answers(),
        told_to=told,
    )
    found = sidecar_outbound(at, of or mesh.found(), family=family)
    assert told == [found]
    return found


def test_calls_that_envoy_counted_for_the_service_passed():
    found = called(mesh.clusters(outbound=108))
    assert found == SidecarOutbound(
        vantage="lab.mesh-web",
        asked="service default/web over ipv6, through its sidecar",
        verdict="passed",
        service="default/web",
        family=Family.IPV6,
        answered=8,
        through=8,
        user=1000,
        namespace="shop",
        local=CLIENT,
        remote=AT,
        path=Path.NATIVE,
    )
    assert found.evidence == (
        f"8 of 8 answered; HTTP 200 from {AT}, server: envoy",
        "Envoy counted 8 for the service, 0 for the address alone",
    )


@pytest.mark.parametrize(
    ("after", "verdict", "cause"),
    [
        pytest.param({"outbound": 100}, "not-captured", "no rule of ip6tables", id="none"),
        pytest.param({"outbound": 101}, "partly-captured", "no rule of ip6tables", id="some"),
        pytest.param({"outbound": 250}, "passed", "", id="and-others"),
        pytest.param({"outbound": 9}, "passed", "", id="a-host-that-was-forgotten"),
        pytest.param(
            {"outbound": 100, "beyond": 8},
            "passed-through",
            "does not know the",
            id="unknown-address",
        ),
    ],
)
def test_the_counters_tell_which_way_the_calls_went(after, verdict, cause):
    found = called(mesh.clusters(**after))
    assert (found.verdict, found.broken_layer) == (verdict, Layer.SIDECAR)
    assert cause in (found.known_cause or ("", ""))[0]


def test_counts_of_connections_do_for_a_port_that_envoy_does_not_read():
    after = mesh.clusters(outbound=100)
    after["cluster_statuses"][0]["host_statuses"][1]["stats"] += [
        {"name": "cx_total", "value": "8"}
    ]
    assert called(after).verdict == "passed"


def test_a_host_that_each_thread_made_anew_is_counted_together():
    after = mesh.clusters(outbound=100)
    after["cluster_statuses"][0]["host_statuses"] += [mesh.host(mesh.OWN["ipv6"], 1)] * 8
    assert (called(after).verdict, called(after).through) == ("passed", 8)


def test_envoys_own_user_is_not_captured():
    def reply_to(operation):
        known = answers()
        return (
            seen.read({STATUS: "Uid:\t1337\t1337\n"})
            if operation["op"] == "read"
            else known(operation)
        )

    found = called(other=reply_to)
    assert (found.verdict, found.user) == ("not-captured", 1337)
    assert "the user 1337, Envoy's own" in found.known_cause[0]


@pytest.mark.parametrize(
    ("reply", "listeners", "verdict", "layer"),
    [
        pytest.param(
            Reply("refused"), ONE_FAMILY, "not-listening", Layer.SIDECAR, id="no-listener"
        ),
        pytest.param(Reply("refused"), LISTENERS, "refused", Layer.SIDECAR, id="refused"),
        pytest.param(Reply("timed-out"), LISTENERS, "timed-out", Layer.SIDECAR, id="silent"),
        pytest.param(Reply("no-route"), LISTENERS, "no-route", Layer.ROUTE, id="no-route"),
        pytest.param(Reply("no-address"), LISTENERS, "no-address", Layer.ADDRESS, id="no-address"),
        pytest.param(mesh.page(b"", "503 x"), LISTENERS, "status-503", Layer.SIDECAR, id="503"),
    ],
)
def test_calls_that_are_not_answered_say_why(reply, listeners, verdict, layer):
    said = {"/listeners": {"listener_statuses": listeners}}
    found = called(other=lambda _: reply, **said)
    assert (found.verdict, found.broken_layer) == (verdict, layer)


def test_a_status_of_the_service_itself_is_an_answer():
    found = called(mesh.clusters(outbound=108), other=answers("404 Not Found"))
    assert found.verdict == "passed"


def test_a_service_without_the_family_is_not_called():
    one = objects.service(clusterIPs=["10.96.0.7"], ipFamilies=["IPv4"])
    found = called(of=mesh.found(services=(one,)))
    assert (found.verdict, found.broken_layer, found.answered) == (
        "family-missing",
        Layer.SERVICE,
        0,
    )
    assert "RequireDualStack" in found.known_cause[1]


def test_an_envoy_that_cannot_be_asked_is_not_called_through():
    found = called(**{"/clusters": Reply("refused")})
    assert (found.verdict, found.answered) == ("no-envoy", 0)
    assert found.evidence == ("the admin interface of Envoy: refused after 0.0 ms",)


def test_a_service_that_speaks_no_http_cannot_be_asked():
    with pytest.raises(ValueError, match="speaks HTTP"):
        sidecar_outbound(mesh.pod(), mesh.found(http=False), family="ipv6")
