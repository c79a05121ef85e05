"""How long until a cluster of two nodes is up, and how much memory does it hold? Beside the lab "aws",
which has no cluster.

Wanted: the API ready after 6 s, all up and CoreDNS answering after 15 s, 1.5 GB at most. Run as
root: python -m benchmarks.bench_cluster_up [TIMES]
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from pytest_v6probe.lab import anchor, names, shapes
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.daemons import supervised
from pytest_v6probe.lab.daemons.kube_proxy import KubeProxy
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.transport.netns import Keeper
from pytest_v6probe.wait import eventually
from tests.lab import runs

KIND, PEER = "kind", "aws"
UP_S = 90.0


def server() -> str:
    """The URL of the API server of the lab."""
    daemon = shapes.shape(KIND, name="bench").daemon(f"{PLANS[KIND].node('node-1')}/kube-proxy")
    assert isinstance(daemon, KubeProxy)
    return daemon.server


def until_serving(name: str, url: str) -> float:
    """When the API server behind *url* serves, in the lab *name* that is just coming up."""
    control = PLANS[KIND].node("control")
    eventually(names.mine, until=lambda labs: name in labs, within_s=UP_S, every_s=0.02)
    with closing(Keeper.connect(name)) as at:
        eventually(
            lambda: at.request({"do": "status"})[0]["nodes"],
            until=lambda nodes: control in nodes,
            within_s=UP_S,
            every_s=0.02,
        )
        program = supervised.client("wait", url, anchor.AUTHORITY)
        runs.said(at, control, "sh", "-c", '"$@"; echo serves', "sh", *program, within_s=UP_S)
    return time.monotonic()


def proportional_mb(pid: int) -> float:
    """Memory of *pid* and of all that descends from it: each page shared out among who has it."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = int(rollup.partition("\nPss:")[2].split()[0]) / 1024
    return own + sum(proportional_mb(int(child)) for child in children)


def one(shape: str) -> tuple[float, float, float]:
    """Seconds until the API serves (of a cluster) and until all is up, and the memory in MB."""
    name, url = f"bench-{uuid.uuid4().hex[:8]}", server()
    with ThreadPoolExecutor(1) as beside:
        began = time.monotonic()
        serving = beside.submit(until_serving, name, url) if shape == KIND else None
        keeper = bring_up(shape, name=name, guardian_pid=os.getpid(), timeout_s=UP_S)
        up_s = time.monotonic() - began
        with closing(keeper):
            serves_s = serving.result() - began if serving else 0.0
            memory_mb = proportional_mb(names.keeper_pid(name))
            keeper.request({"do": "down"})
    return serves_s, up_s, memory_mb


def main(times: int) -> None:
    pairs = [(one(KIND), one(PEER)) for _ in range(times)]
    clusters, peers = zip(*pairs, strict=True)
    serves_s, up_s, memory_mb = map(statistics.median, zip(*clusters, strict=True))
    _, peer_s, peer_mb = map(statistics.median, zip(*peers, strict=True))
    print(f"{KIND}, two nodes, {os.cpu_count()} cores, medians of {times}")
    print(f"  {'the API serves after':<28}{serves_s:8.2f} s    (wanted: 6)")
    print(f"  {'up after':<28}{up_s:8.2f} s    (wanted: 15)   {PEER}: {peer_s:.2f} s")
    print(f"  {'memory':<28}{memory_mb:8.0f} MB   (wanted: 1536) {PEER}: {peer_mb:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
