"""How is a program run in a pod? By the exec subresource, in its own container or in an ephemeral
one beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import Unobserved, VantageUnreachable
from pytest_v6probe.inventory.kube import Pod
from pytest_v6probe.transport.channel import Channel
from pytest_v6probe.transport.pod import choice, debug, rbac
from pytest_v6probe.transport.pod.stream import PodStream, open_stream

if TYPE_CHECKING:
    from pytest_v6probe.transport.pod.api import ClusterApi
    from pytest_v6probe.transport.pod.server import Answer

DYING_S = 1.5
"""How long the API may take to say what has become of a pod; the kubelet looks once a second."""
LOOK_AGAIN_S = 0.5


class PodTransport:
    """Starts programs in the pod that *pod* describes: the same one as long as it is ready."""

    def __init__(self, api: ClusterApi, pod: Pod) -> None:
        self._api = api
        self._pod = pod
        self._uid = ""
        self._known: dict[tuple[str, str, str], bool] = {}
        """Whether a container of a pod (by uid) has a program."""
        self._called = f"a pod with {pod.selector or 'any label'} in {pod.namespace}"

    @property
    def name(self) -> str:
        """``kubectl exec POD -n NAMESPACE -c CONTAINER at CLUSTER``, once it is chosen; with the
        ephemeral container that was put there, if one was.
        """
        return f"kubectl exec {self._called} at {self._api.cluster_id}"

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        """Start *argv*. Raises VantageUnreachable (``pod-absent``, ``pod-not-ready``,
        ``container-absent``, ``container-not-running``, ``forbidden``, ``exec-refused``,
        ``debug-image``, and the API's own), Unobserved (``forbidden``) where pods may not be listed,
        or DeadlinePassed.
        """
        end = monotonic() + timeout_s
        started = self._started(argv, end)
        if not isinstance(started, PodStream) and started.status == 404:
            self._api.forget()  # it has gone since it was listed
            started = self._started(argv, end)
        if isinstance(started, PodStream):
            return started
        raise self._refused(started)

    def close(self) -> None:
        """Nothing is shared by the channels."""

    def _started(self, argv: Sequence[str], end: float) -> PodStream | Answer:
        pod = self._chosen(end)
        container = self._container(pod)
        if self._pod.debug_image:
            has = self._has(pod, container, argv[0], end)
            if not isinstance(has, bool):
                return has
            if not has:
                container = self._beside(pod, container, argv[0], end)
        return self._stream(pod, container, argv, end)

    def _chosen(self, end: float) -> Mapping[str, Any]:
        """The pod to use. Raises VantageUnreachable."""
        path = f"/api/v1/namespaces/{self._pod.namespace}/pods"
        pods = self._api.list(path, selector=self._pod.selector, timeout_s=end - monotonic())
        fit = choice.on(pods, self._pod.node)
        found = choice.chosen(fit, uid=self._uid)
        if found is None and fit:
            raise self._unreachable("pod-not-ready", f"none is ready: {choice.why_not(fit)}")
        if found is None:
            where = f" on the node {self._pod.node}" if self._pod.node else ""
            others = f" ({len(pods)} elsewhere)" if pods else ""
            raise self._unreachable("pod-absent", f"there is none{where}{others}")
        self._uid = choice.uid_of(found)
        return found

    def _container(self, pod: Mapping[str, Any]) -> str:
        """The container to use. Raises VantageUnreachable."""
        container = choice.container_of(pod, self._pod.container)
        self._called = f"{choice.name_of(pod)} -n {self._pod.namespace} -c {container}"
        if container is None:
            self._called = f"{choice.name_of(pod)} -n {self._pod.namespace}"
            raise self._unreachable(
                "container-absent",
                f"it has no container {self._pod.container!r}, but {choice.containers(pod)}",
            )
        if not choice.running(pod, container):
            why = choice.halted(choice.status_of(pod, container)) or "it is not said why"
            raise self._unreachable("container-not-running", f"its container does not run: {why}")
        return container

    def _has(
        self, pod: Mapping[str, Any], container: str, program: str, end: float
    ) -> bool | Answer:
        """Whether the container has *program*, as a run of it tells."""
        key = (choice.uid_of(pod), container, program)
        if key not in self._known:
            tried = self._stream(pod, container, (program, "--version"), end)
            if not isinstance(tried, PodStream):
                return tried
            try:
                while tried.receive(timeout_s=end - monotonic()):
                    pass
                self._known[key] = not tried.absent
            finally:
                tried.close()
        return self._known[key]

    def _beside(self, pod: Mapping[str, Any], container: str, python: str, end: float) -> str:
        """An ephemeral container of the debug image."""
        image = self._pod.debug_image
        called = debug.attendant(
            self._api,
            self._path(pod),
            beside=container,
            image=image,
            python=python,
            name=self.name,
            end=end,
        )
        self._called = (
            f"{choice.name_of(pod)} -n {self._pod.namespace} -c {called} (an ephemeral container of "
            f"{image} beside {container}: it ends by itself, and stays in the pod's description)"
        )
        return called

    def _stream(
        self, pod: Mapping[str, Any], container: str, argv: Sequence[str], end: float
    ) -> PodStream | Answer:
        return open_stream(
            self._api,
            self._path(pod),
            container=container,
            argv=argv,
            name=self.name,
            end=end,
            after=lambda: self._became(pod, container),
        )

    def _became(self, pod: Mapping[str, Any], container: str) -> str:
        """What has become of the pod since it was chosen, in words; empty if nothing has."""
        end, words = monotonic() + DYING_S, ""
        while not words and monotonic() < end:
            try:
                answer = self._api.get(self._path(pod), timeout_s=end - monotonic())
            except Unobserved:
                return "(the API does not say why)"
            if answer.good or answer.status == 404:
                words = choice.become(pod, answer.body if answer.good else None, container)
            if not words:
                self._api.pause(min(LOOK_AGAIN_S, end - monotonic()))
        return words

    def _path(self, pod: Mapping[str, Any]) -> str:
        return f"/api/v1/namespaces/{self._pod.namespace}/pods/{choice.name_of(pod)}"

    def _refused(self, said: Answer) -> VantageUnreachable:
        if said.status == 403:
            path = f"/api/v1/namespaces/{self._pod.namespace}/pods/x/exec"
            right = rbac.right(path, "create", "get")  # get before Kubernetes 1.35, then create too
            why = f"{said.message}: it takes {right}: {right.cure}"
            return self._unreachable("forbidden", why)
        reason = {404: "pod-absent", 400: "container-absent"}.get(said.status, "exec-refused")
        return self._unreachable(reason, said.message)

    def _unreachable(self, reason: str, why: str) -> VantageUnreachable:
        return VantageUnreachable(f"{self.name}: {why}", reason=reason, vantage=self.name)
