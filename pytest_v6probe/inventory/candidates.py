"""Which entries of an inventory does a fixture stand for, and how is it said that there are none? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_v6probe.clouds import container_registries
from pytest_v6probe.inventory.model import (
    Cluster,
    Host,
    Image,
    Inventory,
    LoadBalancer,
    Role,
    Service,
    Site,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HOST_ROLES = tuple(role for role in Role if role not in (Role.CONTAINER, Role.POD))
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
    "pod": (Role.POD,),
    "mesh_pod": (Role.POD,),
    "plain_pod": (Role.POD,),
    "node": (Role.NODE,),
    "v6_name": HOST_ROLES,
}
"""Which roles each fixture stands for; ``container`` and ``pod`` are those of tables of their own."""

CLUSTERS = {
    "cluster": (1, 2),
    "dual_stack_cluster": (2,),
    "single_stack_cluster": (1,),
    "policy_cluster": (2,),
}
"""How many ``families`` the ``[[cluster]]`` has that each fixture stands for."""

POLICY_CLUSTER = "policy_cluster"
"""The fixture whose cluster is one that pods can be made in: it has the key ``probe_image``."""

WITH_NODE_PORT = ("NodePort", "LoadBalancer")
WITH_ADDRESS = ("ClusterIP", *WITH_NODE_PORT)
"""Types of ``[[service]]`` that have a port on every node, and an address of their own."""

SERVICES: Mapping[str, tuple[Callable[[Service], bool], str]] = {
    "service": (
        lambda known: known.type in WITH_ADDRESS,
        f" with type = {' or '.join(WITH_ADDRESS)}",
    ),
    "node_port_service": (
        lambda known: known.type in WITH_NODE_PORT,
        f" with type = {' or '.join(WITH_NODE_PORT)}",
    ),
    "headless_service": (lambda known: known.type == "Headless", " with type = Headless"),
    "mesh_service": (
        lambda known: known.mesh and known.type in WITH_ADDRESS,
        f" with type = {' or '.join(WITH_ADDRESS)} and mesh = true",
    ),
}
"""Which ``[[service]]`` each fixture stands for, and how its want is said."""

LOAD_BALANCERS: Mapping[str, tuple[Callable[[LoadBalancer], bool], str]] = {
    "load_balancer": (lambda _: True, ""),
    "local_load_balancer": (
        lambda known: bool(known.client_address_page),
        " with the key client_address_page",
    ),
}
"""Which ``[[load_balancer]]`` each fixture stands for, and how its want is said."""

COUNTED = {(1, 2): "", (2,): "with two families", (1,): "with one family"}
"""How the want of a cluster is said, by the number of its families."""

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
    "mesh_pod": (
        lambda _, host: bool(host.pod and host.pod.envoy_admin),
        "with the key envoy_admin",
    ),
    "plain_pod": (
        lambda _, host: bool(host.pod and not host.pod.envoy_admin),
        "without the key envoy_admin",
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

KEYS = ("resource_name", "imds_tokens")
"""Fixtures that hand out a key of the test's own host: only hosts that have the key run the test.
"""


Place = Host | Cluster
Balanced = Service | LoadBalancer
Entry = Place | Site | Image | Balanced
TARGETS = (*FAMILIES, *IMAGES, *SERVICES, *LOAD_BALANCERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where places are looked for: only those of *regions* (those outside any cloud region always
    take part), whose id fits one of *patterns*, and that have *keys*; empty: all.
    """

    inventory: Inventory
    regions: Sequence[str] = ()
    keys: Sequence[str] = ()
    patterns: Sequence[str] = ()

    @classmethod
    def of(
        cls,
        inventory: Inventory,
        asked: Sequence[str],
        regions: Sequence[str],
        patterns: Sequence[str] | None,
    ) -> Search:
        """The search for the vantage of a test that asks for *asked*; with *patterns* None, for
        another place.
        """
        if patterns is None:
            return cls(inventory=inventory, regions=regions)
        keys = [key for key in asked if key in KEYS]
        return cls(inventory=inventory, regions=regions, keys=keys, patterns=patterns)

    def knows(self, place_id: str) -> bool:
        """Whether the patterns let *place_id* take part."""
        return not self.patterns or any(fnmatchcase(place_id, each) for each in self.patterns)


def places(search: Search, name: str) -> list[Entry]:
    """The hosts or clusters that the fixture *name* stands for."""
    if name not in CLUSTERS:
        return [*_hosts(search, name)]
    return [
        cluster
        for cluster in search.inventory.clusters
        if len(cluster.families) in CLUSTERS[name]
        and (name != POLICY_CLUSTER or cluster.probe_image)
        and (not search.regions or cluster.region in search.regions)
        and search.knows(cluster.id)
    ]


def targets(inventory: Inventory, name: str) -> list[Entry]:
    """The sites, images, services or load balancers that the fixture *name* stands for."""
    if name in IMAGES:
        return [image for image in inventory.images if IMAGES[name][0](image)]
    if name in SERVICES:
        return [known for known in inventory.services if SERVICES[name][0](known)]
    if name in LOAD_BALANCERS:
        return [known for known in inventory.load_balancers if LOAD_BALANCERS[name][0](known)]
    return [site for site in inventory.sites if _serves(site, name)]


def no_place(search: Search, name: str) -> str:
    """How it is said that `places` finds none."""
    source = search.inventory.source or search.inventory.environment.name
    if name in CLUSTERS:
        said = [f"{source} has no [[cluster]] {COUNTED[CLUSTERS[name]]}".rstrip()]
        said += ["and the key probe_image"] if name == POLICY_CLUSTER else []
    elif ROLES[name] in ((Role.CONTAINER,), (Role.POD,)):
        said = [f"{source} has no [[{ROLES[name][0]}]]"]
    elif name == "docker_host":
        said = [f"{source} has no [[host]]"]
    else:
        roles = " or ".join(f'"{role}"' for role in ROLES[name])
        said = [f"{source} has no [[host]] with role = {roles}"]
    said += [NEEDS[name][1]] if name in NEEDS else []
    said += [f"and the key {key}" for key in search.keys]
    said += [f"in {', '.join(search.regions)}"] if search.regions else []
    patterns = ", ".join(map(repr, search.patterns))
    said += [f"that v6_vantage({patterns}) names"] if patterns else []
    return " ".join(said)


def no_target(inventory: Inventory, name: str) -> str:
    """How it is said that `targets` finds none."""
    source = inventory.source or inventory.environment.name
    if name in IMAGES:
        return f"{source} has no [[image]]{IMAGES[name][1]}"
    if name in SERVICES:
        return f"{source} has no [[service]]{SERVICES[name][1]}"
    if name in LOAD_BALANCERS:
        return f"{source} has no [[load_balancer]]{LOAD_BALANCERS[name][1]}"
    families = ", ".join(f'"{family}"' for family in sorted(FAMILIES[name]))
    more = {
        "https_site": " and an https url",
        "s3_site": " and the name of a dual-stack S3 endpoint",
    }
    return f"{source} has no [[site]] with families = [{families}]{more.get(name, '')}"


def _hosts(search: Search, name: str) -> list[Host]:
    regions = search.regions
    return [
        host
        for host in search.inventory.hosts
        if host.role in ROLES[name]
        and (not regions or host.region in regions or host.role is Role.OUTSIDE)
        and all(getattr(host, key) for key in search.keys)
        and (name not in NEEDS or NEEDS[name][0](search.inventory, host))
        and search.knows(host.id)
    ]


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
