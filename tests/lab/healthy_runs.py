"""Is a healthy lab green every time? `python -m tests.lab.healthy_runs 20 SCENARIO …` says, and
stops at the first that is not.
"""

from __future__ import annotations

import subprocess
import sys

from tests.lab.runs import PYTEST, ROOT


def main(times: int, scenarios: list[str]) -> int:
    """Run *scenarios*, disruptive tests as well, *times* times, each on a lab of its own; the exit status of the first run
    that is not green.
    """
    for number in range(1, times + 1):
        argv = (*PYTEST, *scenarios, "--v6-disruptive")
        ran = subprocess.run(
            argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
        )
        print(f"{number:3}  {ran.stdout.strip().splitlines()[-1]}", flush=True)
        if ran.returncode != 0:
            print(ran.stdout, ran.stderr, sep="\n")
            return ran.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:] or ["scenarios"]))
