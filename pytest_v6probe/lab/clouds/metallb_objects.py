"""What is in a cluster of the lab that has MetalLB? MetalLB 0.15, a pool, and two services with external
addresses. As config/manifests/metallb-native.yaml of go.universe.tf/metallb has it, without webhooks.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any

from pytest_v6probe.lab.clouds.cluster_objects import (
    APPS,
    CORE,
    DEFAULT,
    NOT_READY,
    PORT,
    RBAC,
    WEB,
    Made,
)
from pytest_v6probe.lab.daemons.containerd import PLAIN_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_v6probe.lab.topology import Network

NAMESPACE, GROUP, VERSION = "metallb-system", "metallb.io", "v1beta1"
SYSTEM, OWN = f"{CORE}/namespaces/{NAMESPACE}", f"/apis/{GROUP}/{VERSION}/namespaces/{NAMESPACE}"
SERVICES = f"{CORE}/namespaces/{DEFAULT}/services"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CONTROLLER, SPEAKER = "controller", "speaker"
POOL_NAME, ADVERTISEMENT = "outside", "everywhere"
BALANCED, LOCAL = "web-lb", "web-lb-local"
POOL: tuple[Network, ...] = (
    IPv6Network("fc00:f853:ccd:e793:ff::/112"),
    IPv4Network("172.18.255.192/27"),
)
"""On the link of the nodes of kind: MetalLB answers for the addresses there."""
METRICS_PORT = 7472
GRACE_S = 2
"""With none a pod would be gone from the API before its program has ended."""
KINDS = (
    ("BFDProfile", "bfdprofiles"),
    ("BGPAdvertisement", "bgpadvertisements"),
    ("BGPPeer", "bgppeers"),
    ("Community", "communities"),
    ("IPAddressPool", "ipaddresspools"),
    ("L2Advertisement", "l2advertisements"),
    ("ServiceBGPStatus", "servicebgpstatuses"),
    ("ServiceL2Status", "servicel2statuses"),
)
"""What MetalLB makes of the API, by config/crd/bases. Its own programs check what is in them."""
OLDER = {"BGPPeer": ("v1beta1", "v1beta2")}
READ, CHANGE = ("get", "list", "watch"), ("create", "patch")
EXCLUDED = 'announcedInterfacesToExclude: ["^lo$", "^veth.*"]\n'
"""Links where no speaker answers: those of pods."""
FEATURES = "rbac.authorization.k8s.io"


def objects(programs: Path) -> Iterator[Made]:
    """Each object with the path of its collection; *programs* is the directory of MetalLB's."""
    yield f"{CORE}/namespaces", _named(NAMESPACE)
    for kind, plural in KINDS:
        yield CRDS, _definition(kind, plural)
    for account in (CONTROLLER, SPEAKER):
        yield f"{SYSTEM}/serviceaccounts", _named(account)
    yield from _allowed(CONTROLLER, _cluster_rules_of_controller(), _rules_of_controller())
    yield from _allowed(SPEAKER, _cluster_rules_of_speaker(), _rules_of_speaker())
    yield f"{SYSTEM}/configmaps", _named("metallb-excludel2", data={"excludel2.yaml": EXCLUDED})
    yield f"{APPS}/namespaces/{NAMESPACE}/daemonsets", _speaker(programs)
    yield f"{APPS}/namespaces/{NAMESPACE}/deployments", _controller(programs)
    yield balanced(BALANCED, "PreferDualStack")
    yield balanced(LOCAL, "RequireDualStack", externalTrafficPolicy="Local")
    yield pool(POOL)
    spec = {"ipAddressPools": [POOL_NAME]}
    yield f"{OWN}/l2advertisements", _custom("L2Advertisement", ADVERTISEMENT, spec)


def pool(ranges: tuple[Network, ...]) -> Made:
    """The one pool of addresses."""
    spec = {"addresses": [str(known) for known in ranges]}
    return f"{OWN}/ipaddresspools", _custom("IPAddressPool", POOL_NAME, spec)


def balanced(name: str, policy: str, **more: str) -> Made:
    """A service of the web site with external addresses."""
    spec = {
        "type": "LoadBalancer",
        "ipFamilyPolicy": policy,
        "selector": {"app": WEB},
        "ports": [{"name": "http", "port": PORT}],
        **more,
    }
    return SERVICES, _named(name, spec=spec)


def _named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **more}


def _custom(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, **_named(name), "spec": spec}


def _definition(kind: str, plural: str) -> dict[str, Any]:
    versions = OLDER.get(kind, (VERSION,))
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return _named(
        f"{plural}.{GROUP}",
        spec={
            "group": GROUP,
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == versions[-1],
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": anything},
                }
                for version in versions
            ],
        },
    )


