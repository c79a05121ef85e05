"""Does a container that is started get looked at, and removed whatever happens?"""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.actions.containers import LIFE, NewContainer, new_container
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory.model import Docker, Host
from pytest_v6probe.transport.docker.sdk import Refusal
from pytest_v6probe.vantage import Vantage

ADDRESS = IPv6Address("2001:db8:c::2")


class Engine:
    """Starts what it is told to, and writes down what is done to it."""

    def __init__(self, inspected, started="id-1") -> None:
        self.inspected, self.started = inspected, started
        self.log: list[tuple[object, ...]] = []

    def run(self, image, *, command, network, timeout_s):
        self.log.append(("run", image, tuple(command), network))
        return self.started

    def inspect(self, container, *, timeout_s):
        return self.inspected

    def remove_container(self, container, *, timeout_s):
        self.log.append(("remove", container))


def addressed(text):
    return {"NetworkSettings": {"Networks": {"bridge": {"GlobalIPv6Address": text}}}}


def vantage(engine, *, image="alpine", disruptive=True):
    host = Host(name="h", local=True)
    witnessed: list = []
    made = Vantage(
        name="h",
        region="",
        host=host,
        connect=lambda: pytest.fail("no agent is wanted"),
        prefixes=lambda _: frozenset(),
        witness=witnessed.append,
        docker=Docker(host="h", image=image),
        open_engine=lambda: engine,
        disruptive=disruptive,
    )
    return made, witnessed


@pytest.mark.parametrize(
    ("inspected", "verdict", "address"),
    [
        (addressed(str(ADDRESS)), "addressed", ADDRESS),
        (addressed(""), "no-address", None),
        (addressed(7), "no-address", None),
        ({}, "no-address", None),
        ({"NetworkSettings": []}, "no-address", None),
        (Refusal(404, "gone"), "refused", None),
    ],
)
def test_the_address_is_what_the_engine_says(inspected, verdict, address):
    engine = Engine(inspected)
    host, witnessed = vantage(engine)
    with new_container(host) as found:
        assert engine.log == [("run", "alpine", LIFE, "bridge")]
    assert (found.verdict, found.address) == (verdict, address)
    assert witnessed == [found]
    assert engine.log[1:] == [("remove", "id-1")]


def test_an_engine_that_refuses_is_a_finding_and_nothing_is_removed():
    engine = Engine({}, started=Refusal(409, "no such network"))
    host, _ = vantage(engine)
    with new_container(host) as found:
        assert isinstance(found, NewContainer)
    assert (found.verdict, len(engine.log)) == ("refused", 1)
    assert "no such network" in found.evidence[0]


def test_it_is_removed_when_the_test_fails():
    engine = Engine(addressed(str(ADDRESS)))
    host, _ = vantage(engine)
    with pytest.raises(KeyError), new_container(host):
        raise KeyError
    assert engine.log[-1] == ("remove", "id-1")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"disruptive": False}, "not-disruptive"), ({"image": ""}, "no-image-given")],
)
def test_nothing_is_started_where_that_is_not_allowed_or_no_image_is_named(changes, reason):
    engine = Engine({})
    host, _ = vantage(engine, **changes)
    with pytest.raises(Unobserved) as caught, new_container(host):
        pytest.fail("it was started")
    assert (caught.value.reason, engine.log) == (reason, [])
