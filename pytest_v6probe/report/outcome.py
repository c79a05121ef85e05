"""What became of a test: could it look at all, and did a known gap close?

An *unobserved* test is neither passed nor failed. Pure: what pytest reports in, the same report
with our words out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pytest

    from pytest_v6probe.errors import Unobserved

WORD = "UNOBSERVED"


def unobserved(report: pytest.TestReport, why: Unobserved) -> None:
    """Make *report* one of a test that could not look: no expected failure, no traceback.

    It stays a failure to whoever only knows three outcomes, so the exit status is not 0; and as one
    of the set-up it is an ``<error>`` in JUnit's file, not a ``<failure>`` of the target.
    """
    vars(report).pop("wasxfail", None)
    vars(report)["v6_unobserved"] = (why.reason, message(why))
    report.outcome, report.longrepr = "failed", message(why)
    if report.when == "call":
        report.when = "setup"


def message(why: Unobserved) -> str:
    """What a person reads in place of a traceback: from where it could not look, the reason, what was
    said, and what else went wrong.
    """
    at = f" at {why.vantage}" if why.vantage else ""
    notes: list[str] = getattr(why, "__notes__", [])
    return f"{WORD}{at} ({why.reason}): {'; '.join((str(why), *notes))}"


def summary_lines(blind: Iterable[tuple[str, str]]) -> list[str]:
    """The lines of the summary's section, from pairs of a test and its message: each cause once,
    above its tests.
    """
    causes: dict[str, list[str]] = {}
    for test, said in blind:
        causes.setdefault(said, []).append(test)
    return [
        line
        for said, tests in causes.items()
        for line in (said, *(f"    {test}" for test in tests))
    ]


def known_gap(report: pytest.TestReport, statement: str, *, why: BaseException | None) -> None:
    """Judge a test of a known gap, whose assertions say that the thing works.

    A failed assertion is what the *statement* says: an expected failure. A pass is a failure: the
    gap has closed. Any other exception is a mistake in the test, and stays one.
    """
    if why is None:
        report.outcome = "failed"
        report.longrepr = (
            f"the gap has closed: {statement}\n"
            "It works now. Say so in the data of known gaps, with today's date and a source, and "
            "remove the known_gap marker."
        )
    elif isinstance(why, AssertionError) or type(why).__name__ == "Failed":
        report.outcome = "skipped"
        vars(report)["wasxfail"] = f"known gap: {statement}"


def add_properties(
    report: pytest.TestReport, properties: Mapping[str, str]
) -> list[tuple[str, object]]:
    """Add *properties* to the report; what was added, for the test's later reports."""
    added: list[tuple[str, object]] = [(name, value) for name, value in properties.items() if value]
    report.user_properties.extend(added)
    return added
