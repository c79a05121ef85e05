"""Does each lab with a cluster come up as it is declared, and leave nothing when it is killed?"""

from __future__ import annotations

import os
import signal
import uuid
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_v6probe.lab import cgroups, names
from pytest_v6probe.lab.clouds import clusters
from pytest_v6probe.wait import eventually
from tests.lab.clusters import ClusterLab, cluster_lab
from tests.lab.test_docker_life import contained, counted
from tests.lab.traces import GONE_S, Traces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_v6probe.lab.topology import Network

NAMES = ("kubernetes.default.svc.cluster.local", "www.google.com")
MACHINE = ("/opt/containerd", "/usr/libexec/kubernetes", "/var/log/pods", "/var/log/containers")
"""What kubelet and containerd would make on this machine if they were let."""


def ready(things: Iterable[dict[str, Any]]) -> set[str]:
    return {
        thing["metadata"]["name"]
        for thing in things
        for told in thing["status"]["conditions"]
        if (told["type"], told["status"]) == ("Ready", "True")
    }


def within(addresses: Iterable[str], ranges: tuple[Network, ...]) -> list[bool]:
    return [ip_address(one) in net for one, net in zip(addresses, ranges, strict=True)]


def made_on_the_machine() -> list[tuple[str, int]]:
    return [(place, Path(place).stat().st_mtime_ns) for place in MACHINE if Path(place).exists()]


def resolved(lab: ClusterLab, node: str) -> list[bool]:
    """Whether each address of the cluster's DNS tells *node* an address of each of `NAMES`."""
    said = [
        lab.said(node, "busybox", "nslookup", name, str(server))
        for server in lab.plan.dns
        for name in NAMES
    ]
    return [text.count("Address") > 1 for text in said]


def test_a_cluster_of_both_families_comes_up_and_nothing_of_it_stays_when_it_is_killed():
    name, before = f"life-{uuid.uuid4().hex[:10]}", made_on_the_machine()
    with cluster_lab("kind", name) as lab:
        nodes, pods = lab.get("nodes"), lab.get("pods", "--all-namespaces")
        answers = [resolved(lab, node.name) for node in lab.plan.members]
        page = lab.kubectl("exec", "plain", "--", "wget", "-qO-", "http://web/pod")
        traces, running, groups = Traces.of(name), contained(name), counted(name)
        os.kill(names.keeper_pid(name), signal.SIGKILL)
        left = traces.left()
    still = eventually(lambda: contained(name), until=lambda pids: not pids, within_s=GONE_S)
    cgroups.sweep(names.up())
    assert ready(nodes) == {"node-1", "node-2"}
    assert ready(pods) == {pod["metadata"]["name"] for pod in pods}
    assert answers == [[True] * 4] * 2
    assert page.startswith("web-")
    assert (len(running) >= 12, bool(groups)) == (True, True)
    assert (left, still, counted(name)) == ((), [], [])
    assert made_on_the_machine() == before


@pytest.mark.parametrize(
    "shape", sorted(set(clusters.PLANS) - {"kind", "kubernetes", "metallb", "istio"})
)
def test_nodes_pods_and_services_have_the_families_of_their_cluster_in_order(shape: str):
    with cluster_lab(shape) as lab:
        plan = lab.plan
        nodes = {node["metadata"]["name"]: node for node in lab.get("nodes")}
        pods, services = lab.get("pods", "--selector=app=web"), lab.get("services")
    for member in plan.members:
        addresses = nodes[member.name]["status"]["addresses"]
        own = [one["address"] for one in addresses if one["type"] == "InternalIP"]
        assert own == list(map(str, member.internal))
        assert nodes[member.name]["spec"]["podCIDRs"] == list(map(str, member.pods))
        pod = next(pod for pod in pods if pod["spec"]["nodeName"] == member.name)
        assert all(within((one["ip"] for one in pod["status"]["podIPs"]), member.pods))
    web = next(one["spec"] for one in services if one["metadata"]["name"] == "web")
    assert [family.lower() for family in web["ipFamilies"]] == list(plan.families)
    assert all(within(web["clusterIPs"], plan.services))
