"""What is Istio's control plane in a cluster of the lab? istiod in a pod, with the settings, rights and
service that manifests/charts/istio-control/istio-discovery of istio.io/istio gives it, without webhooks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_v6probe.kube import rbac
from pytest_v6probe.lab.clouds.cluster_objects import APPS, CORE, RBAC, named, soon
from pytest_v6probe.lab.daemons.containerd import PLAIN_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_v6probe.lab.clouds.cluster_objects import Made

NAMESPACE, ISTIOD = "istio-system", "istiod"
SYSTEM = f"{CORE}/namespaces/{NAMESPACE}"
DEPLOYMENTS = f"{APPS}/namespaces/{NAMESPACE}/deployments"
LABELS = {"app": ISTIOD, "istio": "pilot"}
AUDIENCE = "istio-ca"
"""Whom the tokens of workloads are for."""
DUAL_STACK = "ISTIO_DUAL_STACK"
DISCOVERY = f"{ISTIOD}.{NAMESPACE}.svc:15012"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP, FILTERS, FILTER_VERSION = "networking.istio.io", "envoyfilters", "v1alpha3"
MESH = {
    "trustDomain": "cluster.local",
    "rootNamespace": NAMESPACE,
    "defaultConfig": {
        "discoveryAddress": DISCOVERY,
        "proxyMetadata": {DUAL_STACK: "true"},
    },
}
"""Without providers of metrics: only Istio's own build of Envoy has the filter for these."""
SETTINGS = {
    DUAL_STACK: "true",
    "REVISION": "default",
    "PILOT_CERT_PROVIDER": "istiod",
    "CLUSTER_ID": "Kubernetes",
    # what only Istio's own build of Envoy can do
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    # what it hears of a pod before the pod has its addresses would stay: of a host that it knows by
    # its first address Envoy takes no others
    "PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS": "false",
    # what this cluster has no use for
    "ENABLE_LEADER_ELECTION": "false",
    "INJECT_ENABLED": "false",
    "INJECTION_WEBHOOK_CONFIG_NAME": "",
    "VALIDATION_WEBHOOK_CONFIG_NAME": "",
    "PILOT_ENABLE_GATEWAY_API": "false",
    "PILOT_ENABLE_GATEWAY_API_STATUS": "false",
    "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER": "false",
    "PILOT_ENABLE_GATEWAY_API_GATEWAYCLASS_CONTROLLER": "false",
}
TOLD = {
    "POD_NAME": "metadata.name",
    "POD_NAMESPACE": "metadata.namespace",
    "SERVICE_ACCOUNT": "spec.serviceAccountName",
}
PORTS = (
    ("grpc-xds", 15010, 15010),
    ("https-dns", 15012, 15012),
    ("https-webhook", 443, 15017),
    ("http-monitoring", 15014, 15014),
)
READ = ("get", "list", "watch")
WRITE = (*READ, "create", "update", "patch", "delete")
RULES = (
    rbac.Rule(group=GROUP, resources=("*",), verbs=READ, why="its own configuration"),
    rbac.Rule(
        resources=("pods", "nodes", "services", "namespaces", "endpoints"),
        verbs=READ,
        why="what it tells sidecars of",
    ),
    rbac.Rule(group="discovery.k8s.io", resources=("endpointslices",), verbs=READ, why="the same"),
    rbac.Rule(
        group="networking.k8s.io",
        resources=("ingresses", "ingressclasses"),
        verbs=READ,
        why="it waits for all that it can know of",
    ),
    rbac.Rule(
        group="apiextensions.k8s.io",
        resources=("customresourcedefinitions",),
        verbs=READ,
        why="which kinds of its own there are",
    ),
    rbac.Rule(
        group="admissionregistration.k8s.io",
        resources=("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
        verbs=READ,
        why="its webhooks",
    ),
    rbac.Rule(resources=("configmaps",), verbs=WRITE, why="its root certificate, told to all"),
    rbac.Rule(resources=("secrets",), verbs=WRITE, why="the key of its authority"),
    rbac.Rule(
        group="authentication.k8s.io",
        resources=("tokenreviews",),
        verbs=("create",),
        why="whom a workload is",
    ),
    rbac.Rule(
        group="authorization.k8s.io",
        resources=("subjectaccessreviews",),
        verbs=("create",),
        why="who may ask for what",
    ),
)


def objects(programs: Path) -> Iterator[Made]:
    """Each object with the path of its collection; *programs* is the directory of Istio's."""
    yield f"{CORE}/namespaces", named(NAMESPACE)
    yield f"{SYSTEM}/serviceaccounts", named(ISTIOD)
    subject = {"kind": "ServiceAccount", "name": ISTIOD, "namespace": NAMESPACE}
    yield f"{RBAC}/clusterroles", rbac.cluster_role(ISTIOD, RULES)
    yield f"{RBAC}/clusterrolebindings", rbac.cluster_role_binding(ISTIOD, subject)
    yield CRDS, _envoy_filters()
    yield f"{SYSTEM}/configmaps", named("istio", data={"mesh": json.dumps(MESH)})
    yield f"{SYSTEM}/services", _service()
    yield DEPLOYMENTS, _deployment(programs)


def environment(settings: Mapping[str, str], told: Mapping[str, str]) -> list[dict[str, Any]]:
    """The environment of a container: *settings*, and what it is *told* of its pod."""
    return [
        *({"name": name, "value": value} for name, value in settings.items()),
        *(
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for name, path in told.items()
        ),
    ]


def token() -> dict[str, Any]:
    """The volume with a workload's token for istiod."""
    mine = {"audience": AUDIENCE, "expirationSeconds": 43200, "path": "istio-token"}
    return {"name": "istio-token", "projected": {"sources": [{"serviceAccountToken": mine}]}}


def _envoy_filters() -> dict[str, Any]:
    """The definition of the one kind of its own that is used here. It accepts anything."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": FILTER_VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": anything},
    }
    return named(
        f"{FILTERS}.{GROUP}",
        spec={
            "group": GROUP,
            "names": {"kind": "EnvoyFilter", "plural": FILTERS},
            "scope": "Namespaced",
            "versions": [version],
        },
    )


def _service() -> dict[str, Any]:
    ports = [{"name": name, "port": port, "targetPort": target} for name, port, target in PORTS]
    spec = {"ipFamilyPolicy": "PreferDualStack", "selector": LABELS, "ports": ports}
    return named(ISTIOD, LABELS, spec=spec)


def _deployment(programs: Path) -> dict[str, Any]:
    """The pod of istiod. Its program is this machine's own, as CoreDNS's is."""
    mounts = {"program": "/program", "istio-token": "/var/run/secrets/tokens"}
    container = {
        "name": "discovery",
        "image": PLAIN_IMAGE,
        "command": ["/program/pilot-discovery", "discovery"],
        "args": ["--monitoringAddr=:15014", "--domain", "cluster.local"],
        "env": environment(SETTINGS, TOLD),
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": name, "mountPath": path, "readOnly": True} for name, path in mounts.items()
        ],
    }
    spec = {
        **soon(),
        "serviceAccountName": ISTIOD,
        "containers": [container],
        "volumes": [{"name": "program", "hostPath": {"path": str(programs)}}, token()],
    }
    template = {"metadata": {"labels": LABELS}, "spec": spec}
    return named(
        ISTIOD,
        LABELS,
        spec={"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
    )
