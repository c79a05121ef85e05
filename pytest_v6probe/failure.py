"""What does a failing test's last finding come from? Its diagnosis, told to people and to reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.errors import V6ProbeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_v6probe.diagnose import Diagnosis
    from pytest_v6probe.result import Finding
    from pytest_v6probe.session import V6Session

MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    V6ProbeError,
)
"""Whatever may go wrong in a diagnosis: the failure that it explains must be seen all the same."""


def explain(
    session: V6Session, vantage_id: str, new_folder: Callable[[], Path]
) -> tuple[str, dict[str, str]]:
    """What a failing test's last finding comes from: the text for people, and the report's
    properties. What the test captured is written into a *new_folder*.

    The ladder is walked at the vantage of that finding. An error on the way never hides the
    failure: the text says it.
    """
    from pytest_v6probe.report import captured, terminal  # noqa: PLC0415  # only a failing test

    last = session.findings[-1] if session.findings else None
    at = last.vantage if last is not None else vantage_id
    diagnosed, undiagnosed = None, ""
    try:
        diagnosed = diagnosis(session, last) if last is not None else None
    except MISTAKES as why:
        undiagnosed = f"{type(why).__name__}: {why}"
    text = terminal.failure(
        last,
        vantage=at,
        way=session.ways.taken.get(at, ""),
        diagnosis=diagnosed,
        undiagnosed=undiagnosed,
        captured=captured.written(session.captures, new_folder) if session.captures else (),
    )
    return text, {
        "v6_verdict": last.verdict if last is not None else "",
        "v6_vantage": at,
        "v6_layer": str(diagnosed.layer) if diagnosed is not None else "",
    }


def diagnosis(session: V6Session, last: Finding) -> Diagnosis:
    """Why *last* is as it is: the ladder at its vantage, and at the hosts between it and what it
    asked.
    """
    from pytest_v6probe.diagnose import diagnose, diagnose_alone  # noqa: PLC0415  # only a failing test

    if last.vantage in {cluster.id for cluster in session.inventory.clusters}:
        return diagnose_alone(last, session.cloud)
    at, carrier, beyond = session.vantage(last.vantage), None, None
    if at.host.container is not None:
        carrier = session.vantage(session.inventory.named(at.host.behind, near=at.host).id)
    toward = session.inventory.carrier_of(last.remote) if last.remote is not None else None
    if toward is not None and session.vantage(toward.id) not in {at, carrier}:
        beyond = session.vantage(toward.id)
    return diagnose(at, last, session.cloud, carrier=carrier, beyond=beyond, seen=session.rungs)