def _allowed(account: str, everywhere: list[Any], here: list[Any]) -> Iterator[Made]:
    """What *account* may do in the whole cluster, and *here*, in its own namespace."""
    subject = {"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}
    for where, kind, name, rules in (
        (RBAC, "ClusterRole", f"{NAMESPACE}:{account}", everywhere),
        (f"{RBAC}/namespaces/{NAMESPACE}", "Role", account, here),
    ):
        yield f"{where}/{kind.lower()}s", _named(name, rules=rules)
        ref = {"apiGroup": FEATURES, "kind": kind, "name": name}
        binding = _named(name, roleRef=ref, subjects=[subject])
        yield f"{where}/{kind.lower()}bindings", binding


def _may(verbs: tuple[str, ...], group: str, *resources: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _cluster_rules_of_controller() -> list[Any]:
    return [
        _may(READ, "", "services", "namespaces"),
        _may(("list",), "", "nodes"),
        _may(("update",), "", "services/status"),
        _may(CHANGE, "", "events"),
    ]


def _rules_of_controller() -> list[Any]:
    known = ("ipaddresspools", "bgpadvertisements", "l2advertisements", "communities")
    return [
        _may(READ, "", "secrets"),
        _may(READ, GROUP, *known, "bgppeers", "bfdprofiles"),
        _may(("update",), GROUP, "ipaddresspools/status"),
    ]


def _cluster_rules_of_speaker() -> list[Any]:
    return [
        _may(("*",), GROUP, "servicel2statuses", "servicel2statuses/status"),
        _may(READ, "", "services", "endpoints", "nodes", "namespaces"),
        _may(READ, "discovery.k8s.io", "endpointslices"),
        _may(CHANGE, "", "events"),
    ]


def _rules_of_speaker() -> list[Any]:
    known = ("ipaddresspools", "bgpadvertisements", "l2advertisements", "communities")
    return [
        _may(("get", "list"), "", "pods"),
        _may(READ, "", "secrets", "configmaps"),
        _may(READ, GROUP, *known, "bgppeers", "bfdprofiles"),
        _may(("*",), GROUP, "servicebgpstatuses", "servicebgpstatuses/status"),
    ]


def _speaker(programs: Path) -> dict[str, Any]:
    """One on every node's own network. Without memberlist: no other takes over from one that is gone."""
    told = {
        "METALLB_NODE_NAME": "spec.nodeName",
        "METALLB_POD_NAME": "metadata.name",
        "METALLB_HOST": "status.hostIP",
    }
    env = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in told.items()
    ]
    excluded = {"name": "excluded", "mountPath": "/etc/metallb", "readOnly": True}
    capabilities = {"drop": ["ALL"], "add": ["NET_RAW"]}
    container = {
        **_container(SPEAKER, (), mounts=(excluded,)),
        "env": env,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": capabilities,
            "readOnlyRootFilesystem": True,
        },
    }
    volumes = [
        *_volumes(programs),
        {"name": "excluded", "configMap": {"name": "metallb-excludel2"}},
    ]
    spec = {"hostNetwork": True, "containers": [container], "volumes": volumes}
    return _running(SPEAKER, spec)


def _controller(programs: Path) -> dict[str, Any]:
    flags = ("--disable-cert-rotation", "--webhook-mode=disabled")
    spec = {"containers": [_container(CONTROLLER, flags)], "volumes": _volumes(programs)}
    return _running(CONTROLLER, spec, replicas=1)


def _container(name: str, flags: tuple[str, ...], mounts: tuple[Any, ...] = ()) -> dict[str, Any]:
    """A program of MetalLB in a pod. It is this machine's own, as CoreDNS is."""
    asked = {"path": "/metrics", "port": METRICS_PORT}
    return {
        "name": name,
        "image": PLAIN_IMAGE,
        "command": [f"/program/{name}", f"--port={METRICS_PORT}", "--log-level=info", *flags],
        "volumeMounts": [{"name": "program", "mountPath": "/program", "readOnly": True}, *mounts],
        "readinessProbe": {"httpGet": asked, "periodSeconds": 1},
    }


def _volumes(programs: Path) -> list[dict[str, Any]]:
    return [{"name": "program", "hostPath": {"path": str(programs)}}]


def _running(name: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workload called *name*, whose pods are labelled as upstream's are."""
    labels = {"app": "metallb", "component": name}
    whole = {
        "serviceAccountName": name,
        "terminationGracePeriodSeconds": GRACE_S,
        "tolerations": [{"key": NOT_READY, "operator": "Exists", "effect": "NoSchedule"}],
        **spec,
    }
    template = {"metadata": {"labels": labels}, "spec": whole}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **more},
    }
