"""Does the README's first command do what it says, in a copy of this tree without anything installed?"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE_HERE = shutil.ignore_patterns(".git", ".venv", ".tox", ".*_cache", "__pycache__", ".coverage*")


def test_the_first_command_installs_all_and_runs_the_main_job(tmp_path: Path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)[0]
    shutil.copytree(ROOT, tmp_path / "clone", ignore=MADE_HERE)
    ran = subprocess.run(
        ("bash", "-c", command),
        cwd=tmp_path / "clone", capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
    assert re.search(r"=+ \d+ passed in [\d.]+s =+\n\Z", ran.stdout), ran.stdout[-2000:]
