"""What fills the cluster of a shape of lab?"""

from __future__ import annotations

from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.daemons.cluster_contents import ClusterContents


def contents(kind: str) -> ClusterContents:
    shape = shapes.shape(kind, name="test")
    found = shape.daemon(f"{PLANS[kind].region}/control/contents")
    assert isinstance(found, ClusterContents)
    return found
