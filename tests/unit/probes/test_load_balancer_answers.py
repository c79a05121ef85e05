"""Does the judge tell who should have answered at an external address, and by what name it was found?"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.inventory import kube
from pytest_v6probe.probes import kube_load_balancer
from pytest_v6probe.probes.load_balancer_answers import (
    Door,
    LoadBalancerAnswers,
    doors,
    load_balancer_answers,
)
from pytest_v6probe.result import Endpoint, Family, Layer, Path
from tests.unit.kube.balanced import given
from tests.unit.probes.seen import LOCAL, VANTAGE, answered, seen

WEB = kube.LoadBalancer(name="web", cluster="metallb/lab", families=("ipv6", "ipv4"))
SIX, FOUR = "2001:db8:ff::1", "192.0.2.192"
POOLED = {"metallb.io/ip-allocated-from-pool": "outside"}
SAID = given({"ip": FOUR}, {"ip": SIX}, notes=POOLED)
NAME = "web-1.elb.us-east-1.amazonaws.com"
NAMED = given(
    {"hostname": NAME},
    notes={"service.beta.kubernetes.io/aws-load-balancer-ip-address-type": "dualstack"},
)
PORTS = [
    {"name": "http", "port": 80},
    {"name": "tls", "port": 443},
    {"name": "dns", "port": 53, "protocol": "UDP"},
]
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SILENT = Reply("timed-out", b"", LOCAL, Endpoint(ip_address(SIX), 80), 4.0)
UNREACHABLE = Reply("unreachable", b"", LOCAL, Endpoint(ip_address(SIX), 80), 3.0)


def known(said: Any = SAID, **changes: Any) -> kube_load_balancer.KubeLoadBalancer:
    found = kube_load_balancer.judge((said,), vantage="metallb/lab", declared=WEB)
    return replace(found, **changes)


def asked(
    *replies: Reply, found: Any = None, family: str = "ipv6", prefixes: Any = ()
) -> LoadBalancerAnswers:
    ask = load_balancer_answers.ask(found or known(), family=family)
    return ask.judge(seen(*replies, prefixes=prefixes))


def test_an_external_address_that_serves_answers():
    page = answered(PAGE, SIX, 80)
    assert asked(page) == LoadBalancerAnswers(
        vantage=VANTAGE,
        asked="external addresses of default/web over ipv6",
        verdict="answers",
        service="default/web",
        family=Family.IPV6,
        answers=((f"[{SIX}]:80", "ok"),),
        local=LOCAL,
        remote=page.remote,
        path=Path.NATIVE,
    )


def test_each_tcp_port_of_the_family_is_a_door_and_the_first_one_speaks_http():
    found = known(given({"ip": FOUR}, {"ip": SIX}, ports=PORTS))
    assert doors(found, Family.IPV4) == (
        Door(host=ip_address(FOUR), port=80, http=True),
        Door(host=ip_address(FOUR), port=443),
    )
    operations = load_balancer_answers.ask(found, family="ipv4").operations
    assert [(one["host"], one["port"], one["family"], one["until"]) for one in operations] == [
        (FOUR, 80, 4, "http"),
        (FOUR, 443, 4, "connect"),
    ]


@pytest.mark.parametrize("reply", [SILENT, UNREACHABLE])
@pytest.mark.parametrize(
    ("changes", "cause", "cure"),
    [
        (
            {"announcers": (), "announced_last": "node-2"},
            "no speaker of MetalLB announces it: that of node-2 did last",
            "kubectl -n metallb-system get pods -l component=speaker -o wide",
        ),
        (
            {"announcers": ()},
            "no speaker of MetalLB announces it: none ever did",
            "kubectl -n metallb-system get pods -l component=speaker -o wide",
        ),
        (
            {},
            "the speaker of MetalLB on some node announced it last; over IPv6 nothing comes back",
            "kubectl -n metallb-system get pods -l component=speaker -o wide",
        ),
        (
            {"announcers": ("node-1",)},
            "the speaker of MetalLB on node-1 announces it, and over IPv6 nothing comes back: the router "
            "does not find it on its link, or has no route to it, or that node does not forward to the "
            "endpoints",
            f"ip -6 neigh show {SIX}  # on the router, or the route to it; then kube-proxy of node-1",
        ),
    ],
)
def test_an_address_that_is_silent_names_its_speaker(reply, changes, cause, cure):
    found = asked(reply, found=known(**changes))
    assert (found.verdict, found.silent) == ("external-silent", (f"[{SIX}]:80",))
    assert found.broken_layer is Layer.SERVICE
    assert found.known_cause == (cause, cure)


def test_one_silent_door_of_two_is_shown_first():
    found = known(given({"ip": SIX}, ports=PORTS))
    tls = Reply("refused", b"", LOCAL, Endpoint(ip_address(SIX), 443), 0.1)
    answers = asked(answered(PAGE, SIX, 80), tls, found=found)
    assert (answers.verdict, answers.silent) == ("external-silent", (f"[{SIX}]:443",))
    assert answers.remote == tls.remote
    assert answers.known_cause == (
        "its load balancer does not answer over IPv6",
        "kubectl -n default describe service web",
    )


@pytest.mark.parametrize(
    ("outcome", "layer"), [("no-route", Layer.ROUTE), ("no-address", Layer.ADDRESS)]
)
def test_what_the_vantage_lacks_is_no_fault_of_the_load_balancer(outcome, layer):
    found = asked(Reply(outcome))
    assert (found.verdict, found.broken_layer, found.known_cause) == (outcome, layer, None)


def test_a_family_without_an_address_is_missing_for_the_reason_that_is_known():
    given_one = known(given({"ip": FOUR}, notes=POOLED))
    found = asked(found=given_one)
    assert (found.verdict, found.remote) == ("address-missing", None)
    assert found.known_cause == given_one.known_cause


def test_a_name_is_asked_by_its_addresses_of_the_family():
    ask = load_balancer_answers.ask(known(NAMED), family="ipv6")
    assert ask.wants_prefixes
    assert [(one["host"], one["family"]) for one in ask.operations] == [(NAME, 6)]
    found = ask.judge(seen(answered(PAGE, SIX, 80)))
    assert (found.verdict, found.name_asked, found.path) == ("answers", NAME, Path.NATIVE)


def test_a_name_without_an_address_of_the_family_is_a_matter_of_the_dns():
    found = asked(Reply("name-error"), found=known(NAMED))
    assert (found.verdict, found.broken_layer) == ("name-error", Layer.ANSWER)


def test_nat64_does_not_stand_in_for_the_ipv6_of_a_name():
    page = answered(PAGE, "2001:db8:64::192.0.2.192", 80)
    found = asked(page, found=known(NAMED), prefixes=(ip_network("2001:db8:64::/96"),))
    assert (found.verdict, found.path, found.broken_layer) == (
        "synthesised",
        Path.NAT64,
        Layer.ANSWER,
    )


def test_a_service_that_is_absent_has_no_door():
    found = kube_load_balancer.judge((), vantage="metallb/lab", declared=WEB)
    assert asked(found=found).verdict == "address-missing"
    with pytest.raises(ValueError, match="ipv5"):
        load_balancer_answers.ask(found, family="ipv5")
