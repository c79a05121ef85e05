"""What does a pod get with a sidecar of Istio? What the template injection-template.yaml of
manifests/charts/istio-control/istio-discovery of istio.io/istio adds, but for its images.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.lab.clouds.istio_objects import (
    DISCOVERY,
    DUAL_STACK,
    environment,
    token,
)
from pytest_v6probe.lab.daemons.containerd import PLAIN_IMAGE

if TYPE_CHECKING:
    from pathlib import Path

INIT, PROXY = "istio-init", "istio-proxy"
MEMBER = "security.istio.io/tlsMode"
SELECTOR = f"{MEMBER}=istio"
"""Of every pod with a sidecar."""
USER = 1337
OUTBOUND_PORT, INBOUND_PORT = 15001, 15006
STATUS_PORT, READY_PORT, STATS_PORT = 15020, 15021, 15090
AGENT = "/program/bin/pilot-agent"
TOLD = {
    "POD_NAME": "metadata.name",
    "POD_NAMESPACE": "metadata.namespace",
    "INSTANCE_IP": "status.podIP",
    "SERVICE_ACCOUNT": "spec.serviceAccountName",
    "HOST_IP": "status.hostIP",
    "ISTIO_META_NODE_NAME": "spec.nodeName",
}
METADATA = {DUAL_STACK: "true"}
"""``proxyMetadata``: settings of both containers."""
EMPTY = {
    "workload-socket": "/var/run/secrets/workload-spiffe-uds",
    "credential-socket": "/var/run/secrets/credential-uds",
    "workload-certs": "/var/run/secrets/workload-spiffe-credentials",
    "istio-data": "/var/lib/istio/data",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where this machine has what the containers run."""

    istio: Path
    """The directory with what was built of Istio."""
    envoy: Path
    """The program."""


def template(name: str, container: dict[str, Any], pod: dict[str, Any], at: Places) -> Any:
    """The template of the pods of the deployment *name*: *container* and what else *pod* says, with a
    sidecar.
    """
    served, probes = _probed(container)
    return {
        "metadata": {
            "labels": {
                "app": name,
                MEMBER: "istio",
                "service.istio.io/canonical-name": name,
                "service.istio.io/canonical-revision": "latest",
            },
            "annotations": {
                "istio.io/rev": "default",
                "kubectl.kubernetes.io/default-container": container["name"],
                "sidecar.istio.io/inject": "false",  # it has been done
            },
        },
        "spec": {
            **pod,
            "initContainers": [_init()],
            "containers": [served, _proxy(name, served, probes, at)],
            "volumes": _volumes(at),
        },
    }


def _probed(container: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """*container* with its readiness asked of the sidecar's agent, and what that asks instead."""
    asked = container.get("readinessProbe")
    if asked is None:
        return container, {}
    path = f"/app-health/{container['name']}/readyz"
    instead = {**asked, "httpGet": {"path": path, "port": STATUS_PORT}}
    return {**container, "readinessProbe": instead}, {path: {"httpGet": asked["httpGet"]}}


def _init() -> dict[str, Any]:
    """What makes the pod's packets go through Envoy: iptables of both families."""
    flags = {
        "-p": OUTBOUND_PORT,
        "-z": INBOUND_PORT,
        "-u": USER,
        "-m": "REDIRECT",
        "-i": "*",
        "-x": "",
        "-b": "*",
        "-d": f"{STATS_PORT},{READY_PORT},{STATUS_PORT}",
    }
    words = [str(word) for flag in flags.items() for word in flag]
    return {
        "name": INIT,
        "image": PLAIN_IMAGE,
        "command": [AGENT],
        "args": ["istio-iptables", *words, "--log_output_level=default:info"],
        "env": environment(METADATA, {}),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": False,
            "runAsGroup": 0,
            "runAsNonRoot": False,
            "runAsUser": 0,
        },
        "volumeMounts": [_mount("program", "/program"), _mount("machine", "/usr")],
    }


