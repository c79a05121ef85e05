"""What does the plugin cost a pytest run that has nothing to do with it? With and without it, in
turns; limit 15 ms.

Run: python -m benchmarks.bench_plugin_tax
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.lab.runs import PYTEST, ROOT

LIMIT_MS = 15.0
SOURCE = "import pytest\n" + "\n".join(
    f"def test_{number}(tmp_path_factory): pass" for number in range(20)
)


def run_ms(folder: Path, *, plugin: bool) -> float:
    """The user and system time of one run, in milliseconds: other load on the machine does not
    count.

    Compiled modules are kept, as on any user's machine, but in *folder*.
    """
    chosen = ("-p", "pytest_v6probe.plugin") if plugin else ()
    argv = (*PYTEST, "-p", "no:v6probe", *chosen, "test_other.py")
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"pytest ended with status {os.waitstatus_to_exitcode(status)}")
    return 1000 * (used.ru_utime + used.ru_stime)


def main() -> int:
    """Print medians and the difference; exit status 1 above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=21)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_other.py").write_text(SOURCE, encoding="utf-8")
        for plugin in (True, False):
            run_ms(Path(folder), plugin=plugin)  # writes the compiled modules
        began = time.monotonic()
        measured = [
            (run_ms(Path(folder), plugin=False), run_ms(Path(folder), plugin=True))
            for _ in range(pairs)
        ]
    without, with_it = (statistics.median(column) for column in zip(*measured, strict=True))
    tax = statistics.median(after - before for before, after in measured)
    print(
        f"without {without:.1f} ms, with {with_it:.1f} ms, ratio {with_it / without:.3f}, tax {tax:.1f} ms "
        f"(median of {pairs} pairs in {time.monotonic() - began:.0f} s; limit {LIMIT_MS:.0f} ms)"
    )
    return 0 if tax <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
