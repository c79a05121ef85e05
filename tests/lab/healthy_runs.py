"""Is a healthy lab green every time? `python -m tests.lab.healthy_runs 20` says, and stops at the
first that is not.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main(times: int) -> int:
    """Run the main job *times* times, each on a lab of its own; the exit status of the first run
    that is not green.
    """
    for number in range(1, times + 1):
        argv = (
            sys.executable,
            "-m",
            "pytest",
            "scenarios/aws_ipv6_only.py",
            "-q",
            "-p",
            "no:cacheprovider",
        )
        ran = subprocess.run(
            argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
        )
        print(f"{number:3}  {ran.stdout.strip().splitlines()[-1]}", flush=True)
        if ran.returncode != 0:
            print(ran.stdout, ran.stderr, sep="\n")
            return ran.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
