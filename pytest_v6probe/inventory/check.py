"""What is in an inventory, at a glance? The text of `v6probe check FILE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.inventory.literals import NAMESPACE_PREFIX, spell_login
from pytest_v6probe.inventory.model import Namespace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_v6probe.inventory.model import Host, Inventory, Login, Site


def summary(inventory: Inventory) -> str:
    """The environment, its regions, vantages and sites, aligned; no line ends in a blank."""
    environment = inventory.environment
    lab = f", lab {environment.lab}" if environment.lab else ""
    head = [
        f"environment  {environment.name} ({environment.cloud}{lab})",
        f"regions      {', '.join(inventory.regions) or 'none named'}",
    ]
    hosts = [(host.id, host.role.value, _reached(host)) for host in inventory.hosts]
    sites = [(site.id, "+".join(site.families), _asked(site)) for site in inventory.sites]
    parts = [
        *head,
        f"vantages     {len(hosts)}",
        *_aligned(hosts),
        f"sites        {len(sites)}",
        *_aligned(sites),
        *_counted("engines", [(docker.host, docker.url) for docker in inventory.dockers]),
        *_counted(
            "clusters", [(known.id, "+".join(known.families)) for known in inventory.clusters]
        ),
        *_counted(
            "services", [(known.id, "+".join(known.families)) for known in inventory.services]
        ),
        *_counted(
            "balancers",
            [(known.id, "+".join(known.families)) for known in inventory.load_balancers],
        ),
        *_counted("images", [(image.id, image.mirror) for image in inventory.images]),
    ]
    return "\n".join(parts) + "\n"


def _counted(what: str, rows: list[tuple[str, str]]) -> list[str]:
    return [f"{what:13}{len(rows)}", *_aligned(rows)] if rows else []


def _reached(host: Host) -> str:
    """How a host is reached, in words."""
    if host.local:
        way = "this machine"
    elif host.namespace is not None:
        way = _spelled(host.namespace)
    elif host.container is not None:
        way = f"docker exec {host.container.name}"
    elif host.debug_image:
        way = f"a pod of {host.debug_image} on it"
    elif host.pod is not None:
        way = f"kubectl exec in a pod with {host.pod.selector}"
    else:
        way = f"ssh {_spelled(host.ssh)}" if host.ssh is not None else "no way in"
    via = f" via {_spelled(host.via)}" if host.via is not None else ""
    behind = f", behind {host.behind}" if host.behind else ""
    other = f", else {_spelled(host.management)}" if host.management is not None else ""
    return f"{way}{via}{other}{behind}"


def _asked(site: Site) -> str:
    return f"{site.url} (only from {site.region})" if site.region else site.url


def _spelled(value: Login | Namespace | str) -> str:
    if isinstance(value, str):
        return value
    return NAMESPACE_PREFIX + value.name if isinstance(value, Namespace) else spell_login(value)


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows as columns two blanks apart, indented."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
