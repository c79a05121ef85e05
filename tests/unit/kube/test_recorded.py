"""Is what a real dual-stack cluster of Kubernetes 1.34.4 said of itself read whole?"""

import json
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from pytest_v6probe.inventory import kube
from pytest_v6probe.kube import fields
from pytest_v6probe.kube.endpoint_slices import EndpointSlice, endpoint_slice
from pytest_v6probe.kube.nodes import Node, node
from pytest_v6probe.kube.pods import Pod, pod
from pytest_v6probe.kube.services import Service, ServicePort, service
from pytest_v6probe.probes import cluster_families, kube_nodes, kube_pods, kube_service
from pytest_v6probe.result import Family

RECORDED = json.loads(Path(__file__).with_name("recorded_kind.json").read_text(encoding="utf-8"))
BOTH = (Family.IPV6, Family.IPV4)
SPEC = kube.Cluster(
    name="lab",
    region="kind",
    families=("ipv6", "ipv4"),
    service_ranges=(ip_network("fd00:10:96::/112"), ip_network("10.96.0.0/16")),
    pod_ranges=(ip_network("fd00:10:244::/56"), ip_network("10.244.0.0/16")),
    node_ranges=(ip_network("fc00:f853:ccd:e793::/64"), ip_network("172.18.0.0/16")),
)


@pytest.mark.parametrize(
    ("word", "read"),
    [("nodes", node), ("pods", pod), ("services", service), ("slices", endpoint_slice)],
)
def test_every_object_is_read(word, read):
    found, complaints = fields.read_all(RECORDED[word], read)
    assert (len(found), complaints) == (len(RECORDED[word]), ())


def test_nodes_pods_services_and_slices_have_what_the_cluster_was_made_with():
    assert node(RECORDED["nodes"][1]) == Node(
        name="node-2",
        internal=(ip_address("fc00:f853:ccd:e793::4"), ip_address("172.18.0.4")),
        host_names=("node-2",),
        pod_ranges=(ip_network("fd00:10:244:2::/64"), ip_network("10.244.2.0/24")),
        ready=True,
    )
    named = {one["metadata"]["name"]: one for one in RECORDED["pods"] + RECORDED["services"]}
    assert pod(named["host"]) == Pod(
        namespace="default",
        name="host",
        node="node-2",
        addresses=(ip_address("fc00:f853:ccd:e793::4"), ip_address("172.18.0.4")),
        host_network=True,
        phase="Running",
        ready=True,
    )
    assert service(named["kube-dns"]) == Service(
        namespace="kube-system",
        name="kube-dns",
        policy="PreferDualStack",
        families=BOTH,
        cluster_ips=(ip_address("fd00:10:96::a"), ip_address("10.96.0.10")),
        ports=(
            ServicePort(port=53, name="dns", protocol="UDP"),
            ServicePort(port=53, name="dns-tcp"),
            ServicePort(port=9153, name="metrics"),
        ),
    )


def test_the_api_s_own_service_has_a_slice_of_one_family_and_no_selector():
    slices = [one for one in map(endpoint_slice, RECORDED["slices"]) if one.service == "kubernetes"]
    assert [(type(one), one.family, len(one.endpoints)) for one in slices] == [
        (EndpointSlice, Family.IPV6, 1)
    ]


def test_the_whole_cluster_is_as_declared():
    both = {"services": RECORDED["services"]}
    assert kube_nodes.judge(RECORDED, spec=SPEC).verdict == "as-declared"
    assert kube_pods.judge(RECORDED, spec=SPEC).verdict == "as-declared"
    families = cluster_families.judge(both, spec=SPEC)
    assert (families.verdict, families.families) == ("as-declared", BOTH)


@pytest.mark.parametrize("name", ["web", "web-nodeport", "web-headless", "kubernetes"])
def test_every_service_is_as_declared(name):
    lists = {**RECORDED, "services": RECORDED["services"], "slices": RECORDED["slices"]}
    found = kube_service.judge(lists, spec=SPEC, namespace="default", name=name, declared=None)
    assert found.verdict == "as-declared"
