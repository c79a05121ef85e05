"""Does the README tell the truth: is its test command CI's, and are its options the plugin's?"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    return [
        line
        for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
        for line in block.splitlines()
    ]


def test_ci_runs_the_second_command_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    does = [line for line in lines if line and not line.startswith(("#", "set -", "cd "))]
    assert does == [commands()[1]]


def test_every_option_of_the_plugin_stands_in_the_readme():
    plugin = (ROOT / "pytest_v6probe" / "plugin.py").read_text(encoding="utf-8")
    assert set(re.findall(r"--v6-[a-z]+", plugin)) == set(re.findall(r"--v6-[a-z]+", README))


def test_every_link_in_the_documents_leads_somewhere():
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    dead = [
        (document.name, link)
        for document in documents
        for link in re.findall(r"\]\(((?!https?:|#)[^)#]+)", document.read_text(encoding="utf-8"))
        if not (document.parent / link).exists()
    ]
    assert dead == []
