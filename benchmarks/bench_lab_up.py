"""How long until a lab is up, and a fault broken and mended? Medians, with the phases of the
bring-up, beside the time that iproute2 alone takes for one link whose addresses are usable.

python -m benchmarks.bench_lab_up [TIMES [aws | docker-one]]
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import uuid

from pytest_v6probe.lab.faults import FAULTS
from pytest_v6probe.lab.up import bring_up

TARGET_S = {"aws": 3.0, "docker-one": 8.0}
BY_HAND = """
ip link add name veth0 type veth peer name veth1; ip link set veth0 up; ip link set veth1 up
ip address add 2001:db8::1/64 dev veth0
while ip -6 address show tentative | grep -q inet6; do sleep 0.02; done
"""
"""One link by iproute2: what duplicate address detection costs whoever waits for it."""


def one(shape: str) -> tuple[float, dict[str, float], float]:
    """Seconds to up, the phases, and seconds until a lab that is told to go down has answered."""
    began = time.monotonic()
    keeper = bring_up(
        shape, name=f"bench-{uuid.uuid4().hex[:8]}", guardian_pid=os.getpid(), timeout_s=90
    )
    up_s = time.monotonic() - began
    phases = keeper.request({"do": "status"})[0]["phases"]
    began = time.monotonic()
    keeper.request({"do": "down"})
    keeper.close()
    return up_s, phases, time.monotonic() - began


def by_hand() -> float:
    """Seconds until the addresses of one link, made by iproute2 in a namespace, are usable."""
    began = time.monotonic()
    subprocess.run(("unshare", "--net", "sh", "-c", BY_HAND), check=True, timeout=30)
    return time.monotonic() - began


def faults(shape: str) -> dict[str, list[float]]:
    """Seconds to break and to mend, of every fault, on one lab."""
    keeper = bring_up(
        shape, name=f"bench-{uuid.uuid4().hex[:8]}", guardian_pid=os.getpid(), timeout_s=90
    )
    took = {}
    for name in (fault.name for fault in FAULTS.values() if fault.shape == shape):
        clock = [time.monotonic()]
        for verb in ("break", "mend"):
            keeper.request({"do": verb, "fault": name}, timeout_s=30)
            clock.append(time.monotonic())
        took[name] = [round(clock[1] - clock[0], 3), round(clock[2] - clock[1], 3)]
    keeper.request({"do": "down"})
    keeper.close()
    return took


def main(times: int, shape: str) -> int:
    """Print one JSON object; the exit status says whether the median is within the target."""
    runs, links = [], []
    for _ in range(times):
        runs.append(one(shape))
        links.append(by_hand())
    median_s = statistics.median(run[0] for run in runs)
    phases = {phase: statistics.median(run[1][phase] for run in runs) for phase in runs[0][1]}
    said = {
        "machine": {
            "cpus": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "shape": shape,
        "runs": times,
        "up_s": {
            "median": round(median_s, 3),
            "most": round(max(run[0] for run in runs), 3),
            "target": TARGET_S[shape],
        },
        "one_link_by_hand_s": round(statistics.median(links), 3),
        "ratio": round(median_s / statistics.median(links), 2),
        "phases_done_after_s": phases,
        "down_answered_s": round(statistics.median(run[2] for run in runs), 3),
        "faults_break_and_mend_s": faults(shape),
    }
    print(json.dumps(said, indent=2))
    return 0 if median_s <= TARGET_S[shape] else 1


if __name__ == "__main__":
    times, shape, *_ = [*sys.argv[1:], *("5", "aws")[len(sys.argv) - 1 :]]
    sys.exit(main(int(times), shape))
