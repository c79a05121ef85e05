"""Are the programs of a cluster started with the files, flags and certificates that they need?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pytest_v6probe.lab import running, shapes
from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE, Daemon, Question
from pytest_v6probe.lab.daemons import containerd
from pytest_v6probe.lab.daemons.kube_apiserver import KubeApiserver
from pytest_v6probe.lab.daemons.kube_proxy import KubeProxy
from pytest_v6probe.lab.daemons.kubelet import TUNABLES, Kubelet, pretend

SHAPE = shapes.shape("kind", name="test")
HOME = Path("/home-of-it")


def daemon(name: str, shape: str = "kind") -> Daemon:
    return shapes.shape(shape, name="test").daemon(name)


def certificate(name: str) -> Certificate:
    return running._certificates(daemon(name))[CERTIFICATE_FILE]


@pytest.mark.parametrize(
    ("name", "user", "group"),
    [
        ("kind/node-1/kubelet", "system:node:node-1", "system:nodes"),
        ("kind/node-1/kube-proxy", "system:kube-proxy", "system:kube-proxy"),
        ("kind/control/kube-scheduler", "system:kube-scheduler", "system:kube-scheduler"),
        ("kind/control/contents", "kubernetes-admin", "system:masters"),
    ],
)
def test_the_api_server_knows_each_by_its_certificate(name: str, user: str, group: str):
    known = certificate(name)
    assert (known.name, known.organisation) == (user, group)


def test_the_api_server_is_itself_by_every_name_and_address_that_clients_use():
    own = certificate("kind/control/kube-apiserver")
    assert own.dns_names == (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    )
    assert list(map(str, own.addresses)) == [
        "fc00:f853:ccd:e793::2",
        "172.18.0.2",
        "fd00:10:96::1",
        "10.96.0.1",
    ]


@pytest.mark.parametrize(
    ("shape", "region", "ranges", "advertised"),
    [
        ("kind", "kind", "fd00:10:96::/112,10.96.0.0/16", "fc00:f853:ccd:e793::2"),
        ("aks", "eastus2", "10.0.0.0/16,fd12:3456:789a:1::/108", "10.224.0.2"),
        ("eks", "us-east-1", "fd7a:c1cb:c06a::/108", "2600:1f18:d:f70a::2"),
    ],
)
def test_the_api_server_has_the_ranges_of_services_in_order(shape, region, ranges, advertised):
    server = daemon(f"{region}/control/kube-apiserver", shape)
    assert isinstance(server, KubeApiserver)
    flags = server.flags(HOME)
    assert f"--service-cluster-ip-range={ranges}" in flags
    assert f"--advertise-address={advertised}" in flags
    assert "--authorization-mode=Node,RBAC" in flags


def test_a_kubelet_keeps_its_pods_below_the_cgroup_of_its_lab_and_leaves_the_machine_alone():
    kubelet = daemon("kind/node-2/kubelet")
    assert isinstance(kubelet, Kubelet)
    config = kubelet.config(HOME)
    assert config["cgroupRoot"] == "/v6probe-test/node-2"
    assert config["volumePluginDir"].startswith("/var/lib/kubelet/")
    script = kubelet.files(HOME)["supervise"]
    assert 'mkdir -p "$place/v6probe-test/node-2"' in script
    assert "--node-ip=fc00:f853:ccd:e793::4,172.18.0.4" in script
    assert pretend().count("mount --bind") == len(TUNABLES)


def test_kube_proxy_changes_no_setting_of_the_machine_and_is_ready_when_dns_answers():
    proxy = daemon("kind/node-1/kube-proxy")
    assert isinstance(proxy, KubeProxy)
    config = proxy.config(HOME)
    assert config["conntrack"] == {
        "maxPerCore": 0,
        "min": 0,
        "tcpEstablishedTimeout": "0s",
        "tcpCloseWaitTimeout": "0s",
        "udpTimeout": "0s",
        "udpStreamTimeout": "0s",
    }
    assert (config["mode"], config["clusterCIDR"]) == ("nftables", "fd00:10:244::/56,10.244.0.0/16")
    assert [(str(one.address), one.udp) for one in proxy.ready()] == [
        ("fd00:10:96::a", True),
        ("10.96.0.10", True),
    ]


def test_pods_have_an_address_and_a_default_route_of_each_family():
    text = SHAPE.topology.node("kind/node-1").etc[containerd.CNI]
    loopback, tuning, wires = json.loads(text)["plugins"]
    assert (loopback["type"], wires["type"]) == ("loopback", "ptp")
    assert tuning["sysctl"] == containerd.NO_DAD
    assert wires["ipam"] == {
        "type": "host-local",
        "ranges": [[{"subnet": "fd00:10:244:1::/64"}], [{"subnet": "10.244.1.0/24"}]],
        "routes": [{"dst": "::/0"}, {"dst": "0.0.0.0/0"}],
    }


def test_a_kubelet_says_itself_whether_it_is_well():
    (question,) = daemon("kind/node-1/kubelet").ready()
    assert (str(question.address), question.port) == ("127.0.0.1", 10248)
    assert re.match(question.pattern, b"HTTP/1.0 200 OK\r\n\r\nok")
    assert not re.match(question.pattern, b"HTTP/1.0 500 Internal Server Error\r\n")


def test_contents_are_ready_when_nodes_and_pods_are():
    contents = daemon("kind/control/contents")
    told = json.loads(contents.files(HOME)["contents.json"])
    assert told["ready"]["nodes"] == ["node-1", "node-2"]
    assert contents.ready() == (
        Question(address=contents.ready()[0].address, port=6440, send=b"?", pattern=rb"ready\n"),
    )


def test_every_program_of_a_cluster_is_started_again_when_it_ends():
    scripts = {
        one.name: one.files(HOME)["supervise"]
        for one in SHAPE.daemons
        if "supervise" in (one.files(HOME) if one.program == "sh" else ())
    }
    assert len(scripts) == 10
    assert all("while :; do" in script for script in scripts.values())
