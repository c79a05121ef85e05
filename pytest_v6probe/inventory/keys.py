"""What is a table of an inventory, and what is a key of one? The words that the schema is written in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(StrEnum):
    """What TOML type a value has, in the words of an error message."""

    STRING = "a string"
    STRINGS = "a list of strings"
    BOOLEAN = "true or false"
    SECONDS = "a number of seconds"
    PORT = "a port number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: *read* turns its TOML value into the model's, or raises ValueError that says what is
    wrong.
    """

    name: str
    kind: Kind = Kind.STRING
    read: Callable[[Any], Any]
    required: bool = False
    default: str = ""
    """How the documentation describes the value of a key that is not there."""
    doc: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table, ``[name]``, or where it may be *repeated* ``[[name]]``."""

    name: str
    repeated: bool
    doc: str
    keys: tuple[Key, ...]

    @property
    def header(self) -> str:
        """As it is written."""
        return f"[[{self.name}]]" if self.repeated else f"[{self.name}]"
