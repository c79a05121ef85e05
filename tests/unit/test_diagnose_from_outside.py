"""Where a container is not reached from outside, is its host asked, and named if it is to blame?"""

from dataclasses import replace
from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.clouds.aws import AWS
from pytest_v6probe.diagnose import Key, diagnose
from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.probes.forwarding import SYSCTL
from pytest_v6probe.probes.http import Http
from pytest_v6probe.result import Endpoint, Finding, Layer
from tests.unit.probes import seen
from tests.unit.test_diagnose import HTTP, PING, Machine, vantage

WEB = Endpoint(IPv6Address("2600:1f18:d:f70c::10"), 80)
UNREACHED = Http(vantage=seen.VANTAGE, asked=f"GET http://{WEB}/", verdict="timed-out", remote=WEB)


class Carrier(Machine):
    """The host of a container, from which it is reached if told so."""

    def __init__(self, *, reaches, **how):
        super().__init__(**how)
        self.reaches = reaches

    def stream(self, _):
        return Reply("answered" if self.reaches else "refused", remote=WEB)

    echo = stream

    def read(self, operation):
        if operation["patterns"] == [SYSCTL]:
            return seen.read({SYSCTL: "1\n"})
        return super().read(operation)


def docker_host(machine):
    at = vantage(machine)
    at.name = "docker-1"
    return at


@pytest.mark.parametrize(
    ("carrier", "finding", "layer"),
    [
        pytest.param({"reaches": True}, UNREACHED, Layer.FORWARDING, id="its-host-reaches-it"),
        pytest.param({"reaches": False}, UNREACHED, Layer.TCP, id="nobody-reaches-it"),
        pytest.param(
            {"reaches": True, "routes": (), "ra_counted": 0},
            UNREACHED,
            Layer.RA,
            id="its-host-has-no-way-back",
        ),
        pytest.param(
            {"reaches": True},
            replace(PING, remote=Endpoint(WEB.address)),
            Layer.FORWARDING,
            id="it-was-pinged",
        ),
        pytest.param(
            {"reaches": True},
            replace(UNREACHED, verdict="unanswered"),
            Layer.HTTP,
            id="it-was-reached",
        ),
        pytest.param({"reaches": True}, HTTP, Layer.TCP, id="nothing-was-connected-to"),
    ],
)
def test_a_container_that_is_not_forwarded_to_is_named_from_outside(carrier, finding, layer):
    host = docker_host(Carrier(**carrier))
    assert diagnose(vantage(Machine()), finding, AWS, beyond=host).layer is layer


def test_what_is_broken_at_the_host_of_a_container_is_said_to_be_there():
    host = docker_host(Carrier(reaches=True, flags=0x48))
    found = diagnose(vantage(Machine()), UNREACHED, AWS, beyond=host)
    broken = [(rung.layer, rung.line) for rung in found.rungs if not rung.holds]
    assert broken == [
        (
            Layer.ADDRESS,
            f"{seen.HOST} at docker-1: duplicate (eth0 {seen.HOST}/64 dadfailed tentative)",
        ),
        (
            Layer.FORWARDING,
            f"TCP {WEB}, behind docker-1: not-forwarded (outside: timed-out)",
        ),
    ]
    assert found.layer is Layer.ADDRESS


def test_a_host_of_a_container_that_cannot_be_asked_is_left_out():
    def gone():
        raise VantageUnreachable("no way in", reason="timed-out")

    host = docker_host(Carrier(reaches=True))
    host.connect = gone
    at = vantage(Machine())
    assert diagnose(at, UNREACHED, AWS, beyond=host) == diagnose(at, UNREACHED, AWS)


def test_what_is_broken_here_is_not_looked_for_at_the_host_of_a_container():
    carrier = Carrier(reaches=True)
    found = diagnose(vantage(Machine(flags=0x48)), UNREACHED, AWS, beyond=docker_host(carrier))
    assert (found.layer, carrier.batches) == (Layer.ADDRESS, [])


def test_many_failures_to_reach_one_container_ask_its_host_once():
    known: dict[Key, Finding] = {}
    carrier = Carrier(reaches=True)
    for _ in range(2):
        diagnose(vantage(Machine()), UNREACHED, AWS, beyond=docker_host(carrier), seen=known)
    assert carrier.batches[:2] == [["stream"], ["read"]]
    assert len(carrier.batches) == 3
