"""Do the parts of an inventory fit together? What no single key can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_v6probe.inventory.literals import web_host
from pytest_v6probe.inventory.model import Host, Login, Namespace, Role

if TYPE_CHECKING:
    from pytest_v6probe.inventory.model import (
        Cluster,
        Docker,
        Image,
        Inventory,
        LoadBalancer,
        Service,
        Site,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What does not fit: in which table, which of them (from 0), under which key."""

    table: str
    number: int
    key: str
    why: str


def problems(inventory: Inventory) -> Iterator[Problem]:
    """Everything in *inventory* that does not fit together, in its order."""
    for table, entries, rules in _RULES:
        for number, entry in enumerate(entries(inventory)):
            for rule in rules:
                for key, why in rule(inventory, number, entry):
                    yield Problem(table=table, number=number, key=key, why=why)


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
        "debug_image": bool(host.debug_image),
    }
    given = [key for key, there in ways.items() if there]
    if not given:
        yield "", "no way in: one of local = true, ssh, namespace is wanted, or at least management"
    if len(given) > 1:
        yield given[1], f"{' and '.join(given)} are given, where exactly one way in is wanted"
    if host.via is not None and host.ssh is None:
        yield "via", "via says through what ssh goes, and there is no ssh"


def _lab_only(inventory: Inventory, _number: int, entry: Host | Cluster) -> Complaints:
    for key in ("namespace", "via", "management"):
        value = getattr(entry, key, None)
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


def _container(inventory: Inventory, _number: int, host: Host) -> Complaints:
    if [other.id for other in inventory.hosts].count(host.id) > 1:
        yield "name", f"{host.id!r} is there twice"
    try:
        engine = inventory.engine_of(host)
    except KeyError:
        yield "host", f"there is no host {host.behind!r}"
    else:
        if engine is None:
            yield "host", f"no [[docker]] names {host.behind!r}"


def _of_cluster(
    inventory: Inventory, _number: int, entry: Host | Service | LoadBalancer
) -> Complaints:
    cluster = entry.pod.cluster if isinstance(entry, Host) and entry.pod else entry.cluster
    if cluster and cluster not in [known.id for known in inventory.clusters]:
        yield "cluster", f"there is no cluster {cluster!r}"


def _cluster(inventory: Inventory, number: int, cluster: Cluster) -> Complaints:
    if cluster.id in [other.id for other in inventory.clusters[:number]]:
        yield "name", f"there is another cluster {cluster.id!r} above"
    if isinstance(cluster.via, str) and cluster.via not in [host.id for host in inventory.hosts]:
        yield "via", f"there is no host {cluster.via!r}"


def _service(inventory: Inventory, number: int, service: Service) -> Complaints:
    if service.id in [other.id for other in inventory.services[:number]]:
        yield "name", f"there is another service {service.id!r} above"
    if service.mesh and not service.http:
        yield "mesh", "a sidecar counts requests of HTTP, and http is false"


def _load_balancer(inventory: Inventory, number: int, known: LoadBalancer) -> Complaints:
    if known.id in [other.id for other in inventory.load_balancers[:number]]:
        yield "name", f"there is another load balancer {known.id!r} above"


def _pod(inventory: Inventory, _number: int, pod: Host) -> Complaints:
    if [other.id for other in inventory.hosts].count(pod.id) > 1:
        yield "name", f"{pod.id!r} is there twice"


def _node(_inventory: Inventory, _number: int, host: Host) -> Complaints:
    if (host.role is Role.NODE) != bool(host.cluster):
        yield "cluster", 'role = "node" and cluster go together'
    if host.debug_image and not host.cluster:
        yield "debug_image", "debug_image is a way into a node of a cluster"


def _docker(inventory: Inventory, number: int, docker: Docker) -> Complaints:
    if docker.host in [other.host for other in inventory.dockers[:number]]:
        yield "host", f"there is another engine of {docker.host!r} above"
    if docker.host not in [host.id for host in inventory.hosts if host.container is None]:
        yield "host", f"there is no host {docker.host!r}"
    if bool(docker.url) != bool(docker.certificates):
        missing = "certificates" if docker.url else "url"
        yield missing, "url and certificates go together: an engine is asked over TLS only"


def _image(inventory: Inventory, number: int, image: Image) -> Complaints:
    if image.id in [other.id for other in inventory.images[:number]]:
        yield "reference", f"there is another image {image.id!r} above"


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


Rule = Callable[[Any, int, Any], Complaints]
_RULES: tuple[tuple[str, Callable[[Inventory], Sequence[Any]], tuple[Rule, ...]], ...] = (
    (
        "host",
        lambda inventory: [
            host for host in inventory.hosts if host.container is None and host.pod is None
        ],
        (_unique_host, _way_in, _lab_only, _references, _node, _of_cluster),
    ),
    (
        "container",
        lambda inventory: [host for host in inventory.hosts if host.container is not None],
        (_container,),
    ),
    (
        "pod",
        lambda inventory: [host for host in inventory.hosts if host.pod is not None],
        (_pod, _of_cluster),
    ),
    ("cluster", lambda inventory: inventory.clusters, (_cluster, _lab_only)),
    ("service", lambda inventory: inventory.services, (_service, _of_cluster)),
    ("load_balancer", lambda inventory: inventory.load_balancers, (_load_balancer, _of_cluster)),
    ("docker", lambda inventory: inventory.dockers, (_docker,)),
    ("image", lambda inventory: inventory.images, (_image,)),
    ("site", lambda inventory: inventory.sites, (_site,)),
)


def way_in(host: dict[str, Any]) -> dict[str, Any]:
    """The fields of a host, where *management* is the only way in with that as the way."""
    only = host.get("management")
    if host.get("local") or {"ssh", "namespace"} & host.keys() or only is None:
        return host
    key = "ssh" if isinstance(only, Login) else "namespace"
    return host | {key: only}
