"""Why can an API that is played not be opened?"""

from __future__ import annotations

import re
from typing import Any

import pytest

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory.kube import Cluster
from pytest_v6probe.transport.pod.api import open_api
from tests.unit.transport.pod.played import TOKEN


def failure(
    spec: Cluster, *, timeout_s: float = 5.0, **kwargs: Any
) -> tuple[type[Unobserved], str, str]:
    """The kind of error, its reason, and its message: which has the file, the context, no secret."""
    with pytest.raises(Unobserved) as caught:
        open_api(spec, timeout_s=timeout_s, **kwargs)
    why = caught.value
    assert TOKEN not in str(why)
    assert re.match(r"(cluster here/prod \()?kubeconfig \S+/kubeconfig, context own", str(why))
    return type(why), why.reason, str(why)
