"""Does the ladder of a pod, and of what a cluster's API said, ask only what a pod rests on?"""

from dataclasses import replace

import pytest

from pytest_v6probe.clouds.aws import AWS
from pytest_v6probe.diagnose import Diagnosis, Rung, diagnose, diagnose_alone
from pytest_v6probe.inventory.model import Pod
from pytest_v6probe.probes.kube_nodes import KubeNodes
from pytest_v6probe.probes.service_answers import ServiceAnswers
from pytest_v6probe.result import Family, Layer, Path
from tests.unit.probes import seen
from tests.unit.test_diagnose import HTTP, IPV4_ONLY, PING, Machine, vantage

SILENT = ServiceAnswers(
    vantage=seen.VANTAGE,
    asked="service default/web over ipv6",
    verdict="no-route",
    family=Family.IPV6,
    path=Path.NATIVE,
)


def pod(machine):
    at = vantage(machine)
    at.host = replace(at.host, pod=Pod(cluster="kind/lab"))
    return at


@pytest.mark.parametrize(
    ("machine", "finding", "layer", "verdict", "command"),
    [
        pytest.param(
            {"routes": (), "ra_counted": 0},
            HTTP,
            Layer.ROUTE,
            "absent",
            "/etc/cni/net.d",
            id="no-default-route",
        ),
        pytest.param(
            {"routes": ()}, SILENT, Layer.ROUTE, "absent", "/etc/cni/net.d", id="of-a-service"
        ),
        pytest.param(
            {"resolver": "timed-out"},
            HTTP,
            Layer.RESOLVER,
            "timed-out",
            "kubectl -n kube-system",
            id="the-resolver-is-the-cluster's",
        ),
        pytest.param(
            {"resolver": "no-route"},
            HTTP,
            Layer.RESOLVER,
            "no-route",
            "kube-proxy",
            id="the-resolver's-address-is-a-service's",
        ),
        pytest.param(
            {"records": IPV4_ONLY},
            HTTP,
            Layer.SYNTHESIS,
            "no-aaaa",
            "--enable-dns64",
            id="synthesis-is-the-cloud's",
        ),
        pytest.param(
            {"resolver": "no-nameserver"},
            HTTP,
            Layer.TCP,
            "timed-out",
            "authorize-security-group-ingress",
            id="names-come-over-ipv4",
        ),
    ],
)
def test_the_ladder_of_a_pod(machine, finding, layer, verdict, command):
    at = Machine(**machine)
    found = diagnose(pod(at), finding, AWS)
    assert (found.layer, [rung.verdict for rung in found.rungs if not rung.holds][-1]) == (
        layer,
        verdict,
    )
    assert command in found.cure
    assert not any("watch" in batch for batch in at.batches), "a pod hears no advertisement"


def test_an_address_that_a_pod_has_not_is_its_cni_s():
    machine = Machine()
    machine.octets = seen.link()
    found = diagnose(pod(machine), PING, AWS)
    assert (found.layer, found.cause) == (
        Layer.ADDRESS,
        "the pod has no IPv6 address: its node's CNI gave it none",
    )


def test_what_was_asked_over_ipv4_rests_on_no_rung_of_ipv6():
    machine = Machine(routes=())
    over_ipv4 = replace(SILENT, verdict="endpoints-missing", family=Family.IPV4, path=Path.IPV4)
    found = diagnose(pod(machine), over_ipv4, AWS)
    assert (found.layer, machine.batches) == (Layer.ENDPOINTS, [])


def test_what_a_cluster_s_api_said_rests_on_itself():
    nodes = KubeNodes(
        vantage="kind/lab",
        asked="nodes",
        verdict="family-missing",
        at_fault=("node-2",),
        evidence=("node-2: no IPv6 address",),
    )
    assert diagnose_alone(nodes, AWS) == Diagnosis(
        layer=Layer.NODE,
        cause="kubelet reports not every family of the cluster: node-2: no IPv6 address",
        cure="kubectl get node node-2 -o jsonpath='{.status.addresses} {.spec.podCIDRs}'"
        "  # kubelet --node-ip=<ipv4>,<ipv6>; kube-controller-manager --cluster-cidr=<ipv4>,<ipv6>",
        rungs=(
            Rung(
                layer=Layer.NODE,
                verdict="family-missing",
                holds=False,
                line="nodes: family-missing (node-2: no IPv6 address)",
            ),
        ),
    )
