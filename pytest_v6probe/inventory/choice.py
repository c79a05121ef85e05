"""Which hosts, clusters, sites and images of an inventory belong together in one run of a test? Pure:
names in, ids out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from pytest_v6probe.inventory.candidates import (
    CLUSTERS,
    KEYS,
    ROLES,
    TARGETS,
    Balanced,
    Search,
    no_place,
    no_target,
    places,
    targets,
)
from pytest_v6probe.inventory.model import Cluster, Host, Inventory, Role, Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_v6probe.inventory.candidates import Entry

FAMILY = "family"
"""The fixture that hands out each family of the run's service, else of its cluster."""

BEHIND = (Role.NESTED, Role.CONTAINER)
"""Roles of what sits behind a host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How often a test runs: *fixtures* by name and, for each run, their values; or none, and the
    *reason*.
    """

    fixtures: tuple[str, ...]
    runs: tuple[tuple[str, ...], ...]
    vantage: int = -1
    """Which of *fixtures* the test asks from: a host, a pod, or a cluster's API; -1 where it has
    none.
    """
    reason: str = ""


def choose(
    inventory: Inventory,
    asked: Sequence[str],
    *,
    regions: Sequence[str] = (),
    patterns: Sequence[str] = (),
) -> Choice:
    """All runs of a test that asks for the fixtures *asked*, in the order of the inventory.

    *regions* limits the hosts and clusters (those outside any cloud region always take part),
    *patterns* limits the ids of the vantage: the first place in *asked*. Host and site, or two hosts
    of one cloud, share a region; pods, nodes and services are of one cluster.
    """
    where = [name for name in asked if (name in ROLES or name in CLUSTERS) and name != "v6_name"]
    where = where or _named(asked)
    named = _named(asked) if where != ["v6_name"] else []
    what = [name for name in asked if name in TARGETS]
    families = [FAMILY] if FAMILY in asked else []
    shown = (*where, *named, *what, *families)
    none = Choice(fixtures=shown, runs=(), vantage=0 if where else -1)
    candidates: list[list[Entry]] = []
    for name in (*where, *what):
        if name in what:
            able, lack = targets(inventory, name), no_target(inventory, name)
        else:
            search = Search.of(inventory, asked, regions, patterns if name == where[0] else None)
            able, lack = places(search, name), no_place(search, name)
        if not able:
            return replace(none, reason=lack)
        candidates.append(able)
    together = [run for run in product(*candidates) if _belong_together(inventory, run)]
    if not together:
        return replace(none, reason=_apart(inventory, shown))
    runs = (
        (*_values(run, (*where, *named, *what), len(where)), *family)
        for run in together
        for family in (_families(inventory, run) if families else ((),))
    )
    return replace(none, runs=tuple(runs))


def _apart(inventory: Inventory, shown: Sequence[str]) -> str:
    return (
        f"{inventory.source or inventory.environment.name} has no {' and '.join(shown)} "
        "that belong together (same region, or one behind the other)"
    )


def _named(asked: Sequence[str]) -> list[str]:
    return ["v6_name"] if {"v6_name", *KEYS} & set(asked) else []


def _families(inventory: Inventory, run: Sequence[Entry]) -> list[tuple[str]]:
    """The families of the service in *run*, else of its cluster."""
    services = [entry.families for entry in run if isinstance(entry, Balanced)]
    clusters = [inventory.cluster(name).families for name in _clusters(inventory, run)]
    return [(family,) for family in next(iter((*services, *clusters)), ())]


def _clusters(inventory: Inventory, run: Sequence[Entry]) -> list[str]:
    """The ids of the clusters that the entries of *run* are of, or are."""
    named = [
        entry.id
        if isinstance(entry, Cluster)
        else entry.cluster
        if isinstance(entry, Balanced)
        else inventory.cluster_of(entry)
        for entry in run
        if isinstance(entry, Cluster | Balanced | Host)
    ]
    return list(dict.fromkeys(filter(None, named)))


def _belong_together(inventory: Inventory, run: Sequence[Entry]) -> bool:
    hosts = [entry for entry in run if isinstance(entry, Host)]
    inside = [host for host in hosts if host.role is not Role.OUTSIDE]
    sites = [entry for entry in run if isinstance(entry, Site) and entry.region]
    nested = [host for host in inside if host.role in BEHIND]
    carriers = {host.name for host in inside if host.role not in BEHIND}
    return (
        len(_clusters(inventory, run)) <= 1
        and len({host.region for host in inside}) <= 1
        and all(not host.region or host.region == site.region for host in hosts for site in sites)
        and all(not carriers or host.behind in carriers for host in nested)
    )


def _values(run: Sequence[Entry], fixtures: Sequence[str], hosts: int) -> tuple[str, ...]:
    ids = [entry.id for entry in run]
    return tuple(ids) if len(fixtures) == len(ids) else (*ids[:hosts], ids[0], *ids[hosts:])
