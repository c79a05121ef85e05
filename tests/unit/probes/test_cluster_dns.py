"""Does the judge see where a cluster's DNS does not say what its API says?"""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.inventory import kube
from pytest_v6probe.kube.pods import pod
from pytest_v6probe.probes import kube_service
from pytest_v6probe.probes.cluster_answers import ClusterName, DnsEndpoint
from pytest_v6probe.probes.cluster_dns import ClusterDns, cluster_dns
from pytest_v6probe.result import Endpoint, Family, Layer, Path
from tests.unit.kube import objects
from tests.unit.probes.seen import LOCAL, VANTAGE, WKP, dns_octets, read, seen

SPEC = kube.Cluster(name="lab", region="kind", families=("ipv6", "ipv4"))
SERVER = ip_address("fd00:10:96::a")
SERVERS = {"clusterIPs": ["fd00:10:96::a", "10.96.0.10"]}
WEB, HEADLESS = "web.default.svc.cluster.local", "quiet.default.svc.cluster.local"
POD = "fd00-10-244-1--5.default.pod.cluster.local"
POD_4 = "10-244-1-5.default.pod.cluster.local"
NOBODY = "v6probe-asks-for-nobody.default.svc.cluster.local"
RECORDS = {
    (WEB, "AAAA"): ("fd00:10:96::7",),
    (WEB, "A"): ("10.96.0.7",),
    (HEADLESS, "AAAA"): ("fd00:10:244:1::5", "fd00:10:244:2::5"),
    (HEADLESS, "A"): (),
    (POD, "AAAA"): ("fd00:10:244:1::5",),
    (POD, "A"): (),
    (POD_4, "AAAA"): (),
    (POD_4, "A"): ("10.244.1.5",),
}


def known(said, slices=()):
    name, namespace = said["metadata"]["name"], said["metadata"]["namespace"]
    return kube_service.judge(
        {"services": (said,), "slices": slices, "nodes": ()},
        spec=SPEC,
        namespace=namespace,
        name=name,
        declared=None,
    )


DNS = known(objects.service("kube-dns", "kube-system", **SERVERS))
QUIET = known(
    objects.service("quiet", clusterIP="None", clusterIPs=["None"]),
    (objects.endpoint_slice(of="quiet"),),
)
BACKED = known(
    objects.service("kube-dns", "kube-system", **SERVERS),
    (objects.endpoint_slice(of="kube-dns"),),
)
SERVICES = (known(objects.service()), QUIET)


def asked(*, dns=DNS, file=f"nameserver {SERVER}\n", outcome="answered", family="ipv6", **changed):
    """What is found where the DNS has RECORDS but for *changed*: ``web_AAAA=("64:ff9b::1",)``."""
    ask: Any = cluster_dns.ask(dns, SERVICES, family=family, pods=(pod(objects.pod()),))
    records = {**RECORDS}
    for key, value in changed.items():
        name, _, rtype = key.partition("_")
        records[{"web": WEB, "nobody": NOBODY}[name], rtype] = value
    return ask.judge(
        seen(
            read({"/etc/resolv.conf": file}),
            *(answer(one, records, outcome) for one in ask.judge.keywords["questions"]),
        )
    )


def answer(question, records, outcome):
    if outcome != "answered":
        return Reply(outcome, b"", LOCAL, Endpoint(SERVER, 53))
    held = records.get((question.name, question.type))
    lines = [f"{question.name}. 5 IN {question.type} {value}" for value in held or ()]
    octets = dns_octets(question.query, *lines, rcode="NXDOMAIN" if held is None else "NOERROR")
    return Reply("answered", octets, LOCAL, Endpoint(SERVER, 53))


def behind(*verdicts):
    return tuple(
        DnsEndpoint(
            address=ip_address(f"fd00:10:244:{number}::5"), node=f"node-{number}", verdict=verdict
        )
        for number, verdict in enumerate(verdicts, 1)
    )


