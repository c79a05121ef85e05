"""Why do the pods of a node not answer those of another, and what is to be looked at on which node?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.kube import families

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_v6probe.result import Address

Cause = tuple[str, str]


def not_forwarded(here: str, address: Address) -> Cause:
    """Where no pod is reached from the node *here*, its own ones included; *address* is of one."""
    return (
        f"{here} does not forward {_word(address)}: no other pod is reached, its own ones included",
        f"{_forwarding(address)}  # on {here}, and {_route(address)}",
    )


def unreached(
    here: str, there: Collection[str], address: Address, *, routeless: bool, answering: bool
) -> Cause:
    """Where the pods of the nodes *there* are not reached from *here*; *address* is of one.

    *routeless*: an ICMP error, or the kernel, said that there is no way. *answering*: a node of them
    is reached itself.
    """
    nodes, word = " and ".join(there), _word(address)
    if routeless:
        return (
            f"{here} has no {word} route to the pods of {nodes}",
            f"{_route(address)}  # on {here}; then the routes that the CNI, or the cloud, is to "
            "make there",
        )
    if answering:
        return (
            f"nothing comes back over {word} to {here} from the pods of {nodes}, from the node itself "
            f"it does: {nodes} does not forward, or does not know the way to its own pods",
            f"{_forwarding(address)}  # on {nodes}, and {_route(address)}",
        )
    return (
        f"nothing comes back over {word} to {here} from {nodes}, neither from its pods nor from itself: "
        "there is no route between the two, or one of them does not forward",
        f"{_route(address)}  # on {here}; {_forwarding(address)}  # on either, and the way back "
        f"on {nodes}",
    )


def _word(address: Address) -> str:
    return families.SHOWN[families.of(address)]


def _route(address: Address) -> str:
    return f"ip -{address.version} route get {address}"


def _forwarding(address: Address) -> str:
    return f"sysctl net.ipv{address.version}.conf.all.forwarding"
