"""What does a person read of a run: which environment it is, and what a failure comes from? Pure:
values in, lines out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_v6probe.diagnose import Diagnosis
    from pytest_v6probe.inventory.model import Inventory
    from pytest_v6probe.result import Finding

MAX_EVIDENCE_LINES = 12
MAX_LINE = 400
LABEL_WIDTH = 11


def header(inventory: Inventory, *, regions: Sequence[str] = (), fault: str = "") -> list[str]:
    """The environment, its regions and its vantages: the lines of pytest's header."""
    environment = inventory.environment
    source = inventory.source or "the lab, brought up for this run"
    shown = [
        host for host in inventory.hosts if not regions or host.region in regions or not host.region
    ]
    return [
        f"v6probe: environment {environment.name} ({environment.cloud}), {source}"
        + (f", broken by {fault}" if fault else ""),
        f"v6probe: regions {', '.join(regions or inventory.regions) or 'none named'}",
        f"v6probe: vantages {', '.join(host.id for host in shown) or 'none'}",
    ]


def failure(
    finding: Finding | None,
    *,
    vantage: str,
    way: str,
    diagnosis: Diagnosis | None = None,
    undiagnosed: str = "",
    captured: Sequence[str] = (),
) -> str:
    """What a failing test shows besides its assertion.

    *finding* is the last one of the test, *way* says how the vantage was reached, *undiagnosed* why
    there is no *diagnosis*, and *captured* where its packets are.
    """
    rows = [] if finding is None else _about(finding)
    rows.insert(1 if rows else 0, ("from", f"{vantage} by {way}" if way else vantage))
    rows += _found(diagnosis) if diagnosis is not None else []
    rows += [("diagnosis", f"none: {undiagnosed}")] if undiagnosed else []
    rows.append(("pcap", "\n".join(captured)))
    return "\n".join(_row(label, text) for label, text in rows if text)


def _about(finding: Finding) -> list[tuple[str, str]]:
    evidence = finding.evidence[:MAX_EVIDENCE_LINES]
    if len(finding.evidence) > len(evidence):
        evidence += (f"… and {len(finding.evidence) - len(evidence)} lines more",)
    return [
        ("asked", finding.asked),
        (
            "used",
            f"{finding.local or '?'} → {finding.remote or '?'}"
            if finding.local or finding.remote
            else "no address: nothing was sent or connected",
        ),
        ("path", str(finding.path or "")),
        ("verdict", f"{finding.verdict} after {finding.elapsed_s * 1000:.1f} ms"),
        ("came back", "\n".join(evidence)),
    ]


def _found(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    ladder = [
        f"{'holds ' if rung.holds else 'broken'} {rung.layer}: {rung.line}"
        for rung in diagnosis.rungs
    ]
    return [
        ("ladder", "\n".join(ladder)),
        ("broken", str(diagnosis.layer)),
        ("cause", diagnosis.cause),
        ("cure", diagnosis.cure),
    ]


def _row(label: str, text: str) -> str:
    lines = [_printable(line) for line in text.splitlines()]
    return "\n".join(
        f"{label if at == 0 else '':<{LABEL_WIDTH}}{line}" for at, line in enumerate(lines)
    )


def _printable(line: str) -> str:
    """Nothing that a terminal would obey, and not without end: evidence comes from the network."""
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
    return shown if len(shown) <= MAX_LINE else f"{shown[:MAX_LINE]}…"
