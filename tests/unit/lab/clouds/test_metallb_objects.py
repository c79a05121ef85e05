"""Is what makes MetalLB run in a cluster of the lab as upstream's manifests have it?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_v6probe.lab.clouds import metallb_objects

MADE = tuple(metallb_objects.objects(Path("/home/x/bin")))
BY_KEY: dict[str, Any] = {f"{path}/{one['metadata']['name']}": one for path, one in MADE}
SYSTEM = "namespaces/metallb-system"


def test_every_object_is_made_once_and_its_namespace_first():
    assert len(BY_KEY) == len(MADE)
    assert next(iter(BY_KEY)) == "/api/v1/namespaces/metallb-system"


def test_every_kind_that_the_programs_watch_is_defined():
    definitions = [one["spec"] for path, one in MADE if path == metallb_objects.CRDS]
    served = {
        spec["names"]["kind"]: [version["name"] for version in spec["versions"]]
        for spec in definitions
    }
    assert served == {
        "BFDProfile": ["v1beta1"],
        "BGPAdvertisement": ["v1beta1"],
        "BGPPeer": ["v1beta1", "v1beta2"],
        "Community": ["v1beta1"],
        "IPAddressPool": ["v1beta1"],
        "L2Advertisement": ["v1beta1"],
        "ServiceBGPStatus": ["v1beta1"],
        "ServiceL2Status": ["v1beta1"],
    }
    stored = [[version["storage"] for version in spec["versions"]] for spec in definitions]
    assert all(one.count(True) == 1 for one in stored)


def test_one_pool_holds_both_families():
    pool = BY_KEY[f"/apis/metallb.io/v1beta1/{SYSTEM}/ipaddresspools/outside"]
    assert (pool["kind"], pool["spec"]) == (
        "IPAddressPool",
        {"addresses": ["fc00:f853:ccd:e793:ff::/112", "172.18.255.192/27"]},
    )


def test_a_speaker_is_on_the_network_of_every_node_with_raw_sockets_and_no_more():
    spec = BY_KEY[f"/apis/apps/v1/{SYSTEM}/daemonsets/speaker"]["spec"]["template"]["spec"]
    assert spec["hostNetwork"]
    (container,) = spec["containers"]
    assert container["command"] == ["/program/speaker", "--port=7472", "--log-level=info"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW"]}
    assert [one["name"] for one in container["env"]] == [
        "METALLB_NODE_NAME",
        "METALLB_POD_NAME",
        "METALLB_HOST",
    ]


def test_the_controller_needs_no_webhook():
    spec = BY_KEY[f"/apis/apps/v1/{SYSTEM}/deployments/controller"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["command"][-2:] == ["--disable-cert-rotation", "--webhook-mode=disabled"]
    assert spec["volumes"] == [{"name": "program", "hostPath": {"path": "/home/x/bin"}}]


def test_one_service_prefers_both_families_and_one_requires_them_and_keeps_its_clients():
    specs = {
        key.rpartition("/")[2]: (one["spec"]["ipFamilyPolicy"], one["spec"].get(EXTERNAL))
        for key, one in BY_KEY.items()
        if key.startswith("/api/v1/namespaces/default/services/")
    }
    assert specs == {
        "web-lb": ("PreferDualStack", None),
        "web-lb-local": ("RequireDualStack", "Local"),
    }


EXTERNAL = "externalTrafficPolicy"


def test_each_account_is_bound_to_its_own_rules_alone():
    bindings = [one for path, one in MADE if path.endswith("rolebindings")]
    assert len(bindings) == 4
    for one in bindings:
        (subject,) = one["subjects"]
        assert one["roleRef"]["name"].removeprefix("metallb-system:") == subject["name"]