def asked_behind(outcome, *direct):
    """What is found where the ClusterIP ends as *outcome*, and either endpoint as *direct* says."""
    ask: Any = cluster_dns.ask(BACKED, SERVICES[:1], family="ipv6")
    questions = ask.judge.keywords["questions"]
    return ask.judge(
        seen(
            read({"/etc/resolv.conf": f"nameserver {SERVER}"}),
            *(answer(one, RECORDS, outcome) for one in questions),
            *(answer(questions[0], RECORDS, one) for one in direct),
        )
    )


def name(name, rtype, verdict=None, addresses=None):
    held = RECORDS.get((name, rtype))
    expected = frozenset(map(ip_address, held or ()))
    return ClusterName(
        name=name,
        type=rtype,
        verdict=verdict or ("nxdomain" if held is None else "answered" if held else "nodata"),
        addresses=expected if addresses is None else frozenset(map(ip_address, addresses)),
        expected=expected,
        known=held is not None,
    )


def wanted(verdict, *changed, nameservers=(SERVER,)):
    by_name = {(one.name, one.type): one for one in changed}
    every = [*RECORDS, (NOBODY, "AAAA"), (NOBODY, "A")]
    return ClusterDns(
        vantage=VANTAGE,
        asked="service kube-system/kube-dns over ipv6",
        verdict=verdict,
        family=Family.IPV6,
        service="kube-system/kube-dns",
        names=tuple(by_name.get(key) or name(*key) for key in every),
        nameservers=nameservers,
        server=SERVER,
        local=LOCAL,
        remote=Endpoint(SERVER, 53),
        path=Path.NATIVE,
    )


def test_a_dns_that_says_what_the_api_says_agrees():
    found = asked()
    assert found == wanted("agrees")
    assert found.evidence[-1] == f"resolv.conf: {SERVER}"
    assert found.known_cause is None


def test_all_questions_go_to_the_address_of_the_family():
    ask = cluster_dns.ask(DNS, SERVICES, family="ipv4")
    assert {one["server"] for one in ask.operations[1:]} == {"10.96.0.10"}
    assert asked(family="ipv4").path is Path.IPV4


@pytest.mark.parametrize(
    ("changed", "verdict", "layer", "addresses"),
    [
        pytest.param(
            {"web_AAAA": ("64:ff9b::a60:7",)},
            "cluster-name-synthesised",
            Layer.SYNTHESIS,
            ("64:ff9b::a60:7",),
            id="translate_all",
        ),
        pytest.param(
            {"web_AAAA": ("fd00:10:96::8",)},
            "differs",
            Layer.ANSWER,
            ("fd00:10:96::8",),
            id="another-address",
        ),
        pytest.param({"web_AAAA": ()}, "differs", Layer.ANSWER, (), id="no-record"),
        pytest.param({"web_AAAA": None}, "differs", Layer.ANSWER, (), id="no-name"),
    ],
)
def test_what_differs_is_named(changed, verdict, layer, addresses):
    found = asked(**changed)
    outcome = {None: "nxdomain", (): "nodata"}.get(changed["web_AAAA"], "answered")
    assert found == wanted(verdict, name(WEB, "AAAA", outcome, addresses))
    assert found.broken_layer is layer
    assert found.evidence[0].startswith(f"{WEB} AAAA: {outcome}")
    assert found.evidence[0].endswith("the API has fd00:10:96::7")


def test_a_prefix_that_is_in_use_at_the_pod_is_recognised():
    ask: Any = cluster_dns.ask(DNS, SERVICES[:1], family="ipv6")
    synthetic = {**RECORDS, (WEB, "AAAA"): ("2001:db8:64::a60:7",)}
    replies = [answer(one, synthetic, "answered") for one in ask.judge.keywords["questions"]]
    own = type(WKP)("2001:db8:64::/96")
    found = ask.judge(seen(read({}), *replies, prefixes={own}))
    assert found.verdict == "cluster-name-synthesised"
    assert "dns64" in found.known_cause[0]
    assert found.known_cause[1].startswith("kubectl -n kube-system edit configmap coredns")


