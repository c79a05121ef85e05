"""How is a program run on a node itself? In a pod on its network, of our own, in a namespace of our
own.

It makes something in a cluster: only who was told to may start one. Closing it removes both; what a
killed run leaves ends by itself, and is found by the label of its namespace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import Unobserved, VantageUnreachable
from pytest_v6probe.inventory.kube import Pod
from pytest_v6probe.kube.ownership import OWNER, new_name
from pytest_v6probe.transport.channel import Channel
from pytest_v6probe.transport.pod import choice, rbac
from pytest_v6probe.transport.pod.debug import HOPELESS, WAIT
from pytest_v6probe.transport.pod.exec import PodTransport

if TYPE_CHECKING:
    from pytest_v6probe.transport.pod.api import ClusterApi

NAMESPACES = "/api/v1/namespaces"
POD = "node"
LABELS = dict([OWNER])
PRIVILEGED = {"pod-security.kubernetes.io/enforce": "privileged"}
"""A namespace of the host network's (kubernetes.io, "Pod Security Admission")."""
NO_ACCOUNT = "error looking up service account"
LOOK_AGAIN_S = 0.25
CLOSING_S = 5.0


class NodePodTransport:
    """Starts programs on the network of *node*, in a pod of *image*, which has *python*."""

    def __init__(self, api: ClusterApi, node: str, *, image: str, python: str = "python3") -> None:
        self._api = api
        self._node = node
        self._image = image
        self._python = python
        self._namespace = ""
        self._within: PodTransport | None = None

    @property
    def name(self) -> str:
        """``a pod of IMAGE on NODE's network at CLUSTER``, with its namespace once it is there."""
        where = f" in {self._namespace}" if self._namespace else ""
        return f"a pod of {self._image} on {self._node}'s network{where} at {self._api.cluster_id}"

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        """Start *argv*; the pod is made first, if it is not there. Raises VantageUnreachable
        (``forbidden``, ``debug-image``, and what `PodTransport.start` raises) or DeadlinePassed.
        """
        end = monotonic() + timeout_s
        if self._within is None:
            self._make(end)
            self._within = PodTransport(
                self._api, Pod(cluster=self._api.cluster_id, namespace=self._namespace)
            )
        return self._within.start(argv, timeout_s=end - monotonic())

    def close(self) -> None:
        """Remove the namespace, and with it the pod. May be called twice."""
        self._within = None
        if self._namespace:
            with suppress(Unobserved):  # it ends by itself, and `v6probe clean` finds what is left
                self._api.delete(f"{NAMESPACES}/{self._namespace}", timeout_s=CLOSING_S)
            self._namespace = ""

    def _make(self, end: float) -> None:
        """Make the namespace and the pod, and wait until that runs."""
        self._namespace = new_name()
        metadata = {"name": self._namespace, "labels": LABELS | PRIVILEGED}
        try:
            self._create(NAMESPACES, {"kind": "Namespace", "metadata": metadata}, end)
            self._create(f"{NAMESPACES}/{self._namespace}/pods", self._pod(), end)
            self._await(end)
        except BaseException:
            self.close()
            raise

    def _pod(self) -> dict[str, Any]:
        container = {
            "name": POD,
            "image": self._image,
            "command": [self._python, "-I", "-S", "-c", WAIT],
            "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
        }
        spec = {
            "nodeName": self._node,
            "hostNetwork": True,
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}],
            "containers": [container],
        }
        metadata = {"name": POD, "labels": LABELS}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def _create(self, path: str, body: Mapping[str, Any], end: float) -> None:
        while True:
            said = {"apiVersion": "v1", **body}
            answer = self._api.create(path, said, timeout_s=end - monotonic())
            if NO_ACCOUNT not in answer.message or monotonic() > end - LOOK_AGAIN_S:
                break
            self._api.pause(LOOK_AGAIN_S)  # a new namespace gets its account a moment later
        if answer.status == 403:
            right = rbac.right(path, "create", "delete")
            raise self._unreachable(
                "forbidden", f"{answer.message}: it takes {right}: {right.cure}"
            )
        if not answer.good:
            raise self._unreachable("debug-image", f"the API does not make it: {answer.message}")

    def _await(self, end: float) -> None:
        """Wait until the pod is ready. Raises VantageUnreachable if it will not be in time."""
        path, why = f"{NAMESPACES}/{self._namespace}/pods/{POD}", "nothing is said of it"
        while monotonic() < end - LOOK_AGAIN_S:
            answer = self._api.get(path, timeout_s=end - monotonic())
            if choice.ready(answer.body):
                return
            status = choice.status_of(answer.body, POD)
            why = choice.why_not([answer.body])
            hopeless = choice.text(status, "state", "waiting", "reason") in HOPELESS
            if hopeless or choice.text(answer.body, "status", "phase") in {"Failed", "Succeeded"}:
                raise self._unreachable("debug-image", f"it does not run: {why}")
            self._api.pause(min(LOOK_AGAIN_S, end - monotonic()))
        raise self._unreachable("debug-image", f"it is not there in time: {why}")

    def _unreachable(self, reason: str, why: str) -> VantageUnreachable:
        return VantageUnreachable(f"{self.name}: {why}", reason=reason, vantage=self.name)
