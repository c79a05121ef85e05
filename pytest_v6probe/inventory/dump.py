"""How is an inventory written as TOML? The other direction of `toml`: what is written reads back as
the same values.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pytest_v6probe.inventory.literals import NAMESPACE_PREFIX, spell_login
from pytest_v6probe.inventory.model import Login, Namespace
from pytest_v6probe.inventory.schema import TABLES

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from pytest_v6probe.inventory.model import Inventory
    from pytest_v6probe.inventory.schema import Table


def to_toml(inventory: Inventory) -> str:
    """The text of *inventory*. Keys that say what is so without them are left out."""
    values: dict[str, tuple[DataclassInstance, ...]] = {
        "environment": (inventory.environment,),
        "host": inventory.hosts,
        "site": inventory.sites,
    }
    sections = [_section(table, value) for table in TABLES for value in values[table.name]]
    return "\n".join(sections)


def _section(table: Table, value: DataclassInstance) -> str:
    keys = [key for key in table.keys if key.required or _says(value, key.name)]
    lines = [f"{key.name} = {_written(getattr(value, key.name))}" for key in keys]
    return "\n".join([table.header, *lines, ""])


def _says(value: DataclassInstance, name: str) -> bool:
    """Whether *value* would be another one without the key *name*."""
    default = next(field.default for field in fields(value) if field.name == name)
    return replace(value, **{name: default}) != value


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple | frozenset):
        ordered = value if isinstance(value, tuple) else sorted(value)
        return f"[{', '.join(map(_written, ordered))}]"
    if isinstance(value, Login):
        return _quoted(spell_login(value))
    if isinstance(value, Namespace):
        return _quoted(NAMESPACE_PREFIX + value.name)
    return _quoted(str(value))


def _quoted(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
