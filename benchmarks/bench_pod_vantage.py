"""How long does an assertion take in a pod? 200 in one batch, beside `kubectl exec` a command in the
same run; and how long until the first one, in a pod with python3 and in one without.

Wanted: at most 2 ms each in a batch. Run as root: python -m benchmarks.bench_pod_vantage
"""

from __future__ import annotations

import time
from contextlib import closing

from benchmarks.timed import timed
from pytest_v6probe.actions.actor import open_actor
from pytest_v6probe.agent import wire
from pytest_v6probe.lab import install
from pytest_v6probe.lab.clouds import clusters
from pytest_v6probe.lab.daemons import cluster_contents
from pytest_v6probe.session import Settings, V6Session, open_session
from pytest_v6probe.transport.netns import Keeper, NamespaceTransport
from tests.lab import matrix

SHAPE = "kind"
BATCH, ROUNDS, PEER_ROUNDS = 200, 9, 9
FILE = "/proc/net/if_inet6"


def main() -> None:
    with matrix.lab(SHAPE) as (keeper, environment):
        settings = Settings(lab_name="", guardian_pid=0, environment=environment, timeout_s=60)
        with closing(open_session(settings)) as session:
            web, plain = first_answers(session)
            batch, exec_s = compare(session, keeper)
    print(f"v6probe, {BATCH} in one batch   {1000 * batch:8.3f} ms each   (wanted: 2)")
    print(f"kubectl exec cat            {1000 * exec_s:8.3f} ms each")
    print(f"ratio: {exec_s / batch:.0f}")
    print(f"first answer, the cluster's API included        {web:6.2f} s")
    print(f"first answer, an ephemeral container included   {plain:6.2f} s")


def first_answers(session: V6Session) -> tuple[float, float]:
    """Seconds until the first answer from a pod with python3, and then from one without."""
    taken = []
    for name in (pod(session, debug=False), pod(session, debug=True)):
        begun = time.perf_counter()
        session.vantage(name).agent.run([wire.read(FILE)])
        taken.append(time.perf_counter() - begun)
    return taken[0], taken[1]


def pod(session: V6Session, *, debug: bool) -> str:
    """The id of the first pod that has python3 itself, or of the first that has not."""
    return next(
        host.id
        for host in session.inventory.hosts
        if host.pod is not None and bool(host.pod.debug_image) == debug
    )


def compare(session: V6Session, keeper: Keeper) -> tuple[float, float]:
    """Seconds for one assertion of a batch, and for one `kubectl exec`."""
    vantage = session.vantage(pod(session, debug=False))
    operations = [wire.read(FILE)] * BATCH
    control = clusters.PLANS[SHAPE].node("control")
    config = cluster_contents.home(f"{control}/contents") / cluster_contents.CONFIG
    kubectl = install.directory("kubernetes") / "kubectl"
    command = (str(kubectl), f"--kubeconfig={config}", "exec", "deploy/web", "--", "cat", FILE)

    def ours() -> None:
        for reply in vantage.agent.run(operations):
            assert b"eth0" in wire.files(reply)[FILE]

    with closing(open_actor(NamespaceTransport(keeper, control))) as actor:

        def peer() -> None:
            assert b"eth0" in actor.run(command, timeout_s=30).output

        return timed(ours, rounds=ROUNDS) / BATCH, timed(peer, rounds=PEER_ROUNDS)


if __name__ == "__main__":
    main()
