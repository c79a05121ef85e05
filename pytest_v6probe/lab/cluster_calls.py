"""How is the API of a lab's cluster asked, and waited for? As its administrator, from a step of a fault."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.clouds.cluster_network import CONTROL_NAME
from pytest_v6probe.lab.daemons import cluster_contents, supervised
from pytest_v6probe.lab.daemons.cluster_client import is_ready
from pytest_v6probe.lab.loop import pause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_v6probe.lab.daemon import Daemon
    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab

ASK = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=2).read().decode())"
EFFECT_S = 60.0
ASK_AGAIN_S = 0.2
NAMESPACES = "/api/v1/namespaces"


def asked(
    lab: Lab, region: str, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Task[Any]:
    """What the API of the cluster in *region* answers its administrator. Raises LabError for a
    refusal.
    """
    told = cluster_contents.home(contents(lab, region).name) / cluster_contents.TOLD
    node = f"{region}/{CONTROL_NAME}"
    given = "" if body is None else json.dumps(body)
    yield from lab.run(node, *supervised.client("ask", str(told), method, path), stdin=given)
    return json.loads(written(node))


def page(url: str) -> tuple[str, ...]:
    """A command line that writes what is at *url*."""
    return (sys.executable, "-I", "-S", "-c", ASK, url)


def written(node: str) -> str:
    """What the command that ran last in *node* wrote."""
    return (anchor.directory(node) / "output").read_text(encoding="utf-8")


def seen(lab: Lab, region: str, path: str, wanted: Callable[[Any], bool]) -> Task[Any]:
    """What is at *path* of the API in *region*, once it is as *wanted*. Raises LabError."""
    until = time.monotonic() + EFFECT_S
    while not wanted(found := (yield from asked(lab, region, "GET", path))):
        if time.monotonic() > until:
            raise LabError(
                f"{path} is not as it is to be within {EFFECT_S:g} s: {str(found)[-500:]}"
            )
        yield from pause(ASK_AGAIN_S)
    return found


def renewed(lab: Lab, region: str, namespace: str, selector: str, *, node: str = "") -> Task[None]:
    """Delete the pods that *selector* fits, on *node* if one is given, and wait until as many others
    are ready. Raises LabError.
    """
    path = f"{NAMESPACES}/{namespace}/pods?labelSelector={selector.replace('=', '%3D')}"
    path += f"&fieldSelector=spec.nodeName%3D{node}" if node else ""
    before = yield from asked(lab, region, "GET", path)
    old = {pod["metadata"]["uid"] for pod in before["items"]}
    yield from asked(lab, region, "DELETE", path)

    def all_new(now: Mapping[str, Any]) -> bool:
        pods = now["items"]
        uids = {pod["metadata"]["uid"] for pod in pods}
        return len(pods) == len(old) and not uids & old and all(map(is_ready, pods))

    yield from seen(lab, region, path, all_new)


def contents(lab: Lab, region: str) -> Daemon:
    """What fills the cluster of *region*: it answers once all there is as it is to be."""
    return lab.shape.daemon(f"{region}/{CONTROL_NAME}/contents")
