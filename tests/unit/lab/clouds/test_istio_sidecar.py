"""Does a pod get the sidecar that Istio's own template would give it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_v6probe.lab.clouds import istio_sidecar
from pytest_v6probe.lab.clouds.cluster_objects import web
from pytest_v6probe.lab.clouds.istio_sidecar import Places

PLACES = Places(istio=Path("/home/x/istio"), envoy=Path("/home/x/_bin/envoy"))


def made(container: dict[str, Any]) -> Any:
    return istio_sidecar.template("web", container, {"nodeSelector": {"a": "b"}}, PLACES)


def environment(container: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}


POD = made(web())
SPEC = POD["spec"]
(INIT,) = SPEC["initContainers"]
SERVED, PROXY = SPEC["containers"]


def test_iptables_of_both_families_redirect_all_but_the_sidecars_own_ports():
    assert INIT["command"] == ["/program/bin/pilot-agent"]
    assert INIT["args"] == [
        *("istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT"),
        *("-i", "*", "-x", "", "-b", "*", "-d", "15090,15021,15020"),
        "--log_output_level=default:info",
    ]
    assert environment(INIT) == {"ISTIO_DUAL_STACK": "true"}
    assert INIT["securityContext"]["capabilities"] == {
        "add": ["NET_ADMIN", "NET_RAW"],
        "drop": ["ALL"],
    }


def test_the_sidecar_runs_as_the_user_whose_packets_are_not_redirected():
    user = INIT["args"][INIT["args"].index("-u") + 1]
    assert str(PROXY["securityContext"]["runAsUser"]) == user
    assert PROXY["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_sidecar_has_dual_stack_and_this_machines_envoy():
    known = environment(PROXY)
    config = json.loads(known["PROXY_CONFIG"])
    assert known["ISTIO_DUAL_STACK"] == "true"
    assert config["proxyMetadata"] == {"ISTIO_DUAL_STACK": "true"}
    assert config["binaryPath"] == "/envoy/envoy"
    assert known["INSTANCE_IP"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert known["ISTIO_META_INTERCEPTION_MODE"] == "REDIRECT"


def test_it_is_ready_when_its_agent_says_so():
    assert PROXY["readinessProbe"]["httpGet"] == {"path": "/healthz/ready", "port": 15021}


def test_the_agent_asks_the_server_whether_it_is_ready_in_kubelets_place():
    assert SERVED["readinessProbe"]["httpGet"] == {"path": "/app-health/web/readyz", "port": 15020}
    asked = json.loads(environment(PROXY)["ISTIO_KUBE_APP_PROBERS"])
    assert asked == {"/app-health/web/readyz": {"httpGet": {"path": "/", "port": 80}}}


def test_a_container_that_nobody_asks_is_left_as_it_is():
    idle = {"name": "client", "image": "python"}
    spec = made(idle)["spec"]
    assert spec["containers"][0] == idle
    assert "ISTIO_KUBE_APP_PROBERS" not in environment(spec["containers"][1])


def test_what_is_mounted_is_there_and_what_is_this_machines_is_only_read():
    volumes = {one["name"]: one for one in SPEC["volumes"]}
    mounts = [*INIT["volumeMounts"], *PROXY["volumeMounts"]]
    assert {one["name"] for one in mounts} == set(volumes)
    machine = {name: one["hostPath"]["path"] for name, one in volumes.items() if "hostPath" in one}
    assert machine == {"program": "/home/x/istio", "envoy": "/home/x/_bin", "machine": "/usr"}
    assert all(one["readOnly"] for one in mounts if one["name"] in machine)
    assert volumes["istiod-ca-cert"]["configMap"] == {"name": "istio-ca-root-cert"}


def test_what_else_the_pod_says_stays_and_its_labels_are_a_members():
    assert SPEC["nodeSelector"] == {"a": "b"}
    labels = POD["metadata"]["labels"]
    name, _, value = istio_sidecar.SELECTOR.partition("=")
    assert (labels["app"], labels[name]) == ("web", value)
    assert POD["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] == "web"
