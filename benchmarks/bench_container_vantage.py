"""How long does an assertion take in a container? 200 in one batch, beside `docker exec` a command
in the same run.

Wanted: at most 2 ms each in a batch. Run as root: python -m benchmarks.bench_container_vantage
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pytest_v6probe.actions.actor import open_actor
from pytest_v6probe.agent import wire
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.session import Settings, open_session

BATCH, ROUNDS, PEER_ROUNDS = 200, 9, 9
FILE = "/proc/net/if_inet6"


def main() -> None:
    keeper = bring_up(
        "docker-one", name=f"bench-{uuid.uuid4().hex[:8]}", guardian_pid=os.getpid(), timeout_s=90
    )
    with TemporaryDirectory() as folder:
        file = Path(folder, "lab.toml")
        file.write_text(keeper.request({"do": "wait", "timeout_s": 30})[0]["inventory"])
        session = open_session(Settings(lab_name="", guardian_pid=0, environment=file))
        (web,) = [
            host.id
            for host in session.inventory.hosts
            if host.container and not host.container.helper_image
        ]
        vantage = session.vantage(web)
        host = session.vantage(session.inventory.dockers[0].host)
        actor = open_actor(host.management().transport)
        command = ("/usr/bin/docker", "exec", vantage.container.name, "cat", FILE)
        operations = [wire.read(FILE)] * BATCH

        def ours() -> None:
            for reply in vantage.agent.run(operations):
                assert b"eth0" in wire.files(reply)[FILE]

        def peer() -> None:
            assert b"eth0" in actor.run(command, timeout_s=30).output

        batch = timed(ours, rounds=ROUNDS) / BATCH
        exec_s = timed(peer, rounds=PEER_ROUNDS)
        actor.close()
        session.close()
    keeper.request({"do": "down"})
    print(f"v6probe, {BATCH} in one batch   {1000 * batch:8.3f} ms each   (wanted: 2)")
    print(f"docker exec cat             {1000 * exec_s:8.3f} ms each")
    print(f"ratio: {exec_s / batch:.0f}")


def timed(act: Callable[[], object], *, rounds: int) -> float:
    act()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return median(taken)


if __name__ == "__main__":
    main()
