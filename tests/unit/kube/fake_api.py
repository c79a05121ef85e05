"""What does a probe list of a cluster? An API that says what it is told to, and remembers the paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pytest_v6probe.cluster import Cluster

if TYPE_CHECKING:
    from pytest_v6probe.inventory import kube
    from pytest_v6probe.result import Finding
    from pytest_v6probe.transport.pod.api import ClusterApi


class Api:
    """*said* is by the last word of the path: ``nodes``, ``services``, ``endpointslices``."""

    def __init__(self, **said: tuple[dict[str, Any], ...]) -> None:
        self.said = said
        self.asked: list[str] = []

    def list(self, path: str, *, selector: str = "", timeout_s: float) -> tuple[Any, ...]:
        assert (selector, timeout_s) == ("", 10.0)
        self.asked.append(path)
        return self.said[path.rpartition("/")[2]]


def cluster(spec: kube.Cluster, api: Api, witnessed: list[Finding] | None = None) -> Cluster:
    """The handle on a cluster that *api* answers for."""
    told: list[Finding] = [] if witnessed is None else witnessed
    return Cluster(spec=spec, open_api=lambda: cast("ClusterApi", api), witness=told.append)
