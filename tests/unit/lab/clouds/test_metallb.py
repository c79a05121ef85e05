"""Has a lab's cluster MetalLB where its plan says so, and nothing of it elsewhere?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_v6probe.inventory.model import LoadBalancer
from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.clouds import metallb, metallb_objects
from pytest_v6probe.lab.clouds.clusters import PLANS
from tests.unit.lab.clouds.filled import contents

OTHERS = sorted(set(PLANS) - {"metallb"})


@pytest.mark.parametrize("kind", OTHERS)
def test_no_other_cluster_pays_for_metallb(kind: str):
    daemon = contents(kind)
    assert not any("metallb" in path for path, _ in daemon.objects)
    assert daemon.stated == ()
    known = shapes.shape(kind, name="test").inventory.load_balancers
    assert not any(balancer.pool for balancer in known)


def test_the_cluster_is_ready_when_speakers_announce_each_service():
    daemon = contents("metallb")
    assert daemon.pods[-2:] == (
        ("metallb-system", "component=controller", 1),
        ("metallb-system", "component=speaker", 2),
    )
    assert daemon.stated == (
        ("/apis/metallb.io/v1beta1/namespaces/metallb-system/servicel2statuses", 2),
    )
    assert daemon.reminded == tuple(
        f"/api/v1/namespaces/default/services/{name}" for name in ("web-lb", "web-lb-local")
    )


def test_the_inventory_says_what_is_to_have_external_addresses():
    known: dict[str, Any] = {
        "cluster": "metallb/lab",
        "families": ("ipv6", "ipv4"),
        "pool": metallb_objects.POOL,
    }
    assert shapes.shape("metallb", name="test").inventory.load_balancers == (
        LoadBalancer(name="web-lb", **known),
        LoadBalancer(name="web-lb-local", client_address_page="/cgi-bin/address", **known),
    )


def test_the_pool_is_on_the_link_of_the_nodes_and_none_of_them_has_its_addresses():
    plan = PLANS["metallb"]
    links = {known.link.version: known.link for known in (plan.ipv6, plan.ipv4)}
    for net in metallb_objects.POOL:
        assert net[0] in links[net.version]
        assert net[-1] in links[net.version]
        own = {member.address(net.version) for member in plan.members}
        assert not any(address in net for address in own)


def test_what_is_made_for_metallb_is_made_for_each_plan_that_has_it():
    programs = Path("/home/x/bin")
    made = metallb.objects(PLANS["metallb"], programs)
    assert made == tuple(metallb_objects.objects(programs))
    assert metallb.objects(PLANS["kind"], programs) == ()
