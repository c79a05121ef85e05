"""Which cluster does a question go to? A handle on its API that hands back findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_v6probe.result import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_v6probe.inventory import kube
    from pytest_v6probe.transport.pod.api import ClusterApi

F = TypeVar("F", bound=Finding)
Lists = dict[str, tuple[dict[str, Any], ...]]
"""Objects of Kubernetes, as the API gives them, by the word that they were asked under."""


@dataclass(slots=True, kw_only=True, eq=False)
class Cluster:
    """A Kubernetes cluster, as the inventory's *spec* says. Connects when it is first asked.

    *open_api* opens its API (raises Unobserved); *witness* is told every finding, in order.
    Actions are allowed where *disruptive* is; each call of the API takes at most *timeout_s*
    seconds.
    """

    spec: kube.Cluster
    open_api: Callable[[], ClusterApi] = field(repr=False)
    witness: Callable[[Finding], None] = field(default=lambda _: None, repr=False)
    disruptive: bool = False
    timeout_s: float = 10.0
    _api: ClusterApi | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        """The cluster's id, ``region/name``."""
        return self.spec.id

    @property
    def api(self) -> ClusterApi:
        """Its API, opened on first use. Raises Unobserved if it cannot be."""
        if self._api is None:
            self._api = self.open_api()
        return self._api

    def ask(self, paths: Mapping[str, str], judge: Callable[[Lists], F]) -> F:
        """List the objects behind each of *paths*, and judge them all. Raises Unobserved, with the
        verb of RBAC that lacks where the account may not list them.
        """
        finding = judge(
            {word: self.api.list(path, timeout_s=self.timeout_s) for word, path in paths.items()}
        )
        self.witness(finding)
        return finding

    def close(self) -> None:
        """Close the API's connections."""
        if self._api is not None:
            self._api.close()
            self._api = None
