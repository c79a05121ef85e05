"""What does an inventory file say? TOML text to values, or one error that shows the line and what
is wrong in it.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_v6probe.errors import InventoryError
from pytest_v6probe.inventory.complaint import complaint, span_of
from pytest_v6probe.inventory.consistency import problems, way_in
from pytest_v6probe.inventory.keys import Key, Kind, Table
from pytest_v6probe.inventory.literals import web_host
from pytest_v6probe.inventory.model import (
    Cluster,
    Container,
    Docker,
    Environment,
    Host,
    Image,
    Inventory,
    LoadBalancer,
    Pod,
    Role,
    Service,
    Site,
)
from pytest_v6probe.inventory.positions import Span
from pytest_v6probe.inventory.schema import (
    CONTAINER,
    DOCKER,
    ENVIRONMENT,
    HOST,
    IMAGE,
    SITE,
    TABLES,
)
from pytest_v6probe.inventory.schema_kube import CLUSTER, LOAD_BALANCER, POD, SERVICE

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 18
"""The largest inventory or PEM file that is read."""

_PEM = "-----BEGIN CERTIFICATE-----"
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")


def load(path: Path) -> Inventory:
    """The inventory in the file *path*. Raises InventoryError."""
    try:
        text = _text(path)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InventoryError(f"{path}: the inventory cannot be read: {why}", file=path) from error
    return read(text, file=path)


def read(text: str, *, file: Path) -> Inventory:
    """The inventory that *text* is. *file* stands in errors, and relative names are of its
    directory.

    Raises InventoryError: one message with file, line, table, key, what is wrong, and the line
    itself.
    """
    return _Reader(text, file).inventory()


def _text(path: Path) -> str:
    with path.open("rb") as stream:
        octets = stream.read(MAX_BYTES + 1)
    if len(octets) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} octets")
    return octets.decode("utf-8").replace("\r\n", "\n")


class _Reader:
    """One reading of one text: it knows where things stand when something must be said of them."""

    def __init__(self, text: str, file: Path) -> None:
        self.text = text
        self.file = file

    def inventory(self) -> Inventory:
        content = self.parse()
        names = [table.name for table in TABLES]
        for name in content:
            if name not in names:
                self.fail(f"there is no such table{_did_you_mean(name, names)}", table=name)
        inventory = Inventory(
            environment=Environment(**self.table(ENVIRONMENT, content)),
            hosts=(
                *(Host(**way_in(fields)) for fields in self.tables(HOST, content)),
                *(_container(fields) for fields in self.tables(CONTAINER, content)),
                *(_pod(fields) for fields in self.tables(POD, content)),
            ),
            sites=tuple(self.site(*numbered) for numbered in enumerate(self.tables(SITE, content))),
            dockers=tuple(self.docker(fields) for fields in self.tables(DOCKER, content)),
            images=tuple(
                Image(**self.trusting(IMAGE, *numbered))
                for numbered in enumerate(self.tables(IMAGE, content))
            ),
            clusters=tuple(self.cluster(fields) for fields in self.tables(CLUSTER, content)),
            services=tuple(Service(**fields) for fields in self.tables(SERVICE, content)),
            load_balancers=tuple(
                LoadBalancer(**fields) for fields in self.tables(LOAD_BALANCER, content)
            ),
            source=str(self.file),
        )
        for problem in problems(inventory):
            self.fail(problem.why, table=problem.table, number=problem.number, key=problem.key)
        return inventory

    def parse(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except RecursionError:
            why, span = "it is nested too deeply", None
        except ValueError as error:
            at = _AT.search(str(error))
            line, column = (int(at[1]), int(at[2])) if at else (self.text.count("\n") + 1, 1)
            why = str(error)[: at.start()].rstrip() if at else str(error)
            span = Span(line, column - 1, 1)
        raise complaint(f"this is not TOML: {why}", span, text=self.text, file=self.file)

    def table(self, table: Table, content: dict[str, Any]) -> dict[str, Any]:
        found = content.get(table.name)
        if found is None:
            self.fail("the table is missing", table=table.name)
        if not isinstance(found, dict):
            self.fail("one table is wanted", table=table.name)
        return self.fields(table, 0, found)

    def tables(self, table: Table, content: dict[str, Any]) -> list[dict[str, Any]]:
        found = content.get(table.name, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            self.fail("a list of tables is wanted, with two brackets", table=table.name)
        return [self.fields(table, number, entry) for number, entry in enumerate(found)]

    def fields(self, table: Table, number: int, entry: dict[str, Any]) -> dict[str, Any]:
        names = [key.name for key in table.keys]
        for name in entry:
            if name not in names:
                close = _did_you_mean(name, names)
                self.fail(f"there is no such key{close}", table=table.name, number=number, key=name)
        for key in table.keys:
            if key.required and key.name not in entry:
                self.fail(f"the key {key.name!r} is missing", table=table.name, number=number)
        keys = [key for key in table.keys if key.name in entry]
        return {key.name: self.value(table, number, key, entry[key.name]) for key in keys}

    def value(self, table: Table, number: int, key: Key, value: object) -> object:
        try:
            return key.read(_of_kind(key.kind, value))
        except ValueError as why:
            self.fail(str(why), table=table.name, number=number, key=key.name, value=True)

    def site(self, number: int, fields: dict[str, Any]) -> Site:
        return Site(name=str(web_host(fields["url"])), **self.trusting(SITE, number, fields))

    def docker(self, fields: dict[str, Any]) -> Docker:
        return Docker(**self.beside(fields, "certificates"))

    def cluster(self, fields: dict[str, Any]) -> Cluster:
        return Cluster(**self.beside(fields, "kubeconfig"))

    def beside(self, fields: dict[str, Any], key: str) -> dict[str, Any]:
        """*fields* with the path under *key*, if it is a relative one, as one of the inventory's
        directory.
        """
        place = fields.get(key, "~")
        return fields if place.startswith("~") else fields | {key: str(self.file.parent / place)}

    def trusting(self, table: Table, number: int, fields: dict[str, Any]) -> dict[str, Any]:
        """*fields* with the authority itself, where the key ``ca`` names its file."""
        if "ca" in fields:
            return fields | {"ca": self.authority(fields["ca"], table, number)}
        return fields

    def authority(self, ca: str, table: Table, number: int) -> str:
        try:
            pem = ca if _PEM in ca else _text(self.file.parent / ca)
        except (OSError, ValueError) as error:
            pem, why = "", (error.strerror if isinstance(error, OSError) else None) or str(error)
        else:
            why = "no certificate (PEM) is in it"
        if _PEM not in pem:
            self.fail(f"{ca[:80]!r}: {why}", table=table.name, number=number, key="ca", value=True)
        return pem

    def fail(
        self, why: str, *, table: str, number: int = 0, key: str = "", value: bool = False
    ) -> NoReturn:
        header = next((known.header for known in TABLES if known.name == table), f"[{table}]")
        span = span_of(self.text, table, number, key, value=value)
        where = f"{header} {key}".rstrip()
        raise complaint(why, span, text=self.text, file=self.file, where=where, key=key or table)


def _container(fields: dict[str, Any]) -> Host:
    """A ``[[container]]`` as the place to ask from that it is."""
    region, _, carrier = fields["host"].rpartition("/")
    own = {key: fields[key] for key in ("address", "python") if key in fields}
    known = ("name", "helper_image", "port", "published_port")
    return Host(
        name=f"{carrier}.{fields['name']}",
        region=region,
        role=Role.CONTAINER,
        behind=carrier,
        container=Container(**{key: fields[key] for key in known if key in fields}),
        **own,
    )


def _pod(fields: dict[str, Any]) -> Host:
    """A ``[[pod]]`` as the place to ask from that it is."""
    region, _, cluster = fields["cluster"].rpartition("/")
    own = {key: fields[key] for key in ("python",) if key in fields}
    known = {key: value for key, value in fields.items() if key not in ("name", *own)}
    return Host(
        name=f"{cluster}.{fields['name']}", region=region, role=Role.POD, pod=Pod(**known), **own
    )


def _of_kind(kind: Kind, value: object) -> object:
    """*value* itself, if it is of *kind*. Raises ValueError."""
    if kind is Kind.STRINGS:
        fits = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    elif kind is Kind.PORT:
        fits = isinstance(value, int) and not isinstance(value, bool)
    elif kind is Kind.SECONDS:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = isinstance(value, bool if kind is Kind.BOOLEAN else str)
    if not fits:
        raise ValueError(f"{_described(value)} stands where {kind} is wanted")
    return value


def _described(value: object) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a string",
        dict: "a table",
    }
    return names.get(type(value), "another list" if isinstance(value, list) else "a date or time")


def _did_you_mean(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name[:64], known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f" (there are: {', '.join(known)})"
