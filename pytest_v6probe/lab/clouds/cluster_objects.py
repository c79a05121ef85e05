"""What is in a cluster of the lab when it is up? Its DNS, a small web site, and pods to ask from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_v6probe.kube import rbac
from pytest_v6probe.lab.daemons.containerd import PLAIN_IMAGE, PYTHON_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_v6probe.lab.clouds.cluster_plan import Member, Plan

CORE, APPS, RBAC = "/api/v1", "/apis/apps/v1", "/apis/rbac.authorization.k8s.io/v1"
SYSTEM, DEFAULT = "kube-system", "default"
WEB, NODE_PORT, HEADLESS, PLAIN, HOST, DNS = (
    "web",
    "web-nodeport",
    "web-headless",
    "plain",
    "host",
    "kube-dns",
)
COREDNS = "coredns"
PORT, PUBLISHED_PORT = 80, 30080
FEW = 2
HOSTNAME = "kubernetes.io/hostname"
NOT_READY = "node.kubernetes.io/not-ready"
ROOM = {"pods": "110"}
"""As kubelet says itself, by default. A pod that it hears of before its own word of the node has come
back to it would be refused for good: OutOfpods.
"""
COREFILE = """.:53 {
    errors
    health {
        lameduck 1s
    }
    ready
    prometheus :9153
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        ttl 5
    }
    forward . /etc/resolv.conf
    reload 2s
}
"""
SERVE = "echo $POD > /www/pod; exec httpd -f -p {listen} -h /www"
"""/pod says which pod answers, /cgi-bin/address from which address it was asked."""
Made = tuple[str, dict[str, Any]]


def objects(plan: Plan, coredns: Path) -> tuple[Made, ...]:
    """Each object with the path of its collection; *coredns* is the program."""
    return (
        *(_node(member) for member in plan.members),
        *_accounts(),
        *_runs(),
        *_dns(plan, coredns),
        *_web(plan),
        _pod(PLAIN, PLAIN_IMAGE, nodeSelector=on(plan.members[0])),
        # not where faults are: kubelet may, or may not, keep its addresses when its node's change
        _pod(HOST, PYTHON_IMAGE, nodeSelector=on(plan.members[0]), hostNetwork=True),
    )


def ready(plan: Plan) -> tuple[tuple[str, str, int], ...]:
    """Namespace, selector and number of the pods that run."""
    few = min(FEW, plan.count)
    return (
        (SYSTEM, "k8s-app=kube-dns", few),
        (DEFAULT, f"app={WEB}", plan.count),
        (DEFAULT, f"app={PLAIN}", 1),
        (DEFAULT, f"app={HOST}", 1),
    )


def named(name: str, labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """An object called *name*."""
    return {"metadata": {"name": name, **({"labels": labels} if labels else {})}, **more}


def _node(member: Member) -> Made:
    addresses = [{"type": "InternalIP", "address": str(own)} for own in member.internal]
    addresses.append({"type": "Hostname", "address": member.name})
    prefixes = [str(prefix) for prefix in member.pods]
    return f"{CORE}/nodes", named(
        member.name,
        on(member),
        spec={"podCIDR": prefixes[0], "podCIDRs": prefixes},
        status={"addresses": addresses, "capacity": ROOM, "allocatable": ROOM},
    )


def _accounts() -> Iterator[Made]:
    """What the controllers make as well, but later than the first pods want it."""
    yield f"{CORE}/namespaces/{DEFAULT}/serviceaccounts", named("default")
    yield f"{CORE}/namespaces/{SYSTEM}/serviceaccounts", named(COREDNS)
    proxier = {"kind": "ClusterRole", "name": "system:node-proxier"}
    subject = {"kind": "User", "name": "system:kube-proxy"}
    group = "rbac.authorization.k8s.io"
    yield (
        f"{RBAC}/clusterrolebindings",
        named(
            "v6probe:kube-proxy",
            roleRef={"apiGroup": group, **proxier},
            subjects=[{"apiGroup": group, **subject}],
        ),
    )


def _runs() -> Iterator[Made]:
    """Whom runs of pytest are: a user of this machine, and a service account that creates nothing."""
    account = {"kind": "ServiceAccount", "name": rbac.NAME, "namespace": rbac.NAME}
    user = {"kind": "User", "apiGroup": rbac.GROUP, "name": rbac.NAME}
    creating = f"{rbac.NAME}-create"
    yield f"{CORE}/namespaces", named(rbac.NAME)
    yield f"{CORE}/namespaces/{rbac.NAME}/serviceaccounts", named(rbac.NAME)
    for name, rules, subjects in (
        (rbac.NAME, (*rbac.LOOK, *rbac.DEBUG), (account, user)),
        (creating, rbac.CREATE, (user,)),
    ):
        yield f"{RBAC}/clusterroles", rbac.cluster_role(name, rules)
        yield f"{RBAC}/clusterrolebindings", rbac.cluster_role_binding(name, *subjects)


def _dns(plan: Plan, coredns: Path) -> Iterator[Made]:
    role = "system:coredns"
    reading = {"verbs": ["list", "watch"]}
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], **reading},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], **reading},
    ]
    account = {"kind": "ServiceAccount", "name": COREDNS, "namespace": SYSTEM}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    yield f"{RBAC}/clusterroles", named(role, rules=rules)
    yield f"{RBAC}/clusterrolebindings", named(role, roleRef=ref, subjects=[account])
    yield f"{CORE}/namespaces/{SYSTEM}/configmaps", named(COREDNS, data={"Corefile": COREFILE})
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        {"name": "metrics", "port": 9153, "protocol": "TCP"},
    ]
    addresses = [str(address) for address in plan.dns]
    spec = {"clusterIP": addresses[0], "clusterIPs": addresses, "ports": ports}
    yield _service(plan, DNS, SYSTEM, {"k8s-app": DNS}, spec)
    yield _deployment(COREDNS, SYSTEM, {"k8s-app": DNS}, min(FEW, plan.count), _coredns(coredns))


def _coredns(program: Path) -> dict[str, Any]:
    """CoreDNS in a pod. The program is this machine's own: an image with it would take a while."""
    volumes = [
        {"name": "config", "configMap": {"name": COREDNS}},
        {"name": "program", "hostPath": {"path": str(program.parent)}},
    ]
    container = {
        "name": COREDNS,
        "image": PLAIN_IMAGE,
        "command": [f"/program/{program.name}", "-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/coredns", "readOnly": True},
            {"name": "program", "mountPath": "/program", "readOnly": True},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "failureThreshold": 5},
    }
    return {
        "serviceAccountName": COREDNS,
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": volumes,
    }


