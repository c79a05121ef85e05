"""What is a NetworkPolicy tried on? Three pods in a namespace of its own: one that serves, one that a
policy is to let in or out, and one that it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_v6probe.actions.kube import refused
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory import kube
from pytest_v6probe.inventory.model import Host, Role
from pytest_v6probe.kube.fields import Malformed
from pytest_v6probe.kube.pods import Pod
from pytest_v6probe.kube.pods import pod as read
from pytest_v6probe.transport.pod import choice, rbac
from pytest_v6probe.transport.pod.exec import PodTransport
from pytest_v6probe.vantage import Vantage
from pytest_v6probe.wait import eventually

if TYPE_CHECKING:
    from pytest_v6probe.actions.kube import KubeNamespace
    from pytest_v6probe.transport.pod.api import Answer

LABEL = "pytest-v6probe/role"
SERVER, ALLOWED, DENIED = "server", "allowed", "denied"
"""The names of the pods, and what their label says."""
PORT = 8080
PODS_S, ACCOUNT_S, LOOK_EVERY_S = 90.0, 15.0, 0.5
"""An image may have to be pulled; the account of a new namespace is made a moment after it."""
LIFE_S = 900
"""The pods end by themselves if this program cannot remove them."""
NOBODY = 65534
SERVE = f"""
import socket
door = socket.socket(socket.AF_INET6)
door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
door.bind(("::", {PORT}))
door.listen(16)
while True:
    door.accept()[0].close()
"""
"""What each pod runs: it takes connections of both families."""
POLICIES = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"
_ENDS = {"Ingress": (SERVER, "from", ALLOWED), "Egress": (ALLOWED, "to", SERVER)}
"""Whom a policy isolates in a direction, and whom its rule names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPods:
    """Three pods of one namespace. Findings that are made at *allowed* and *denied* bear the
    cluster's name: nobody else can ask from there.
    """

    server: Pod
    other: Pod
    """The pod that *denied* is. It serves as well."""
    allowed: Vantage
    denied: Vantage


@contextmanager
def policy_pods(namespace: KubeNamespace) -> Iterator[PolicyPods]:
    """Start the pods in *namespace*, of the image that the ``[[cluster]]`` names as ``probe_image``;
    they go with it.

    Raises Unobserved if no image is named, the API refuses them, or they are not ready in time.
    """
    cluster = namespace.cluster
    if not cluster.spec.probe_image:
        raise Unobserved(
            f"the [[cluster]] {cluster.name} has no key probe_image: pods are made of it",
            reason="no-image-given",
            vantage=cluster.name,
        )
    for role in (SERVER, ALLOWED, DENIED):
        _create_pod(namespace, role, cluster.spec.probe_image)
    ready = _ready(namespace)
    with ExitStack() as closing:
        allowed, denied = (_vantage(namespace, role) for role in (ALLOWED, DENIED))
        closing.callback(allowed.close)
        closing.callback(denied.close)
        yield PolicyPods(server=ready[SERVER], other=ready[DENIED], allowed=allowed, denied=denied)


def restrict_ingress(namespace: KubeNamespace, *, allow: bool) -> None:
    """Create a NetworkPolicy in *namespace*, for the pods that `policy_pods` starts there: with *allow*
    only the pod ``allowed`` may connect to the server; without it nobody may connect to any pod.

    Raises Unobserved if the API refuses it.
    """
    _restrict(namespace, "Ingress", allow=allow)


def restrict_egress(namespace: KubeNamespace, *, allow: bool) -> None:
    """Create a NetworkPolicy in *namespace*, for the pods that `policy_pods` starts there: with *allow*
    the pod ``allowed`` may connect to the server only; without it no pod may connect to anything.

    Raises Unobserved if the API refuses it.
    """
    _restrict(namespace, "Egress", allow=allow)


