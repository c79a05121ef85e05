"""Runs of pytest inside tests: an inventory of this very machine, reached without any network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INVENTORY = """
[environment]
name = "here"
cloud = "aws"

[[host]]
name = "web-1"
region = "us-east-1"
local = true
resource_name = "i-1.ec2.internal"

[[host]]
name = "web-1"
region = "us-west-2"
local = true

[[host]]
name = "task-1"
region = "us-east-1"
role = "nested"
behind = "web-1"
local = true

[[site]]
url = "http://v4.example/"
families = ["ipv4"]

[[site]]
url = "http://both.example/"
families = ["ipv6", "ipv4"]
region = "us-west-2"
"""

WITHOUT = ("-pno:cacheprovider", "-pno:hypothesispytest", "-pno:anyio")
"""Other people's plugins, which make each start twice as long."""


@pytest.fixture
def inventory(pytester: pytest.Pytester) -> Path:
    """An inventory whose vantages are this machine."""
    file = pytester.path / "here.toml"
    file.write_text(INVENTORY, encoding="utf-8")
    return file


@pytest.fixture
def run(pytester: pytest.Pytester, inventory: Path) -> Callable[..., pytest.RunResult]:
    """Write *source* as a test file and run it on the inventory, in a process of its own."""

    def run_it(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=source)
        return pytester.runpytest_subprocess("--v6-env", inventory, *WITHOUT, *options)

    return run_it
