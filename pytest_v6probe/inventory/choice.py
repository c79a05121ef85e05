"""Which hosts, sites and images of an inventory belong together in one run of a test? Pure: names
in, ids out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import TYPE_CHECKING

from pytest_v6probe.clouds import container_registries
from pytest_v6probe.inventory.model import Host, Image, Inventory, Role, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HOST_ROLES = tuple(role for role in Role if role is not Role.CONTAINER)
ROLES = {
    "ec2_host": (Role.INSTANCE, Role.EGRESS_ONLY),
    "public_host": (Role.INSTANCE,),
    "egress_only_host": (Role.EGRESS_ONLY,),
    "nested_host": (Role.NESTED,),
    "outside_host": (Role.OUTSIDE,),
    "docker_host": HOST_ROLES,
    "container": (Role.CONTAINER,),
    "served_container": (Role.CONTAINER,),
    "published_container": (Role.CONTAINER,),
    "v6_name": HOST_ROLES,
}
"""Which roles each fixture stands for; ``container`` is that of ``[[container]]``."""

NEEDS: Mapping[str, tuple[Callable[[Inventory, Host], bool], str]] = {
    "public_host": (
        lambda _, host: host.address is not None,
        "and a global IPv6 address (key address or ssh)",
    ),
    "docker_host": (
        lambda inventory, host: inventory.docker_at(host.id) is not None,
        "that a [[docker]] names",
    ),
    "served_container": (
        lambda _, host: bool(host.address and host.container and host.container.port),
        "and the keys address and port",
    ),
    "published_container": (
        lambda _, host: bool(host.container and host.container.published_port),
        "and the key published_port",
    ),
}
"""What more a fixture wants of a host, and how its want is said."""

FAMILIES = {
    "dual_stack_site": {"ipv4", "ipv6"},
    "ipv4_only_site": {"ipv4"},
    "https_site": {"ipv6"},
    "s3_site": {"ipv4", "ipv6"},
}
"""Which ``families`` of ``[[site]]`` each fixture stands for: exactly these; of an https site, at
least.
"""

IMAGES: Mapping[str, tuple[Callable[[Image], bool], str]] = {
    "image": (lambda _: True, ""),
    "direct_image": (lambda image: not image.mirror, " without a mirror"),
    "pushable_image": (lambda image: image.push, " with push = true"),
    "mirrored_image": (lambda image: bool(image.mirror), " with the key mirror"),
    "ecr_public_image": (
        lambda image: _is_of(image.reference.partition("/")[0], "ecr-public"),
        " of the Amazon ECR Public gallery",
    ),
}
"""Which ``[[image]]`` each fixture stands for, and how its want is said."""

BEHIND = (Role.NESTED, Role.CONTAINER)
"""Roles of what sits behind a host."""

KEYS = ("resource_name", "imds_tokens")
"""Fixtures that hand out a key of the test's own host: only hosts that have the key run the test.
"""


Entry = Host | Site | Image


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
    targets = [name for name in asked if name in FAMILIES or name in IMAGES]
    shown = (*hosts, *(_named(asked) if hosts != ["v6_name"] else ()), *targets)
    none = Choice(fixtures=shown, runs=(), vantage=0 if hosts else -1)
    candidates: list[list[Entry]] = []
    for name in hosts:
        first = name == hosts[0]
        keys = [key for key in asked if key in KEYS] if first else []
        able = _hosts(inventory, name, regions, keys, patterns if first else [])
        if not able:
            return replace(none, reason=_no_host(inventory, name, regions, keys, patterns))
        candidates.append(list(able))
    for name in targets:
        fitting = _targets(inventory, name)
        if not fitting:
            return replace(none, reason=_no_target(inventory, name))
        candidates.append(fitting)
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
        and (name not in NEEDS or NEEDS[name][0](inventory, host))
        and (not patterns or any(fnmatchcase(host.id, pattern) for pattern in patterns))
    ]


def _targets(inventory: Inventory, name: str) -> list[Entry]:
    if name in IMAGES:
        return [image for image in inventory.images if IMAGES[name][0](image)]
    return [site for site in inventory.sites if _serves(site, name)]


def _serves(site: Site, name: str) -> bool:
    if name == "https_site":
        return site.https and set(site.families) >= FAMILIES[name]
    if name == "s3_site" and not _is_of(site.name, "s3-dual-stack"):
        return False
    return set(site.families) == FAMILIES[name]


def _is_of(host: str, registry: str) -> bool:
    """Whether *host* is one of *registry*, or of a variant of it."""
    known = container_registries.of(host)
    return known is not None and known.id.startswith(registry)


def _belong_together(run: Sequence[Entry]) -> bool:
    hosts = [entry for entry in run if isinstance(entry, Host)]
    inside = [host for host in hosts if host.role is not Role.OUTSIDE]
    sites = [entry for entry in run if isinstance(entry, Site) and entry.region]
    nested = [host for host in inside if host.role in BEHIND]
    carriers = {host.name for host in inside if host.role not in BEHIND}
    return (
        len({host.region for host in inside}) <= 1
        and all(not host.region or host.region == site.region for host in hosts for site in sites)
        and all(not carriers or host.behind in carriers for host in nested)
    )


def _values(run: Sequence[Entry], fixtures: Sequence[str], hosts: int) -> tuple[str, ...]:
    ids = [entry.id for entry in run]
    return tuple(ids) if len(fixtures) == len(ids) else (*ids[:hosts], ids[0], *ids[hosts:])


def _no_host(
    inventory: Inventory,
    name: str,
    regions: Sequence[str],
    keys: Sequence[str],
    patterns: Sequence[str],
) -> str:
    source = inventory.source or inventory.environment.name
    if ROLES[name] == (Role.CONTAINER,):
        said = [f"{source} has no [[container]]"]
    elif name == "docker_host":
        said = [f"{source} has no [[host]]"]
    else:
        roles = " or ".join(f'"{role}"' for role in ROLES[name])
        said = [f"{source} has no [[host]] with role = {roles}"]
    said += [NEEDS[name][1]] if name in NEEDS else []
    said += [f"and the key {key}" for key in keys]
    said += [f"in {', '.join(regions)}"] if regions else []
    said += [f"that v6_vantage({', '.join(map(repr, patterns))}) names"] if patterns else []
    return " ".join(said)


def _no_target(inventory: Inventory, name: str) -> str:
    source = inventory.source or inventory.environment.name
    if name in IMAGES:
        return f"{source} has no [[image]]{IMAGES[name][1]}"
    families = ", ".join(f'"{family}"' for family in sorted(FAMILIES[name]))
    more = {
        "https_site": " and an https url",
        "s3_site": " and the name of a dual-stack S3 endpoint",
    }
    return f"{source} has no [[site]] with families = [{families}]{more.get(name, '')}"
