"""Which hosts and sites of an inventory belong together in one run of a test? Pure: names in, ids
out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import TYPE_CHECKING

from pytest_v6probe.inventory.model import Host, Inventory, Role, Site

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLES = {
    "ec2_host": (Role.INSTANCE, Role.EGRESS_ONLY),
    "public_host": (Role.INSTANCE,),
    "egress_only_host": (Role.EGRESS_ONLY,),
    "nested_host": (Role.NESTED,),
    "outside_host": (Role.OUTSIDE,),
    "v6_name": tuple(Role),
}
"""Which roles of ``[[host]]`` each fixture stands for."""

FAMILIES = {"dual_stack_site": {"ipv4", "ipv6"}, "ipv4_only_site": {"ipv4"}, "https_site": {"ipv6"}}
"""Which ``families`` of ``[[site]]`` each fixture stands for: exactly these; of an https site, at
least.
"""

KEYS = ("resource_name", "imds_tokens")
"""Fixtures that hand out a key of the test's own host: only hosts that have the key run the test.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How often a test runs: *fixtures* by name and, for each run, their values; or none, and the
    *reason*.
    """

    fixtures: tuple[str, ...]
    runs: tuple[tuple[str, ...], ...]
    vantage: int = -1
    """Which of *fixtures* the test asks from; -1 where it has no vantage."""
    reason: str = ""


def choose(
    inventory: Inventory,
    asked: Sequence[str],
    *,
    regions: Sequence[str] = (),
    patterns: Sequence[str] = (),
) -> Choice:
    """All runs of a test that asks for the fixtures *asked*, in the order of the inventory.

    *regions* limits the hosts (those outside any cloud region always take part), *patterns* limits
    the ids of the vantage: the first host fixture in *asked*. Host and site, or two hosts of one
    cloud, share a region.
    """
    hosts = [name for name in asked if name in ROLES and name != "v6_name"] or _named(asked)
    sites = [name for name in asked if name in FAMILIES]
    shown = (*hosts, *(_named(asked) if hosts != ["v6_name"] else ()), *sites)
    none = Choice(fixtures=shown, runs=(), vantage=0 if hosts else -1)
    candidates: list[list[Host | Site]] = []
    for name in hosts:
        first = name == hosts[0]
        keys = [key for key in asked if key in KEYS] if first else []
        able = _hosts(inventory, name, regions, keys, patterns if first else [])
        if not able:
            return replace(none, reason=_no_host(inventory, name, regions, keys, patterns))
        candidates.append(list(able))
    for name in sites:
        serving = [site for site in inventory.sites if _serves(site, name)]
        if not serving:
            return replace(none, reason=_no_site(inventory, name))
        candidates.append(list(serving))
    together = [run for run in product(*candidates) if _belong_together(run)]
    if not together:
        return replace(none, reason=_apart(inventory, shown))
    return replace(none, runs=tuple(_values(run, shown, len(hosts)) for run in together))


def _apart(inventory: Inventory, shown: Sequence[str]) -> str:
    return (
        f"{inventory.source or inventory.environment.name} has no {' and '.join(shown)} "
        "that belong together (same region, or one behind the other)"
    )


def _named(asked: Sequence[str]) -> list[str]:
    return ["v6_name"] if {"v6_name", *KEYS} & set(asked) else []


def _hosts(
    inventory: Inventory,
    name: str,
    regions: Sequence[str],
    keys: Sequence[str],
    patterns: Sequence[str],
) -> list[Host]:
    return [
        host
        for host in inventory.hosts
        if host.role in ROLES[name]
        and (not regions or host.region in regions or host.role is Role.OUTSIDE)
        and all(getattr(host, key) for key in keys)
        and (name != "public_host" or host.address is not None)
        and (not patterns or any(fnmatchcase(host.id, pattern) for pattern in patterns))
    ]


def _serves(site: Site, name: str) -> bool:
    if name == "https_site":
        return site.https and set(site.families) >= FAMILIES[name]
    return set(site.families) == FAMILIES[name]


def _belong_together(run: Sequence[Host | Site]) -> bool:
    hosts = [entry for entry in run if isinstance(entry, Host)]
    inside = [host for host in hosts if host.role is not Role.OUTSIDE]
    sites = [entry for entry in run if isinstance(entry, Site) and entry.region]
    nested = [host for host in inside if host.role is Role.NESTED]
    carriers = {host.name for host in inside if host.role is not Role.NESTED}
    return (
        len({host.region for host in inside}) <= 1
        and all(not host.region or host.region == site.region for host in hosts for site in sites)
        and all(not carriers or host.behind in carriers for host in nested)
    )


def _values(run: Sequence[Host | Site], fixtures: Sequence[str], hosts: int) -> tuple[str, ...]:
    ids = [entry.id for entry in run]
    return tuple(ids) if len(fixtures) == len(ids) else (*ids[:hosts], ids[0], *ids[hosts:])


def _no_host(
    inventory: Inventory,
    name: str,
    regions: Sequence[str],
    keys: Sequence[str],
    patterns: Sequence[str],
) -> str:
    roles = " or ".join(f'"{role}"' for role in ROLES[name])
    said = [f"{inventory.source or inventory.environment.name} has no [[host]] with role = {roles}"]
    said += ["and a global IPv6 address (key address or ssh)"] if name == "public_host" else []
    said += [f"and the key {key}" for key in keys]
    said += [f"in {', '.join(regions)}"] if regions else []
    said += [f"that v6_vantage({', '.join(map(repr, patterns))}) names"] if patterns else []
    return " ".join(said)


def _no_site(inventory: Inventory, name: str) -> str:
    families = ", ".join(f'"{family}"' for family in sorted(FAMILIES[name]))
    secure = " and an https url" if name == "https_site" else ""
    return f"{inventory.source or inventory.environment.name} has no [[site]] with families = [{families}]{secure}"
