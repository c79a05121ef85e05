"""What does a field of an object of Kubernetes hold, and is it of the kind that the API's reference
says?
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_v6probe.result import Address

Network = IPv4Network | IPv6Network
T = TypeVar("T")

MOST_ITEMS = 1024
"""A longer list within one object is malformed: an EndpointSlice has at most 1000 endpoints."""
MOST_CHARACTERS = 4096

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")  # RFC 1123 §2.1, as the API wants names


class Malformed(ValueError):
    """An object is not what the API's reference says. The message names the field."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one JSON object. What is null or absent is empty; a wrong kind raises
    `Malformed`.
    """

    said: Mapping[str, Any]
    path: str = ""

    def inner(self, key: str) -> Fields:
        """The object at *key*."""
        return Fields(self._of(key, dict) or {}, self._at(key))

    def each(self, key: str) -> tuple[Fields, ...]:
        """The objects of the list at *key*."""
        items = self._items(key)
        if not all(isinstance(item, dict) for item in items):
            raise Malformed(f"{self._at(key)}: a list of objects was due")
        return tuple(
            Fields(item, f"{self._at(key)}[{number}]") for number, item in enumerate(items)
        )

    def text(self, key: str) -> str:
        """The text at *key*."""
        text: str = self._of(key, str) or ""
        if len(text) > MOST_CHARACTERS:
            raise Malformed(f"{self._at(key)}: {len(text)} characters")
        return text

    def name(self, key: str) -> str:
        """The name of an object at *key*: a DNS name in lower case, or none."""
        text = self.text(key)
        if text and not _NAME.fullmatch(text):
            raise Malformed(f"{self._at(key)}: a DNS name was due, not {text[:64]!r}")
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of the list at *key*."""
        items = self._items(key)
        if not all(isinstance(item, str) and len(item) <= MOST_CHARACTERS for item in items):
            raise Malformed(f"{self._at(key)}: a list of texts was due")
        return tuple(items)

    def flag(self, key: str) -> bool | None:
        """The truth at *key*; None where there is none."""
        value: bool | None = self._of(key, bool)
        return value

    def port(self, key: str) -> int | None:
        """The port number at *key*; None where there is none."""
        value = self.said.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 16:
            raise Malformed(f"{self._at(key)}: a port number was due")
        return value

    def address(self, key: str) -> Address | None:
        """The address at *key*; None where there is none."""
        text = self.text(key)
        return self.as_address(key, text) if text else None

    def as_address(self, key: str, text: str) -> Address:
        """*text*, which stands at *key*, as an address."""
        try:
            return ip_address(text)
        except ValueError:
            raise Malformed(f"{self._at(key)}: an IP address was due, not {text[:64]!r}") from None

    def networks(self, key: str) -> tuple[Network, ...]:
        """The networks of the list at *key*."""
        texts = self.texts(key)
        try:
            return tuple(ip_network(text, strict=False) for text in texts)
        except ValueError:
            raise Malformed(f"{self._at(key)}: a list of networks was due") from None

    def _of(self, key: str, kind: type) -> Any:
        value = self.said.get(key)
        if value is not None and not isinstance(value, kind):
            raise Malformed(f"{self._at(key)}: {_DUE[kind]} was due")
        return value

    def _items(self, key: str) -> list[Any]:
        items: list[Any] = self._of(key, list) or []
        if len(items) > MOST_ITEMS:
            raise Malformed(f"{self._at(key)}: {len(items)} entries")
        return items

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


_DUE = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}


def identity(said: Fields) -> tuple[str, str]:
    """Namespace and name of an object; a node has no namespace. Raises Malformed without a name."""
    metadata = said.inner("metadata")
    name = metadata.name("name")
    if not name:
        raise Malformed("metadata.name: a DNS name was due")
    return metadata.name("namespace"), name


def read_all(
    objects: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], T]
) -> tuple[tuple[T, ...], tuple[str, ...]]:
    """What *read* makes of each of *objects*, and a complaint on each that is malformed."""
    values, complaints = [], []
    for said in objects:
        try:
            values.append(read(said))
        except Malformed as why:
            complaints.append(f"{label(said)}: {why}")
    return tuple(values), tuple(complaints)


def label(said: Mapping[str, Any]) -> str:
    """What to call an object that may be malformed."""
    try:
        return "/".join(filter(None, identity(Fields(said))))
    except Malformed:
        return "an object without a name"
