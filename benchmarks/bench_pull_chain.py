"""How long does it take to walk the pull of a 12-layer image, beside a real pull by Docker Engine in
the same run?

Wanted: at most a fifth. Run as root: python -m benchmarks.bench_pull_chain
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from benchmarks.timed import timed
from pytest_v6probe import Image, Vantage, pull_chain
from pytest_v6probe.session import Settings, open_session
from tests.lab import matrix

ROUNDS, WANTED = 6, 5
OWN = "docker-registry.example.com:5000/"


def main() -> None:
    with matrix.lab("registry") as (_, environment):
        settings = Settings(lab_name="", guardian_pid=0, environment=environment)
        with closing(open_session(settings)) as session:
            (own,) = [i for i in session.inventory.images if i.reference.startswith(OWN)]
            image = replace(own, reference=f"{OWN}twelve:latest")
            for docker in session.inventory.dockers:
                compare(session.vantage(docker.host), image)


def compare(host: Vantage, image: Image) -> None:
    first = pull_chain(host, image)
    assert (first.verdict, len(first.layers)) == ("complete", 12)

    def walk() -> None:
        assert pull_chain(host, image) == first

    def pull() -> None:
        assert host.engine.pull(image.reference).error == ""

    walked = timed(walk, rounds=ROUNDS)
    pulled = timed(
        pull, rounds=ROUNDS, afterwards=lambda: host.engine.remove_image(image.reference)
    )
    print(f"12 layers of programs and text, {first.total_bytes / 1e6:.1f} MB compressed")
    print(f"pull_chain of 12 layers from {host.name:20} {1000 * walked:8.1f} ms")
    print(f"docker pull, engine of API {host.engine.api_version:22} {1000 * pulled:8.1f} ms")
    print(f"ratio: {pulled / walked:.1f}   (wanted: {WANTED})")


if __name__ == "__main__":
    main()
