"""What does the API of a dual-stack cluster of two nodes say? Objects as kind's gives them, cut down."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Object = dict[str, Any]

READY = {
    "type": "Ready",
    "status": "True",
    "reason": "KubeletReady",
    "message": "kubelet is posting ready status",
}


def node(number: int = 1, **changes: Any) -> Object:
    """``node-1``, ``node-2``; *changes* are of its status."""
    return {
        "metadata": {
            "name": f"node-{number}",
            "uid": "8c1b2f0e-0001",
            "labels": {"kubernetes.io/hostname": f"node-{number}"},
        },
        "spec": {
            "podCIDR": f"fd00:10:244:{number}::/64",
            "podCIDRs": [f"fd00:10:244:{number}::/64", f"10.244.{number}.0/24"],
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": f"fc00:f853:ccd:e793::{number + 2}"},
                {"type": "InternalIP", "address": f"172.18.0.{number + 2}"},
                {"type": "Hostname", "address": f"node-{number}"},
            ],
            "conditions": [{"type": "MemoryPressure", "status": "False"}, READY],
            **changes,
        },
    }


def pod(name: str = "web-1", number: int = 1, last: int = 5, **changes: Any) -> Object:
    """A running pod on ``node-<number>``; *changes* are of its status."""
    addresses = [f"fd00:10:244:{number}::{last}", f"10.244.{number}.{last}"]
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": {
            "nodeName": f"node-{number}",
            "containers": [
                {"name": "web", "image": "web", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": addresses[0],
            "podIPs": [{"ip": address} for address in addresses],
            "conditions": [{"type": "Ready", "status": "True"}],
            **changes,
        },
    }


def host_pod(name: str = "kube-proxy-x", number: int = 1, **changes: Any) -> Object:
    """A pod on the network of ``node-<number>``."""
    found = pod(name, number, **changes)
    own = [entry["address"] for entry in node(number)["status"]["addresses"][:2]]
    found["spec"]["hostNetwork"] = True
    found["status"]["podIPs"] = changes.get("podIPs", [{"ip": address} for address in own])
    return found


def service(name: str = "web", namespace: str = "default", **changes: Any) -> Object:
    """A dual-stack ClusterIP service; *changes* are of its spec."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "fd00:10:96::7",
            "clusterIPs": ["fd00:10:96::7", "10.96.0.7"],
            "ipFamilies": ["IPv6", "IPv4"],
            "ipFamilyPolicy": "PreferDualStack",
            "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}],
            "sessionAffinity": "None",
            **changes,
        },
        "status": {"loadBalancer": {}},
    }


def endpoint(address: str, number: int, ready: bool | None = True, pod: str = "") -> Object:
    return {
        "addresses": [address],
        "conditions": {"ready": ready, "serving": True, "terminating": False},
        "nodeName": f"node-{number}",
        "targetRef": {"kind": "Pod", "namespace": "default", "name": pod or f"web-{number}"},
    }


def endpoint_slice(
    family: str = "IPv6", *, of: str = "web", ready: bool | None = True, **changes: Any
) -> Object:
    """The slice of one family with an endpoint on either node."""
    address = {"IPv6": "fd00:10:244:{}::5", "IPv4": "10.244.{}.5"}[family]
    return {
        "metadata": {
            "name": f"{of}-{family.lower()}",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": of},
        },
        "addressType": family,
        "endpoints": [endpoint(address.format(number), number, ready) for number in (1, 2)],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
        **changes,
    }


def lists(**changes: tuple[Object, ...]) -> dict[str, tuple[Object, ...]]:
    """What `kube_service` lists of a healthy cluster."""
    return {
        "services": (service("other"), service()),
        "slices": (endpoint_slice(of="other"), endpoint_slice("IPv6"), endpoint_slice("IPv4")),
        "nodes": (node(1), node(2)),
        "pods": (pod("web-1", 1), pod("web-2", 2), host_pod()),
        **changes,
    }


def but(said: Object, path: str, value: Any) -> Object:
    """*said* with *value* at *path* (``spec.ports.0.port``)."""
    changed = deepcopy(said)
    *way, last = path.split(".")
    inner: Any = changed
    for key in way:
        inner = inner[int(key) if key.isdecimal() else key]
    inner[int(last) if last.isdecimal() else last] = value
    return changed
