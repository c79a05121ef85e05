"""What is seen of a lab with a cluster, from inside the lab and past everything under test?"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import LabError, Unobserved
from pytest_v6probe.lab import install
from pytest_v6probe.lab.clouds import clusters
from pytest_v6probe.lab.daemons import cluster_contents
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.transport.netns import Keeper
from tests.lab import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.lab.clouds.cluster_plan import Plan

LOOK_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLab:
    """A lab of one of `clusters.PLANS` that is up, seen by its keeper."""

    keeper: Keeper
    plan: Plan

    def get(self, *words: str) -> list[dict[str, Any]]:
        """The objects that ``kubectl get`` finds for *words*."""
        said = self.kubectl("get", "--output=json", *words)
        return list(json.loads(said)["items"])

    def kubectl(self, *words: str) -> str:
        """What kubectl writes, as the cluster's administrator."""
        control = self.plan.node("control")
        config = cluster_contents.home(f"{control}/contents") / cluster_contents.CONFIG
        program = install.directory("kubernetes") / "kubectl"
        return self.said("control", str(program), f"--kubeconfig={config}", *words)

    def said(self, node: str, *argv: str) -> str:
        """What *argv* writes, run by root in *node* of the region."""
        return runs.said(self.keeper, self.plan.node(node), *argv, within_s=LOOK_S)


@contextmanager
def cluster_lab(shape: str, name: str = "") -> Iterator[ClusterLab]:
    """A lab of *shape* that is this process's own."""
    keeper = bring_up(
        shape, name=name or f"v6probe-cluster-{uuid.uuid4().hex[:8]}", guardian_pid=os.getpid()
    )
    with closing(keeper):
        try:
            yield ClusterLab(keeper=keeper, plan=clusters.PLANS[shape])
        finally:
            with suppress(LabError, Unobserved):  # where it has been killed
                keeper.request({"do": "down"})