def _restrict(namespace: KubeNamespace, direction: str, *, allow: bool) -> None:
    cluster, path = namespace.cluster, POLICIES.format(namespace.name)
    answer = cluster.api.create(path, policy(direction, allow=allow), timeout_s=cluster.timeout_s)
    if not answer.good:
        right = rbac.right("/apis/networking.k8s.io/v1/networkpolicies", "create")
        raise refused(cluster, answer, "a NetworkPolicy could not be made", right=right)


def policy(direction: str, *, allow: bool) -> dict[str, Any]:
    """The object that `restrict_ingress` or `restrict_egress` creates, by the *direction* in which it
    isolates pods (``Ingress``, ``Egress``).
    """
    isolated, word, peer = _ENDS[direction]
    key = direction.lower()
    rules = {key: [{word: [{"podSelector": _labelled(peer)}]}]} if allow else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"one-{key}" if allow else f"no-{key}"},
        "spec": {
            "podSelector": _labelled(isolated) if allow else {},
            "policyTypes": [direction],
            **rules,
        },
    }


def _labelled(role: str) -> dict[str, Any]:
    return {"matchLabels": {LABEL: role}}


def pod(role: str, image: str) -> dict[str, Any]:
    """One of the pods, with no more rights than the standard "restricted" leaves it."""
    container = {
        "name": role,
        "image": image,
        "command": ["python3", "-c", SERVE],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": role, "labels": {LABEL: role}},
        "spec": {
            "automountServiceAccountToken": False,
            "activeDeadlineSeconds": LIFE_S,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }


def _create_pod(namespace: KubeNamespace, role: str, image: str) -> None:
    cluster, path = namespace.cluster, namespace.path("pods")
    answer = eventually(
        lambda: cluster.api.create(path, pod(role, image), timeout_s=cluster.timeout_s),
        until=_is_final,
        within_s=ACCOUNT_S,
    )
    if not answer.good:
        right = rbac.right("/api/v1/pods", "create")
        raise refused(cluster, answer, f"the pod {role} could not be made", right=right)


def _is_final(answer: Answer) -> bool:
    """Whether it is no answer that a namespace gives as long as it has no account."""
    return "error looking up service account" not in answer.message


def _ready(namespace: KubeNamespace) -> dict[str, Pod]:
    """The pods by their names, once all of them are ready. Raises Unobserved."""
    cluster = namespace.cluster

    def look() -> tuple[dict[str, Any], ...]:
        return cluster.api.list(namespace.path("pods"), selector=LABEL, timeout_s=cluster.timeout_s)

    said = eventually(look, until=_all_ready, within_s=PODS_S, every_s=LOOK_EVERY_S)
    if not _all_ready(said):
        why = choice.why_not([one for one in said if not choice.ready(one)])
        raise Unobserved(
            f"{cluster.name}: the pods in {namespace.name} are not ready in {PODS_S:g} s: {why}",
            reason="pod-not-ready",
            vantage=cluster.name,
        )
    try:
        return {one.name: one for one in map(read, said)}
    except Malformed as why:
        said_so = f"{cluster.name}: what its API calls a Pod is none: {why}"
        raise Unobserved(said_so, reason="malformed", vantage=cluster.name) from why


def _all_ready(said: tuple[dict[str, Any], ...]) -> bool:
    ready = {choice.name_of(one) for one in said if choice.ready(one)}
    return ready >= {SERVER, ALLOWED, DENIED}


def _vantage(namespace: KubeNamespace, role: str) -> Vantage:
    cluster = namespace.cluster
    where = kube.Pod(
        cluster=cluster.name, namespace=namespace.name, selector=f"{LABEL}={role}", container=role
    )
    transport = PodTransport(cluster.api, where)
    return Vantage(
        name=cluster.name,
        region=cluster.spec.region,
        host=Host(name=cluster.spec.name, region=cluster.spec.region, role=Role.POD, pod=where),
        connect=partial(
            open_agent, transport, vantage=f"{cluster.name} {role}", timeout_s=cluster.timeout_s
        ),
        prefixes=lambda _: frozenset(),
        witness=cluster.witness,
    )
