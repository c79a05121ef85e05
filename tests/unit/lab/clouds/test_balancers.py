"""Does the load balancer of a cloud say the addresses that the region's router answers at?"""

from __future__ import annotations

import pytest

from pytest_v6probe.inventory.model import LoadBalancer
from pytest_v6probe.kube.load_balancers import load_balancer
from pytest_v6probe.lab import shapes
from pytest_v6probe.lab.clouds import balancers
from pytest_v6probe.lab.clouds.balancers import BALANCERS
from pytest_v6probe.lab.clouds.cluster_network import POOL
from pytest_v6probe.lab.clouds.clusters import PLANS

EVERY = pytest.mark.parametrize("kind", BALANCERS)


@EVERY
def test_the_internet_finds_the_way_to_each_address_and_no_host_of_the_region_has_it(kind: str):
    plan, known = PLANS[kind], BALANCERS[kind]
    for address in known.addresses:
        assert address in (plan.block if address.version == 6 else POOL)
        assert all(address != member.address(address.version) for member in plan.members)
        assert not any(
            address in prefix for prefix in plan.pods if prefix.version == address.version
        )


@EVERY
def test_the_router_sends_what_comes_for_the_service_to_a_node(kind: str):
    plan = PLANS[kind]
    router = shapes.shape(kind, name="test").topology.node(plan.node("router"))
    for address in BALANCERS[kind].addresses:
        node = plan.members[0].address(address.version)
        where = f"[{node}]:30090" if address.version == 6 else f"{node}:30090"
        word = "ip6" if address.version == 6 else "ip"
        assert f"{word} daddr {address} tcp dport 80 dnat {word} to {where}\n" in router.nft


@EVERY
def test_the_inventory_has_one_load_balancer_that_keeps_its_clients(kind: str):
    plan = PLANS[kind]
    known = LoadBalancer(
        name="web-lb",
        cluster=f"{plan.region}/lab",
        families=plan.families,
        client_address_page="/cgi-bin/address",
    )
    assert shapes.shape(kind, name="test").inventory.load_balancers == (known,)


def test_the_name_of_an_nlb_is_in_the_dns_and_its_service_asks_for_both_families():
    plan = PLANS["eks"]
    ((path, said),) = balancers.objects(plan)
    whole = {**said, "metadata": {**said["metadata"], "namespace": "default"}}
    found = load_balancer(whole)
    assert path == "/api/v1/namespaces/default/services"
    assert (found.of_aws, found.ip_address_type) == (True, "dualstack")
    (name,) = found.names
    ((zone, text),) = balancers.zones(plan).items()
    label = name.removesuffix(f".{zone}")
    assert f"\n{label} 60 AAAA 2600:1f18:d:f70a::8080\n" in text


@pytest.mark.parametrize("kind", sorted(set(PLANS) - set(BALANCERS)))
def test_no_other_cluster_has_one(kind: str):
    plan = PLANS[kind]
    assert (list(balancers.objects(plan)), balancers.rules(plan), balancers.zones(plan)) == (
        [],
        "",
        {},
    )
