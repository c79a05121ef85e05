"""Does a program that is to run as root at a vantage need sudo?"""

from __future__ import annotations

from pytest_v6probe.inventory.model import Host
from pytest_v6probe.transport.channel import Transport
from pytest_v6probe.transport.netns import NamespaceTransport


def needed(host: Host, transport: Transport) -> bool:
    """Whether *host* wants sudo and what *transport* starts is not root's anyway: in a namespace of
    a lab everything is.
    """
    return host.sudo and not isinstance(transport, NamespaceTransport)
