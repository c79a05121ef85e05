"""Whose container does an address and port lead to?"""

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.inventory.model import Container, Environment, Host, Inventory
from pytest_v6probe.result import Endpoint

CARRIER = Host(name="docker-1", region="east", address=IPv6Address("2001:db8::1"))
WEB = Host(
    name="web",
    region="east",
    behind="docker-1",
    address=IPv6Address("2001:db8:c::10"),
    container=Container(name="web", port=80, published_port=8080),
)
PLAIN = Host(name="plain", region="east", behind="docker-1", container=Container(name="plain"))
INVENTORY = Inventory(
    environment=Environment(name="prod", cloud="aws"), hosts=(CARRIER, PLAIN, WEB)
)


@pytest.mark.parametrize(
    ("address", "port", "carrier"),
    [
        pytest.param("2001:db8:c::10", 80, CARRIER, id="its-own-address"),
        pytest.param("2001:db8:c::10", 0, CARRIER, id="its-own-address-pinged"),
        pytest.param("2001:db8::1", 8080, CARRIER, id="its-published-port"),
        pytest.param("2001:db8::1", 22, None, id="another-port-of-its-host"),
        pytest.param("2001:db8::1", 0, None, id="its-host-pinged"),
        pytest.param("2001:db8:c::11", 80, None, id="another-address"),
    ],
)
def test_a_container_is_known_by_its_address_and_by_its_published_port(address, port, carrier):
    assert INVENTORY.carrier_of(Endpoint(IPv6Address(address), port)) == carrier
