"""What do the project's own tests need? pytester, examples without deadlines, and coverage in the
summary.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

if importlib.util.find_spec("hypothesis"):  # only with the extra `test`; scenarios do without
    from hypothesis import settings

    settings.register_profile("no-deadline", deadline=None)
    settings.load_profile("no-deadline")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report what `coverage run -m pytest` has measured so far, before pytest's own last line."""
    if importlib.util.find_spec("coverage") is None:
        return
    from coverage import Coverage  # noqa: PLC0415  only where it is measured

    measured = Coverage.current()
    if measured is not None:
        terminalreporter.section("coverage")
        measured.stop()
        measured.report(file=terminalreporter._tw._file, show_missing=False)  # noqa: SLF001  no public way
        measured.start()
