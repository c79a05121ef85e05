"""How is an error in an inventory shown? File, line, table, key, what is wrong, and the line with a
caret under it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.errors import InventoryError
from pytest_v6probe.inventory.positions import find, scan

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_v6probe.inventory.positions import Span

_WIDTH = 100


def complaint(
    why: str, span: Span | None, *, text: str, file: Path, where: str = "", key: str = ""
) -> InventoryError:
    """The error *why* about *span* of *text*; *where* names the table and key."""
    line = span.line if span is not None else None
    place = f"{file}:{line}" if line else str(file)
    head = ": ".join(part for part in (place, _printable(where)[:_WIDTH], _printable(why)) if part)
    message = head if span is None else f"{head}\n{_shown(text, span)}"
    return InventoryError(message, file=file, line=line, key=key or None)


def span_of(text: str, table: str, number: int, key: str, *, value: bool) -> Span | None:
    """Where *key* of the table's occurrence *number* stands in *text*, or its *value*; None if
    nowhere.
    """
    found = find(scan(text), table, number, key)
    if found is None:
        return None
    return found.value if value else found.key


def _shown(text: str, span: Span) -> str:
    """The line of *span* and a caret line under it. Long lines are cut, and what does not print is
    a '?'.
    """
    lines = text.split("\n")
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    skip = max(0, span.column - _WIDTH // 2) if len(line) > _WIDTH else 0
    source = "".join(
        letter if letter.isprintable() else " " if letter == "\t" else "?" for letter in line
    )
    column = min(span.column - skip, _WIDTH)
    carets = "^" * max(1, min(span.width, _WIDTH - column))
    gutter = " " * len(str(span.line))
    return f" {span.line} | {source[skip : skip + _WIDTH]}\n {gutter} | {' ' * column}{carets}"


def _printable(text: str) -> str:
    """*text* with a blank for each tab, and a '?' for what else does not print."""
    return "".join(
        letter if letter.isprintable() else " " if letter == "\t" else "?" for letter in text
    )
