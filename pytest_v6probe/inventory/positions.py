"""Where in a TOML text does a key stand? tomllib does not say, and an error should show the line.

The text is known to be TOML (tomllib read it), so this needs to find only where statements begin
and end.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

Place = tuple[str, int, str]
"""A table's name ("" for the top), which of its occurrences (from 0), a key ("" for the table's own
header).
"""

_STRING = re.compile(
    r"""
    \"{3} (?: [^\\] | \\. )*? \"{3,5}
    | '{3} .*? '{3,5}
    | \" (?: [^"\\\n] | \\. )* \"
    | ' [^'\n]* '
    | \# [^\n]*
    """,
    re.DOTALL | re.VERBOSE,
)
_KEY_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")


@dataclass(frozen=True, slots=True)
class Span:
    """Part of one line: its number from 1, the column from 0, and how many characters."""

    line: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class Found:
    """Where a key stands, and where its value begins (as far as that goes on the same line)."""

    key: Span
    value: Span


def scan(text: str) -> dict[Place, Found]:
    """The place of every key and header in *text*, which must be valid TOML. The first of a place
    counts.
    """
    places: dict[Place, Found] = {}
    seen: Counter[str] = Counter()
    table, at = "", 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] == "#":
            at = _line_end(text, at)
        elif text[at] == "[":
            table, end = _header(text, at)
            seen[table] += 1
            span = _span(text, at, end)
            found = Found(span, span)
            places.setdefault((table, seen[table] - 1, ""), found)
            for owner, name in _owners("", table.split(".")):  # [a.b] is the key b of table a
                places.setdefault((owner, max(seen[owner] - 1, 0), name), found)
            at = _line_end(text, end)
        else:
            parts, equals = _key(text, at)
            end = _value_end(text, equals + 1)
            key = _span(text, at, equals)
            found = Found(key, _span(text, equals + 1, end))
            for owner, name in _owners(table, parts):
                places.setdefault((owner, max(seen[owner] - 1, 0), name), found)
            at = end
    return places


def find(places: dict[Place, Found], table: str, number: int, key: str) -> Found | None:
    """The place of *key*, or the nearest that is known: its table's header, or the table as a key
    of the top.
    """
    for place in ((table, number, key), (table, number, ""), ("", 0, table)):
        if place in places:
            return places[place]
    return None


def _owners(table: str, parts: list[str]) -> list[tuple[str, str]]:
    """What a (dotted) key says: ``a.b = 1`` at the top is the key ``b`` of table ``a``, and the key
    ``a`` of the top.
    """
    if table or len(parts) == 1:
        return [(table, parts[0])]
    return [("", parts[0]), (parts[0], parts[1])]


def _header(text: str, at: int) -> tuple[str, int]:
    """The name and the end of ``[name]`` or ``[[name]]`` at *at*; dotted names are joined by dots."""
    brackets = 2 if text.startswith("[[", at) else 1
    parts, end = _key(text, at + brackets)
    return ".".join(parts), end + brackets


def _key(text: str, at: int) -> tuple[list[str], int]:
    """The parts of the key at *at*, and where it ends: at its equals sign or closing bracket."""
    parts = []
    while (match := _KEY_PART.match(text, at)) is not None:
        parts.append(next(group for group in match.groups() if group is not None))
        at = match.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    return parts, at


def _value_end(text: str, at: int) -> int:
    """Where the value that begins at *at* ends: at the end of a line outside of strings and
    brackets.
    """
    depth = 0
    while at < len(text):
        string = _STRING.match(text, at) if text[at] in "\"'#" else None
        if string is not None:
            at = string.end()
            continue
        depth += (text[at] in "[{") - (text[at] in "]}")
        if text[at] == "\n" and depth <= 0:
            return at
        at += 1
    return at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _span(text: str, start: int, end: int) -> Span:
    """*start* to *end*, without the blanks around, cut at the end of the first line and before a
    comment.
    """
    while start < end and text[start] in " \t":
        start += 1
    end = min(end, _line_end(text, start))
    piece = text[start:end]
    for token in _STRING.finditer(piece):
        if token.group().startswith("#"):
            piece = piece[: token.start()]
            break
    line_start = text.rfind("\n", 0, start) + 1
    line = text.count("\n", 0, start) + 1
    return Span(line=line, column=start - line_start, width=max(len(piece.rstrip()), 1))