def web(listen: str = str(PORT)) -> dict[str, Any]:
    """The container of the pods of the service web, whose server listens at *listen*."""
    return {
        "name": WEB,
        "image": PYTHON_IMAGE,
        "command": ["sh", "-c", SERVE.format(listen=listen)],
        "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
    }


def _web(plan: Plan) -> Iterator[Made]:
    own = {"app": WEB}
    pod = {"automountServiceAccountToken": False, "containers": [web()]}
    yield _deployment(WEB, DEFAULT, own, plan.count, pod)
    port = {"name": "http", "port": PORT}
    published = {**port, "nodePort": PUBLISHED_PORT}
    yield _service(plan, WEB, DEFAULT, own, {"ports": [port]})
    yield _service(plan, NODE_PORT, DEFAULT, own, {"type": "NodePort", "ports": [published]})
    yield _service(plan, HEADLESS, DEFAULT, own, {"clusterIP": "None", "ports": [port]})


def _service(
    plan: Plan, name: str, namespace: str, selector: dict[str, str], spec: dict[str, Any]
) -> Made:
    policy = "PreferDualStack" if len(plan.families) > 1 else "SingleStack"
    whole = {"ipFamilyPolicy": policy, "selector": selector, **spec}
    return f"{CORE}/namespaces/{namespace}/services", named(name, selector, spec=whole)


def _deployment(
    name: str, namespace: str, labels: dict[str, str], count: int, pod: dict[str, Any]
) -> Made:
    """One whose pods are on different nodes."""
    spec = {**soon(), "affinity": apart(labels), **pod}
    return f"{APPS}/namespaces/{namespace}/deployments", named(
        name,
        labels,
        spec={
            "replicas": count,
            "selector": {"matchLabels": labels},
            # where one must go before another has room
            "strategy": {"type": "Recreate"},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    )


def apart(labels: dict[str, str]) -> dict[str, Any]:
    """The affinity of pods with *labels* that are on different nodes."""
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": labels}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _pod(name: str, image: str, **more: Any) -> Made:
    spec = {
        **soon(),
        "automountServiceAccountToken": False,
        "containers": [{"name": name, "image": image}],
        **more,
    }
    return f"{CORE}/namespaces/{DEFAULT}/pods", named(name, {"app": name}, spec=spec)


def on(member: Member) -> dict[str, str]:
    """The label of the node that *member* is."""
    return {HOSTNAME: member.name}


def soon() -> dict[str, Any]:
    """Scheduled before nodes are ready, and ended without grace: as PID 1 none hears SIGTERM."""
    return {
        "tolerations": [{"key": NOT_READY, "operator": "Exists", "effect": "NoSchedule"}],
        "terminationGracePeriodSeconds": 1,
    }
