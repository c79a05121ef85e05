"""Does the judge of pods say which pod has not what its node and its cluster give?"""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from pytest_v6probe.inventory import kube
from pytest_v6probe.kube.nodes import node
from pytest_v6probe.kube.pods import pod
from pytest_v6probe.probes.kube_pods import KubePods, judge
from tests.unit.kube import objects

SPEC = kube.Cluster(
    name="lab",
    region="kind",
    families=("ipv6", "ipv4"),
    pod_ranges=(ip_network("fd00:10:244::/56"), ip_network("10.244.0.0/16")),
)
NODES = (objects.node(1), objects.node(2))
WEB, HOST = objects.pod(), objects.host_pod()


def ips(*addresses):
    return [{"ip": address} for address in addresses]


def found(*said, spec=SPEC, nodes=NODES):
    return judge({"pods": said, "nodes": nodes}, spec=spec)


def wanted(verdict, *said, at_fault=()):
    return KubePods(
        vantage="kind/lab",
        asked="pods of all namespaces",
        verdict=verdict,
        pods=tuple(map(pod, said)),
        nodes=tuple(map(node, NODES)),
        at_fault=at_fault,
    )


def test_pods_with_addresses_of_their_node_are_as_declared():
    pods = found(WEB, HOST)
    assert pods == wanted("as-declared", WEB, HOST)
    assert pods.networked == (pod(WEB),)
    assert pods.evidence == ("2 pods run, 1 of them on the host network",)
    assert pods.known_cause is None


@pytest.mark.parametrize(
    ("said", "verdict", "why"),
    [
        pytest.param(
            objects.pod("x", podIPs=ips("10.244.1.9")),
            "family-missing",
            "has no IPv6 address",
            id="one-family",
        ),
        pytest.param(
            objects.pod("x", podIPs=None),
            "family-missing",
            "has no IPv6 and IPv4 address",
            id="no-address",
        ),
        pytest.param(
            objects.pod("x", podIPs=ips("10.244.1.9", "fd00:10:244:1::9")),
            "other-order",
            "has ipv4 first",
            id="order",
        ),
        pytest.param(
            objects.pod("x", podIPs=ips("fd00:10:244:2::9", "10.244.1.9")),
            "outside-range",
            "fd00:10:244:2::9 not in its node's podCIDRs",
            id="another-node's",
        ),
        pytest.param(
            objects.pod("x", podIPs=ips("2001:db8::9", "10.244.1.9")),
            "outside-range",
            "2001:db8::9 in none of the pod_ranges",
            id="strange",
        ),
        pytest.param(
            objects.host_pod("x", podIPs=ips("172.18.0.9")),
            "outside-range",
            "172.18.0.9 is no address of its node",
            id="host-network",
        ),
    ],
)
def test_the_pod_at_fault_is_named(said, verdict, why):
    pods = found(WEB, said)
    assert pods == wanted(verdict, WEB, said, at_fault=("default/x",))
    assert pods.evidence[0].startswith("default/x on node-1")
    assert why in pods.evidence[0]
    assert "kubectl -n default get pod x" in pods.known_cause[1]


def test_a_second_family_in_a_cluster_of_one_is_unexpected():
    pods = found(WEB, spec=replace(SPEC, families=("ipv6",)))
    assert pods == wanted("family-unexpected", WEB, at_fault=("default/web-1",))
    assert pods.evidence[0] == "default/web-1 on node-1 has IPv4 as well"


def test_a_pod_on_the_host_network_needs_not_every_family():
    alone = objects.host_pod("x", podIPs=ips("172.18.0.3"))
    assert found(WEB, alone).verdict == "as-declared"


def test_pods_of_eks_are_judged_by_the_ranges_of_the_inventory():
    spec = replace(SPEC, families=("ipv6",), pod_ranges=(ip_network("2600:1f18:d:f70c::/64"),))
    bare = (objects.but(objects.node(1), "spec", {}),)
    mine = objects.pod(podIPs=ips("2600:1f18:d:f70c:1::5"))
    assert found(mine, spec=spec, nodes=bare).verdict == "as-declared"
    stray = objects.pod(podIPs=ips("2600:1f18:d:f70d::5"))
    assert found(stray, spec=spec, nodes=bare).verdict == "outside-range"


def test_ranges_that_the_cni_does_not_go_by_are_not_judged():
    spec = replace(SPEC, pod_ranges=(ip_network("fd00:20::/64"), ip_network("10.20.0.0/16")))
    pool = objects.pod(podIPs=ips("fd00:20::5", "10.20.0.5"))
    assert found(pool, spec=spec).verdict == "as-declared"


@pytest.mark.parametrize(
    "ended",
    [
        objects.pod("x", phase="Succeeded", podIPs=None),
        objects.pod("x", phase="Failed", podIPs=ips("10.244.1.9")),
        objects.pod("x", phase="Pending", podIPs=None),
        objects.but(objects.pod("x", podIPs=None), "metadata.deletionTimestamp", "2026-11-23"),
    ],
)
def test_pods_that_do_not_run_are_left_out(ended):
    assert found(WEB, ended) == wanted("as-declared", WEB)


def test_a_cluster_where_only_the_host_network_is_used_has_no_pod_to_judge():
    assert found(HOST) == wanted("none", HOST)


def test_a_malformed_pod_is_named_and_the_others_are_read():
    pods = found(WEB, objects.but(objects.pod("x"), "spec.nodeName", 1))
    assert pods == wanted("malformed", WEB)
    assert pods.evidence[0] == "default/x: spec.nodeName: a text was due"
