"""Do the parts of an inventory fit together? What no single key can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.inventory.literals import web_host
from pytest_v6probe.inventory.model import Login, Namespace

if TYPE_CHECKING:
    from pytest_v6probe.inventory.model import Host, Inventory, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What does not fit: in which table, which of them (from 0), under which key."""

    table: str
    number: int
    key: str
    why: str


def problems(inventory: Inventory) -> Iterator[Problem]:
    """Everything in *inventory* that does not fit together, in its order."""
    for number, host in enumerate(inventory.hosts):
        for rule in _HOST_RULES:
            for key, why in rule(inventory, number, host):
                yield Problem(table="host", number=number, key=key, why=why)
    for number, site in enumerate(inventory.sites):
        for key, why in _site(inventory, number, site):
            yield Problem(table="site", number=number, key=key, why=why)


Complaints = Iterator[tuple[str, str]]
"""Pairs of a key and what is wrong with it."""


def _unique_host(inventory: Inventory, number: int, host: Host) -> Complaints:
    if any(other.id == host.id for other in inventory.hosts[:number]):
        yield "name", f"there is another host {host.id!r} above"


def _way_in(_inventory: Inventory, _number: int, host: Host) -> Complaints:
    ways = {
        "local": host.local,
        "ssh": host.ssh is not None,
        "namespace": host.namespace is not None,
    }
    given = [key for key, there in ways.items() if there]
    if not given:
        yield "", "no way in: one of local = true, ssh, namespace is wanted, or at least management"
    if len(given) > 1:
        yield given[1], f"{' and '.join(given)} are given, where exactly one way in is wanted"
    if host.via is not None and host.ssh is None:
        yield "via", "via says through what ssh goes, and there is no ssh"


def _lab_only(inventory: Inventory, _number: int, host: Host) -> Complaints:
    for key, value in (
        ("namespace", host.namespace),
        ("via", host.via),
        ("management", host.management),
    ):
        if isinstance(value, Namespace) and not inventory.environment.lab:
            yield key, f"netns:{value.name} is a namespace of a lab, and [environment] names no lab"


def _references(inventory: Inventory, _number: int, host: Host) -> Complaints:
    for key in ("via", "behind"):
        following = _chain(inventory, host, key)
        if following is not None:
            yield key, following


def _chain(inventory: Inventory, host: Host, key: str) -> str | None:
    """What is wrong with the hosts that *key* leads to from *host*, one after the other."""
    passed, here = [host.id], host
    while isinstance(name := getattr(here, key), str) and name:
        try:
            here = inventory.named(name, near=here)
        except KeyError:
            return (
                f"there is no host {name!r}" if here is host else None
            )  # told at the host that says so
        if here.id in passed:
            return f"it goes round in a circle: {' → '.join([*passed, here.id])}"
        passed.append(here.id)
    return None


def _site(inventory: Inventory, number: int, site: Site) -> Complaints:
    if any(other.id == site.id for other in inventory.sites[:number]):
        yield "url", f"there is another site {site.id!r} above"
    if site.region and inventory.hosts and site.region not in inventory.regions:
        yield "region", f"no host is in region {site.region!r}"
    if site.ipv4_addresses and "ipv4" not in site.families:
        yield "ipv4_addresses", "IPv4 addresses are pinned, and families does not list ipv4"
    host = web_host(site.url)
    if not isinstance(host, str) and site.families != (f"ipv{host.version}",):
        yield "families", f"the literal in url has one family, ipv{host.version}"


_HOST_RULES: tuple[Callable[[Inventory, int, Host], Complaints], ...] = (
    _unique_host,
    _way_in,
    _lab_only,
    _references,
)


def way_in(host: dict[str, Any]) -> dict[str, Any]:
    """The fields of a host, where *management* is the only way in with that as the way."""
    only = host.get("management")
    if host.get("local") or {"ssh", "namespace"} & host.keys() or only is None:
        return host
    key = "ssh" if isinstance(only, Login) else "namespace"
    return host | {key: only}
