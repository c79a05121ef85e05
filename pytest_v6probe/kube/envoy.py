"""What do the JSON answers of Envoy's admin interface have in common? envoyproxy.io, "Administration
interface": they are its admin API's messages, with defaults left out.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pytest_v6probe.kube.fields import Fields, Malformed
from pytest_v6probe.result import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = re.compile(r"[0-9A-Za-z._:|/-]{1,253}")
"""A name that may stand in a pattern."""
MOST_OBJECTS = 16_384
"""A longer list is malformed: an answer has room for no more."""


def document(body: bytes) -> Fields:
    """The object that *body* is. Raises Malformed."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("JSON was due") from None
    if not isinstance(said, dict):
        raise Malformed("an object was due")
    return Fields(said)


def each(fields: Fields, key: str) -> Iterator[Fields]:
    """The objects of the list at *key*. Raises Malformed."""
    items = fields.said.get(key) or []
    at = f"{fields.path}.{key}".lstrip(".")
    if not isinstance(items, list) or len(items) > MOST_OBJECTS:
        raise Malformed(f"{at}: a list of at most {MOST_OBJECTS} was due")
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            raise Malformed(f"{at}[{number}]: an object was due")
        yield Fields(item, f"{at}[{number}]")


def socket(address: Fields) -> Endpoint | None:
    """The IP address and port in *address*, a config.core.v3.Address; None for a pipe or one inside of
    Envoy. Raises Malformed.
    """
    known = address.inner("socket_address")
    found = known.address("address")
    return Endpoint(found, known.port("port_value") or 0) if found is not None else None


def sockets(holder: Fields, key: str, more: str, inner: str = "") -> tuple[Endpoint, ...]:
    """The address at *key* of *holder* and those of the list at *more*, each perhaps within *inner*.
    Raises Malformed.
    """
    others = [entry.inner(inner) if inner else entry for entry in each(holder, more)]
    found = [socket(one) for one in (holder.inner(key), *others)]
    return tuple(one for one in found if one is not None)
