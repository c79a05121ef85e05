"""Is what a cluster makes of a Service's families read as the API server really says it? (Its answers
are those of kube-apiserver 1.34.4.)
"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pytest_v6probe.actions.kube import KubeNamespace
from pytest_v6probe.actions.kube_services import (
    OTHER_FIRST,
    SINGLE_STACK,
    ServicePolicy,
    change_policy,
    create_service,
)
from pytest_v6probe.errors import Unobserved
from tests.unit.actions.scripted_api import ScriptedApi, answer, cluster

V6, V4 = "fd00:10:96::606c", "10.96.67.199"
PATH = "/api/v1/namespaces/v6probe-1/services"
NOT_DUAL = (
    'Service "service-qmq4p" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": '
    "this cluster is not configured for dual-stack services"
)
NOT_THE_PRIMARY = (
    'Service "service-tfpf7" is invalid: spec.clusterIPs[0]: Invalid value: "fd00:10:96::606c": '
    "expected an IPv4 value as indicated by `ipFamilies[0]`"
)


def service(policy, families, addresses, status=201):
    return answer(
        status,
        metadata={"name": "service-1", "namespace": "v6probe-1"},
        spec={"ipFamilyPolicy": policy, "ipFamilies": families, "clusterIPs": addresses},
    )


def refusal(message, *fields):
    causes = [{"reason": "FieldValueInvalid", "field": field} for field in fields]
    return answer(422, kind="Status", message=message, details={"causes": causes})


SINGLE = service("SingleStack", ["IPv6"], [V6])
DUAL = service("RequireDualStack", ["IPv6", "IPv4"], [V6, V4])
NO_FAMILIES = service("", [], [V6])


def created(said, **asked):
    api = ScriptedApi(create=[said])
    made, witnessed = cluster(api)
    found = create_service(KubeNamespace(cluster=made, name="v6probe-1"), **asked)
    assert witnessed == [found]
    return found, api.log


def changed(before, after, **asked):
    api = ScriptedApi(get=[before], patch=[after])
    made, witnessed = cluster(api)
    found = change_policy(KubeNamespace(cluster=made, name="v6probe-1"), "service-1", **asked)
    assert witnessed == [found]
    return found, api.log


def test_a_service_is_created_as_asked():
    found, log = created(DUAL, policy="RequireDualStack", families=("ipv6", "ipv4"))
    assert found == ServicePolicy(
        vantage="lab/c",
        asked="a new ClusterIP Service: RequireDualStack ipv6 ipv4",
        verdict="accepted",
        name="service-1",
        policy_asked="RequireDualStack",
        families_asked=("ipv6", "ipv4"),
        policy="RequireDualStack",
        families=("ipv6", "ipv4"),
        cluster_ips=(ip_address(V6), ip_address(V4)),
    )
    assert found.evidence == (f"RequireDualStack IPv6 IPv4 {V6} {V4}",)
    (entry,) = log
    assert entry[:2] == ("create", PATH)
    assert entry[2]["spec"] == {
        "ipFamilyPolicy": "RequireDualStack",
        "ipFamilies": ["IPv6", "IPv4"],
        "type": "ClusterIP",
        "ports": [{"name": "tcp-80", "port": 80}],
    }


def test_what_is_not_asked_is_left_to_the_cluster():
    found, log = created(SINGLE)
    assert (found.verdict, found.asked) == ("accepted", "a new ClusterIP Service: no policy")
    assert set(log[0][2]["spec"]) == {"type", "ports"}


def test_a_headless_service_has_no_address_and_may_have_no_selector():
    said = service("RequireDualStack", ["IPv6", "IPv4"], ["None"])
    found, log = created(said, kind="Headless")
    assert (found.verdict, found.families, found.cluster_ips) == ("accepted", ("ipv6", "ipv4"), ())
    assert log[0][2]["spec"]["clusterIP"] == "None"
    assert "selector" not in log[0][2]["spec"]


def test_a_selector_and_ports_are_given():
    _, log = created(SINGLE, kind="NodePort", selector={"app": "web"}, ports=(80, 443))
    assert log[0][2]["spec"] == {
        "type": "NodePort",
        "selector": {"app": "web"},
        "ports": [{"name": "tcp-80", "port": 80}, {"name": "tcp-443", "port": 443}],
    }


@pytest.mark.parametrize(
    ("said", "asked", "verdict"),
    [
        (service("PreferDualStack", ["IPv6", "IPv4"], [V6, V4]), {}, "accepted"),
        (service("PreferDualStack", ["IPv6"], [V6]), {"policy": "PreferDualStack"}, "fell-back"),
        (SINGLE, {"policy": "RequireDualStack"}, "incomplete"),
        (SINGLE, {"families": ("ipv4",)}, "incomplete"),
        (service("SingleStack", ["IPv6"], []), {}, "incomplete"),
        (service("PreferDualStack", ["IPv6"], [V4]), {"policy": "PreferDualStack"}, "incomplete"),
        (service("PreferDualStack", ["IPv6", "IPv4"], [V6]), {}, "incomplete"),
        (service("PreferDualStack", ["IPv6", "IPv4"], [V4, V6]), {}, "incomplete"),
        (service("PreferDualStack", ["IPv4"], [V4]), {"policy": "PreferDualStack"}, "fell-back"),
        (NO_FAMILIES, {"policy": "PreferDualStack"}, "incomplete"),
        (service("SingleStack", ["IPv4"], [V4]), {}, "other-primary"),
        (service("SingleStack", ["IPv4"], [V4]), {"families": ("ipv4",)}, "accepted"),
        (service("PreferDualStack", ["IPv4", "IPv6"], [V4, V6]), {}, "other-primary"),
    ],
)
def test_less_than_what_was_asked_is_said(said, asked, verdict):
    assert created(said, **asked)[0].verdict == verdict


def test_a_refusal_is_a_value_with_the_servers_words():
    said = refusal(NOT_DUAL, "spec.ipFamilyPolicy")
    found, _ = created(said, policy="RequireDualStack")
    assert found == ServicePolicy(
        vantage="lab/c",
        asked="a new ClusterIP Service: RequireDualStack",
        verdict="refused",
        policy_asked="RequireDualStack",
        refused_for=("spec.ipFamilyPolicy",),
        error=NOT_DUAL,
    )


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (refusal(NOT_DUAL, "spec.ipFamilyPolicy"), SINGLE_STACK),
        (refusal(NOT_THE_PRIMARY, "spec.clusterIPs[0]"), None),
        (service("PreferDualStack", ["IPv6"], [V6]), SINGLE_STACK),
        (service("PreferDualStack", ["IPv4", "IPv6"], [V4, V6]), OTHER_FIRST),
        (DUAL, None),
    ],
)
def test_the_ranges_of_the_api_server_are_known_as_the_cause(said, cause):
    assert created(said, policy="PreferDualStack")[0].known_cause == cause


def test_the_words_of_a_refusal_are_bounded():
    said = refusal("x" * 100_000, *["y" * 1000] * 1000)
    found, _ = created(said)
    assert (len(found.error), len(found.refused_for)) == (160, 4)
    assert {len(field) for field in found.refused_for} == {160}


@pytest.mark.parametrize("details", [None, [], {"causes": "spec"}, {"causes": [7]}])
def test_a_refusal_that_names_no_field_is_one_all_the_same(details):
    found, _ = created(answer(422, message="no", details=details))
    assert (found.verdict, found.refused_for) == ("refused", ())


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(403, message='User "u" cannot create resource "services"'), "forbidden"),
        (answer(403, message="exceeded quota: services"), "api-refused"),
        (answer(404, message="namespaces not found"), "api-refused"),
        (answer(201, metadata={"name": "service-1"}), "malformed"),
        (service("SingleStack", ["IPv9"], [V6]), "malformed"),
        (service("SingleStack", ["IPv6"], ["::g"]), "malformed"),
    ],
)
def test_another_answer_says_nothing_of_the_policy(said, reason):
    with pytest.raises(Unobserved) as caught:
        created(said)
    assert (caught.value.reason, caught.value.vantage) == (reason, "lab/c")


@pytest.mark.parametrize(
    ("before", "after", "policy", "verdict"),
    [
        (SINGLE, DUAL, "RequireDualStack", "upgraded"),
        (DUAL, SINGLE, "SingleStack", "downgraded"),
        (DUAL, DUAL, "PreferDualStack", "unchanged"),
        (SINGLE, SINGLE, "PreferDualStack", "fell-back"),
        (SINGLE, SINGLE, "RequireDualStack", "incomplete"),
        (DUAL, service("SingleStack", ["IPv4"], [V4]), "SingleStack", "primary-changed"),
        (
            SINGLE,
            service("RequireDualStack", ["IPv6", "IPv4"], ["fd00::1", V4]),
            "RequireDualStack",
            "primary-changed",
        ),
        (SINGLE, refusal(NOT_DUAL, "spec.ipFamilyPolicy"), "RequireDualStack", "refused"),
    ],
)
def test_a_change_is_judged_beside_what_was_before(before, after, policy, verdict):
    found, _ = changed(before, after, policy=policy)
    assert found.verdict == verdict


def test_a_change_is_a_patch_of_what_is_asked_alone():
    found, log = changed(
        DUAL, refusal(NOT_THE_PRIMARY, "spec.clusterIPs[0]"), families=("ipv4", "ipv6")
    )
    assert (found.refused_for, found.error) == (("spec.clusterIPs[0]",), NOT_THE_PRIMARY)
    assert log == [
        ("get", f"{PATH}/service-1"),
        ("patch", f"{PATH}/service-1", "merge", {"spec": {"ipFamilies": ["IPv4", "IPv6"]}}),
    ]


def test_a_service_that_is_not_there_cannot_be_changed():
    with pytest.raises(Unobserved) as caught:
        changed(answer(404, message='services "service-1" not found'), DUAL)
    assert caught.value.reason == "api-refused"


def test_a_service_that_was_refused_cannot_be_changed():
    api = ScriptedApi()
    space = KubeNamespace(cluster=cluster(api)[0], name="v6probe-1")
    with pytest.raises(Unobserved) as caught:
        change_policy(space, "", policy="SingleStack")
    assert (caught.value.reason, api.log) == ("no-service", [])
