"""How is an inventory written as TOML? The other direction of `toml`: what is written reads back as
the same values.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from typing import TYPE_CHECKING, Any

from pytest_v6probe.inventory.literals import NAMESPACE_PREFIX, spell_login
from pytest_v6probe.inventory.model import Login, Namespace
from pytest_v6probe.inventory.schema import CONTAINER, TABLES
from pytest_v6probe.inventory.schema_kube import POD

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from pytest_v6probe.inventory.keys import Table
    from pytest_v6probe.inventory.model import Container, Host, Inventory, Pod


def to_toml(inventory: Inventory) -> str:
    """The text of *inventory*. Keys that say what is so without them are left out."""
    values: dict[str, tuple[DataclassInstance, ...]] = {
        "environment": (inventory.environment,),
        "host": tuple(
            host for host in inventory.hosts if host.container is None and host.pod is None
        ),
        "site": inventory.sites,
        "docker": inventory.dockers,
        "image": inventory.images,
        "cluster": inventory.clusters,
        "service": inventory.services,
        "load_balancer": inventory.load_balancers,
    }
    sections = [_section(table, value) for table in TABLES for value in values.get(table.name, ())]
    sections += [_container(host, host.container) for host in inventory.hosts if host.container]
    sections += [_pod(host, host.pod) for host in inventory.hosts if host.pod]
    return "\n".join(sections)


def _container(host: Host, container: Container) -> str:
    carrier = f"{host.region}/{host.behind}" if host.region else host.behind
    own = [f"{key} = {_written(getattr(host, key))}" for key in ("address", "python")]
    said = [key.name for key in CONTAINER.keys if hasattr(container, key.name)]
    lines = [
        f"host = {_quoted(carrier)}",
        *(own if host.address is not None else own[1:]),
        *(
            f"{key} = {_written(getattr(container, key))}"
            for key in said
            if getattr(container, key)
        ),
    ]
    return "\n".join([CONTAINER.header, *lines, ""])


def _pod(host: Host, pod: Pod) -> str:
    name = host.id.removeprefix(f"{pod.cluster}.")
    keys = [key.name for key in POD.keys if hasattr(pod, key.name) and _says(pod, key.name)]
    lines = [
        f"name = {_quoted(name)}",
        f"python = {_quoted(host.python)}",
        *(f"{key} = {_written(getattr(pod, key))}" for key in keys),
    ]
    return "\n".join([POD.header, *lines, ""])


def _section(table: Table, value: DataclassInstance) -> str:
    keys = [key for key in table.keys if key.required or _says(value, key.name)]
    lines = [f"{key.name} = {_written(getattr(value, key.name))}" for key in keys]
    return "\n".join([table.header, *lines, ""])


def _says(value: DataclassInstance, name: str) -> bool:
    """Whether *value* would be another one without the key *name*."""
    default = next(field.default for field in fields(value) if field.name == name)
    return default is MISSING or replace(value, **{name: default}) != value


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
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
