"""How long does it take to walk the pull of a 12-layer image, beside a real pull by Docker Engine in
the same run?

Wanted: at most a fifth. Run as root: python -m benchmarks.bench_pull_chain
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pytest_v6probe import Image, Vantage, pull_chain
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.session import Settings, open_session

ROUNDS, WANTED = 7, 5
OWN = "docker-registry.example.com:5000/"


def main() -> None:
    keeper = bring_up(
        "registry", name=f"bench-{uuid.uuid4().hex[:8]}", guardian_pid=os.getpid(), timeout_s=90
    )
    with TemporaryDirectory() as folder:
        file = Path(folder, "lab.toml")
        file.write_text(keeper.request({"do": "wait", "timeout_s": 30})[0]["inventory"])
        session = open_session(Settings(lab_name="", guardian_pid=0, environment=file))
        (own,) = [image for image in session.inventory.images if image.reference.startswith(OWN)]
        image = replace(own, reference=f"{OWN}twelve:latest")
        for docker in session.inventory.dockers:
            compare(session.vantage(docker.host), image)
        session.close()
    keeper.request({"do": "down"})


def compare(host: Vantage, image: Image) -> None:
    def walk() -> None:
        chain = pull_chain(host, image)
        assert (chain.verdict, len(chain.layers)) == ("complete", 12)

    def pull() -> None:
        assert host.engine.pull(image.reference).error == ""

    walked = timed(walk)
    pulled = timed(pull, afterwards=lambda: host.engine.remove_image(image.reference))
    print(f"pull_chain of 12 layers from {host.name:20} {1000 * walked:8.1f} ms")
    print(f"docker pull, engine of API {host.engine.api_version:22} {1000 * pulled:8.1f} ms")
    print(f"ratio: {pulled / walked:.1f}   (wanted: {WANTED})")


def timed(act: Callable[[], object], *, afterwards: Callable[[], object] = lambda: None) -> float:
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
        afterwards()
    return median(taken[1:])


if __name__ == "__main__":
    main()