def _proxy(
    name: str, container: dict[str, Any], probes: dict[str, Any], at: Places
) -> dict[str, Any]:
    """The sidecar of the container *container*: Istio's agent, which starts Envoy."""
    words = (
        "--domain",
        "$(POD_NAMESPACE).svc.cluster.local",
        "--proxyLogLevel=warning",
        "--proxyComponentLogLevel=misc:error",
        "--log_output_level=default:info",
    )
    return {
        "name": PROXY,
        "image": PLAIN_IMAGE,
        "command": [AGENT],
        "args": ["proxy", "sidecar", *words],
        "ports": [{"containerPort": STATS_PORT, "name": "http-envoy-prom"}],
        "env": environment(_settings(name, container, probes, at), TOLD),
        "readinessProbe": {
            "httpGet": {"path": "/healthz/ready", "port": READY_PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 3,
            "failureThreshold": 4,
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsGroup": USER,
            "runAsNonRoot": True,
            "runAsUser": USER,
        },
        "volumeMounts": _mounts(),
    }


def _settings(
    name: str, container: dict[str, Any], probes: dict[str, Any], at: Places
) -> dict[str, str]:
    config = {
        "discoveryAddress": DISCOVERY,
        "binaryPath": f"/envoy/{at.envoy.name}",
        "proxyBootstrapTemplatePath": "/program/share/envoy_bootstrap.json",
        "concurrency": 1,
        "proxyMetadata": METADATA,
    }
    return {
        "PILOT_CERT_PROVIDER": "istiod",
        "CA_ADDR": DISCOVERY,
        "PROXY_CONFIG": json.dumps(config),
        "ISTIO_META_POD_PORTS": json.dumps(container.get("ports", [])),
        "ISTIO_META_APP_CONTAINERS": container["name"],
        "ISTIO_META_CLUSTER_ID": "Kubernetes",
        "ISTIO_META_INTERCEPTION_MODE": "REDIRECT",
        "ISTIO_META_WORKLOAD_NAME": name,
        "ISTIO_META_MESH_ID": "cluster.local",
        "TRUST_DOMAIN": "cluster.local",
        **METADATA,
        **({"ISTIO_KUBE_APP_PROBERS": json.dumps(probes)} if probes else {}),
    }


def _mounts() -> list[dict[str, Any]]:
    return [
        *({"name": name, "mountPath": path} for name, path in EMPTY.items()),
        {"name": "istio-envoy", "mountPath": "/etc/istio/proxy"},
        {"name": "istiod-ca-cert", "mountPath": "/var/run/secrets/istio"},
        {"name": "istio-token", "mountPath": "/var/run/secrets/tokens"},
        {"name": "istio-podinfo", "mountPath": "/etc/istio/pod"},
        _mount("program", "/program"),
        _mount("envoy", "/envoy"),
        _mount("machine", "/usr"),
    ]


def _mount(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "mountPath": path, "readOnly": True}


def _volumes(at: Places) -> list[dict[str, Any]]:
    """What a sidecar's are, and in place of its image directories of this machine: its libraries, its
    iptables, Istio and Envoy.
    """
    own = {"program": at.istio, "envoy": at.envoy.parent, "machine": "/usr"}
    fields = [
        {"path": path, "fieldRef": {"fieldPath": f"metadata.{path}"}}
        for path in ("labels", "annotations")
    ]
    return [
        *({"name": name, "emptyDir": {}} for name in EMPTY),
        {"name": "istio-envoy", "emptyDir": {"medium": "Memory"}},
        {"name": "istio-podinfo", "downwardAPI": {"items": fields}},
        token(),
        {"name": "istiod-ca-cert", "configMap": {"name": "istio-ca-root-cert"}},
        *({"name": name, "hostPath": {"path": str(path)}} for name, path in own.items()),
    ]
