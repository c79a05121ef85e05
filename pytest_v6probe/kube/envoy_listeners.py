"""Where does an Envoy listen, on addresses of which family? Its admin interface's ``/listeners`` and
``/config_dump``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_v6probe.kube import envoy, families
from pytest_v6probe.result import Family

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_v6probe.kube.fields import Fields
    from pytest_v6probe.result import Address, Endpoint

OUTBOUND, INBOUND = "virtualOutbound", "virtualInbound"
"""What Istio calls the listeners that take what a pod sends, and what it is sent."""

OWN_PORTS = ("15021", "15090")
"""Of Istio's listeners for a pod's readiness and its metrics."""

_OF_PORT = re.compile(r"[0-9a-fA-F.:]{2,45}_([0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One listener and every address of it."""

    name: str
    addresses: tuple[Endpoint, ...] = ()
    """Its own, then its additional ones."""
    ipv4_compat: bool = False
    """Whether its ``::`` takes IPv4 too."""

    @property
    def families(self) -> frozenset[Family]:
        """The families that it takes connections of."""
        found = {families.of(one.address) for one in self.addresses}
        mapped = self.ipv4_compat and any(_is_ipv6_wildcard(one.address) for one in self.addresses)
        return frozenset(found | {Family.IPV4} if mapped else found)

    @property
    def wildcard(self) -> bool:
        """Whether one of its addresses is that of nobody: it takes what comes for any."""
        return any(one.address.is_unspecified for one in self.addresses)

    @property
    def of_service(self) -> bool:
        """Whether it is for the connections to services at one port, which another listener takes and
        hands to it: Istio names such by address and port.
        """
        named = _OF_PORT.fullmatch(self.name)
        return named is not None and named[1] not in OWN_PORTS

    def takes(self, address: Address, port: int) -> bool:
        """Whether what was sent to *address* and *port* is for it."""
        return any(
            one.port == port
            and (
                one.address == address
                or (one.address.is_unspecified and families.of(address) in self.families)
            )
            for one in self.addresses
        )


def _is_ipv6_wildcard(address: Address) -> bool:
    return address.version == 6 and address.is_unspecified


def listeners(said: Fields, compatible: Collection[str] = ()) -> tuple[Listener, ...]:
    """Read ``/listeners?format=json``. It does not tell ``ipv4_compat``: those called as in
    *compatible* have it. Raises Malformed.
    """
    return tuple(
        Listener(
            name=(name := entry.text("name")),
            addresses=envoy.sockets(entry, "local_address", "additional_local_addresses"),
            ipv4_compat=name in compatible,
        )
        for entry in envoy.each(said, "listener_statuses")
    )


def compatible(said: Fields) -> frozenset[str]:
    """The names of the listeners with ``ipv4_compat`` in a ``/config_dump`` of the resource
    ``static_listeners`` or ``dynamic_listeners``. Raises Malformed.
    """
    known = []
    for entry in envoy.each(said, "configs"):
        active = entry.inner("active_state")
        known.append((active if active.said else entry).inner("listener"))
    return frozenset(one.text("name") for one in known if _has_compat(one))


def _has_compat(listener: Fields) -> bool:
    more = [entry.inner("address") for entry in envoy.each(listener, "additional_addresses")]
    return any(
        address.inner("socket_address").flag("ipv4_compat")
        for address in (listener.inner("address"), *more)
    )
