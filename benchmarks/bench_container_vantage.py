"""How long does an assertion take in a container? 200 in one batch, beside `docker exec` a command
in the same run.

Wanted: at most 2 ms each in a batch. Run as root: python -m benchmarks.bench_container_vantage
"""

from __future__ import annotations

from contextlib import closing

from benchmarks.timed import timed
from pytest_v6probe.actions.actor import open_actor
from pytest_v6probe.agent import wire
from pytest_v6probe.session import Settings, V6Session, open_session
from tests.lab import matrix

BATCH, ROUNDS, PEER_ROUNDS = 200, 9, 9
FILE = "/proc/net/if_inet6"


def main() -> None:
    with matrix.lab("docker-one") as (_, environment):
        settings = Settings(lab_name="", guardian_pid=0, environment=environment)
        with closing(open_session(settings)) as session:
            batch, exec_s = compare(session)
    print(f"v6probe, {BATCH} in one batch   {1000 * batch:8.3f} ms each   (wanted: 2)")
    print(f"docker exec cat             {1000 * exec_s:8.3f} ms each")
    print(f"ratio: {exec_s / batch:.0f}")


def compare(session: V6Session) -> tuple[float, float]:
    """Seconds for one assertion of a batch, and for one `docker exec`."""
    (web,) = [
        host.id
        for host in session.inventory.hosts
        if host.container and not host.container.helper_image
    ]
    vantage = session.vantage(web)
    host = session.vantage(session.inventory.dockers[0].host)
    command = ("/usr/bin/docker", "exec", vantage.container.name, "cat", FILE)
    operations = [wire.read(FILE)] * BATCH

    def ours() -> None:
        for reply in vantage.agent.run(operations):
            assert b"eth0" in wire.files(reply)[FILE]

    with closing(open_actor(host.management().transport)) as actor:

        def peer() -> None:
            assert b"eth0" in actor.run(command, timeout_s=30).output

        return timed(ours, rounds=ROUNDS) / BATCH, timed(peer, rounds=PEER_ROUNDS)


if __name__ == "__main__":
    main()
