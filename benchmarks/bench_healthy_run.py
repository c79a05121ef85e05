"""How long does the main job take, lab included? Beside it, in turns: the lab alone, and pytest alone.

Run: python -m benchmarks.bench_healthy_run [TIMES]
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
import uuid

from pytest_v6probe.lab.up import bring_up
from tests.lab.runs import PYTEST, ROOT

TARGET_S = 8.0


def run_s(*options: str) -> tuple[float, str]:
    """Seconds of one whole pytest process on the main job, and its last line."""
    began = time.monotonic()
    ran = subprocess.run(
        (*PYTEST, "scenarios/aws_ipv6_only.py", *options),
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return time.monotonic() - began, ran.stdout.strip().splitlines()[-1]


def lab_s() -> float:
    """Seconds until a lab is up."""
    began = time.monotonic()
    keeper = bring_up(name=f"bench-{uuid.uuid4().hex[:8]}", guardian_pid=os.getpid())
    took_s = time.monotonic() - began
    keeper.request({"do": "down"})
    keeper.close()
    return took_s


def main(times: int) -> None:
    """Print the medians, and what a test costs beyond the lab and pytest itself."""
    whole, labs, bare, said = [], [], [], ""
    for _ in range(times):
        took_s, said = run_s()
        whole.append(took_s)
        labs.append(lab_s())
        bare.append(run_s("--collect-only")[0])
    run, lab, collect = (statistics.median(values) for values in (whole, labs, bare))
    tests = int(re.findall(r"(\d+) passed", said)[0])
    print(f"main job, lab included  {run:.2f} s   (wanted: {TARGET_S:g})   {said}")
    print(f"the lab alone           {lab:.2f} s")
    print(f"pytest, collecting      {collect:.2f} s")
    print(f"a test                  {1000 * (run - lab - collect) / tests:.0f} ms")
    print(f"ratio: {run / (lab + collect):.2f} of lab and pytest alone")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
