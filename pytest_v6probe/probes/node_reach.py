"""Is a node itself reached, whatever becomes of its pods? Its kubelet's port is knocked at: who refuses
is reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.agent import wire
from pytest_v6probe.kube import families
from pytest_v6probe.result import Endpoint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.kube.nodes import Node
    from pytest_v6probe.result import Address, Family

Knock = tuple[str, Endpoint]
"""A node's name, and where it is knocked at."""

KUBELET_PORT = 10250
MOST = 64
_REACHED = frozenset({"answered", "refused", "reset"})


def knocks(nodes: Iterable[Node], names: Collection[str], family: Family) -> tuple[Knock, ...]:
    """Where to knock at those of *nodes* that are called one of *names*, over *family*."""
    found: dict[str, Endpoint] = {}
    for node in nodes:
        for address in node.addresses if node.name in names else ():
            if families.of(address) is family:
                found.setdefault(node.name, Endpoint(address, KUBELET_PORT))
    return tuple(found.items())[:MOST]


def operation(knock: Knock, *, timeout_s: float) -> Operation:
    """Connect to the node, and close."""
    address = knock[1].address
    return wire.stream(address, KUBELET_PORT, family=address.version, timeout_s=timeout_s)


def reached(asked: tuple[Knock, ...], replies: Iterable[Reply]) -> frozenset[str]:
    """The names of the nodes that anything came back from."""
    return frozenset(
        name for (name, _), reply in zip(asked, replies, strict=True) if reply.outcome in _REACHED
    )


def node_of(address: Address, nodes: Iterable[Node]) -> str:
    """The node that has *address*, or gives it to its pods; empty if none says so."""
    return next(
        (
            node.name
            for node in nodes
            if address in node.addresses or any(address in own for own in node.pod_ranges)
        ),
        "",
    )
