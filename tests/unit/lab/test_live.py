"""Is a lab's https site handed out with the authority that only the running lab knows?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pytest_v6probe.errors import LabError, Unobserved
from pytest_v6probe.inventory.dump import to_toml
from pytest_v6probe.lab import live
from pytest_v6probe.lab.certificates import authority
from pytest_v6probe.lab.clouds import aws
from pytest_v6probe.lab.loop import Loop
from pytest_v6probe.lab.process import Processes
from pytest_v6probe.lab.running import Lab
from pytest_v6probe.session import Settings, V6Session
from pytest_v6probe.transport.netns import Keeper

SHAPE = aws.shape("test")
(HTTPS,) = [site for site in SHAPE.inventory.sites if site.https]


class Told(Keeper):
    """A keeper's connection that tells of *lab*, and notes what it was asked."""

    def __init__(self, lab: Lab | LabError) -> None:
        self.lab, self.name = lab, "test"
        self.asked: list[Mapping] = []

    def request(self, message, *, timeout_s=1.0):
        self.asked.append(message)
        if isinstance(self.lab, LabError):
            raise self.lab
        return {"ok": True, "inventory": to_toml(self.lab.inventory)}, ()


@pytest.fixture
def lab() -> Lab:
    return Lab(shape=SHAPE, loop=Loop(), processes=Processes(), _authority=authority())


def test_a_running_lab_gives_its_authority_to_https_sites_alone(lab):
    trusted = [site for site in lab.inventory.sites if site.ca]
    assert trusted == [replace(HTTPS, ca=lab._authority.pem)]
    assert replace(lab.inventory, sites=SHAPE.inventory.sites) == SHAPE.inventory


def test_a_lab_without_an_authority_is_as_it_was_declared():
    assert Lab(shape=SHAPE, loop=Loop(), processes=Processes()).inventory == SHAPE.inventory


def test_the_live_inventory_is_what_the_keeper_tells(lab):
    told = Told(lab)
    assert live.inventory(told, timeout_s=3).sites == lab.inventory.sites
    assert told.asked == [{"do": "wait", "timeout_s": 3}]


def test_a_lab_that_has_ended_cannot_be_asked():
    with pytest.raises(Unobserved, match="is gone") as caught:
        live.inventory(Told(LabError("the keeper is gone")), timeout_s=3)
    assert caught.value.reason == "no-lab"


def test_a_session_asks_the_lab_for_a_site_only_where_its_authority_is_not_known(lab):
    told, known = Told(lab), replace(HTTPS, ca="-----BEGIN CERTIFICATE-----\n")
    settings = Settings(lab_name="test", guardian_pid=0)
    made = V6Session(settings=settings, inventory=SHAPE.inventory, _keeper=told)
    assert made.site("www.google.com").ca == ""
    assert told.asked == []
    assert made.site(HTTPS.name).ca == lab._authority.pem
    assert len(told.asked) == 1
    stated = V6Session(settings=settings, inventory=replace(SHAPE.inventory, sites=(known,)))
    assert stated.site(HTTPS.name) is known