def test_a_name_that_is_not_there_stays_so():
    found = asked(nobody_AAAA=("fd00::1",))
    strange = ClusterName(
        name=NOBODY,
        type="AAAA",
        verdict="answered",
        addresses=frozenset({IPv6Address("fd00::1")}),
        known=False,
    )
    assert found == wanted("unknown-name-answered", strange)


@pytest.mark.parametrize("outcome", ["timed-out", "refused", "no-route"])
def test_silence_of_one_family_is_the_resolver_s(outcome):
    found = asked(outcome=outcome)
    assert found == wanted(
        outcome, *(name(*key, outcome, ()) for key in [*RECORDS, (NOBODY, "AAAA"), (NOBODY, "A")])
    )
    assert found.broken_layer is (Layer.ROUTE if outcome == "no-route" else Layer.RESOLVER)


def test_every_endpoint_is_asked_directly_as_well():
    ask = cluster_dns.ask(BACKED, SERVICES[:1], family="ipv6")
    assert [one.get("server") for one in ask.operations] == [
        None,
        *["fd00:10:96::a"] * 4,
        "fd00:10:244:1::5",
        "fd00:10:244:2::5",
    ]
    found = asked_behind("answered", "answered", "answered")
    assert (found.verdict, found.endpoints) == ("agrees", behind("answered", "answered"))


def test_a_cluster_ip_that_is_silent_while_its_endpoints_answer_is_kube_proxy_s():
    found = asked_behind("timed-out", "answered", "answered")
    assert (found.verdict, found.endpoints) == (
        "cluster-ip-silent",
        behind("answered", "answered"),
    )
    assert found.broken_layer is Layer.SERVICE
    assert found.known_cause[0] == (
        "its endpoints answer over IPv6, its ClusterIP does not: kube-proxy of the pod's node does "
        "not forward it"
    )


@pytest.mark.parametrize(
    ("outcome", "layer"), [("timed-out", Layer.RESOLVER), ("no-route", Layer.ROUTE)]
)
def test_one_endpoint_that_does_not_answer_is_named_whatever_the_cluster_ip_does(outcome, layer):
    found = asked_behind("answered", "answered", outcome)
    assert (found.verdict, found.endpoints) == (outcome, behind("answered", outcome))
    assert found.broken_layer is layer
    assert found.known_cause[0] == (
        "the cluster's DNS does not answer over IPv6 at fd00:10:244:2::5 on node-2, elsewhere it does"
    )
    assert f"directly fd00:10:244:2::5 on node-2: {outcome}" in found.evidence


def test_a_dns_that_is_silent_everywhere_is_the_resolver_s():
    found = asked_behind("timed-out", "timed-out", "timed-out")
    assert (found.verdict, found.broken_layer, found.known_cause) == (
        "timed-out",
        Layer.RESOLVER,
        None,
    )


def test_a_dns_service_without_the_family_is_said_and_nothing_is_asked():
    single = known(
        objects.service("kube-dns", "kube-system", clusterIPs=["10.96.0.10"], ipFamilies=["IPv4"])
    )
    ask = cluster_dns.ask(single, SERVICES, family="ipv6")
    assert [one["op"] for one in ask.operations] == ["read"]
    found = ask.judge(seen(read({"/etc/resolv.conf": "nameserver 10.96.0.10\n"})))
    assert found == replace(
        wanted("family-missing", nameservers=(IPv4Address("10.96.0.10"),)),
        names=(),
        server=None,
        local=None,
        remote=None,
    )
    assert found.broken_layer is Layer.SERVICE
    assert "PreferDualStack" in str(found.known_cause)


@pytest.mark.parametrize("file", ["nameserver 192.0.2.53\n", ""])
def test_a_pod_that_asks_another_dns_is_said(file):
    found = asked(file=file)
    given = (IPv4Address("192.0.2.53"),) if file else ()
    assert found == wanted("other-nameserver", nameservers=given)
    assert found.broken_layer is Layer.CONFIGURATION
    assert "dnsPolicy" in str(found.known_cause)


def test_a_pod_that_asks_the_dns_by_its_other_family_is_well():
    assert asked(file="nameserver 10.96.0.10\n").verdict == "agrees"
