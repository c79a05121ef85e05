"""Is sudo asked only where the host wants it and the program is not root's anyway?"""

import socket
from contextlib import closing

import pytest

from pytest_v6probe.inventory.model import Host
from pytest_v6probe.transport import sudo
from pytest_v6probe.transport.local import LocalTransport
from pytest_v6probe.transport.netns import Keeper, NamespaceTransport


@pytest.mark.parametrize("wanted", [True, False])
def test_an_ordinary_user_asks_sudo_where_the_host_wants_it(wanted):
    assert sudo.needed(Host(name="web-1", sudo=wanted), LocalTransport()) is wanted


def test_in_a_namespace_of_a_lab_nobody_asks_sudo():
    with closing(Keeper(socket.socket(), name="lab")) as keeper:
        way = NamespaceTransport(keeper, "web-1")
        assert sudo.needed(Host(name="web-1", sudo=True), way) is False
