"""Do only those hosts and sites meet that belong together?"""

from __future__ import annotations

from ipaddress import IPv6Address

from pytest_v6probe import fixtures
from pytest_v6probe.inventory.candidates import CLUSTERS, IMAGES, KEYS, ROLES, TARGETS
from pytest_v6probe.inventory.choice import FAMILY, Choice, choose
from pytest_v6probe.inventory.model import (
    Container,
    Docker,
    Environment,
    Host,
    Image,
    Inventory,
    Role,
    Site,
)

ADDRESS = IPv6Address("2001:db8::1")
INVENTORY = Inventory(
    environment=Environment(name="prod", cloud="aws"),
    hosts=(
        Host(name="a", region="east", local=True, address=ADDRESS, resource_name="i-a"),
        Host(name="p", region="east", local=True, role=Role.EGRESS_ONLY),
        Host(name="t", region="east", local=True, role=Role.NESTED, behind="a"),
        Host(name="a", region="west", local=True),
        Host(name="o", local=True, role=Role.OUTSIDE),
    ),
    sites=(
        Site(name="v4.example", url="http://v4.example/", families=("ipv4",)),
        Site(
            name="both.example",
            url="http://both.example/",
            families=("ipv6", "ipv4"),
            region="west",
        ),
    ),
)
PRIVATE = Site(name="v6.example", url="HTTPS://v6.example/", families=("ipv6",))
PUBLIC = Site(name="www.example", url="https://www.example/", families=("ipv4", "ipv6"))
OLD = Site(name="old.example", url="https://old.example/", families=("ipv4",))


def test_every_run_of_a_pair_is_listed_in_the_order_of_the_inventory():
    assert choose(INVENTORY, ["ec2_host", "request", "ipv4_only_site"]) == Choice(
        fixtures=("ec2_host", "ipv4_only_site"),
        vantage=0,
        runs=(("east/a", "v4.example"), ("east/p", "v4.example"), ("west/a", "v4.example")),
    )


def test_the_first_host_is_the_vantage_and_the_second_shares_its_region():
    assert choose(INVENTORY, ["outside_host", "egress_only_host"]).runs == (("o", "east/p"),)
    assert choose(INVENTORY, ["public_host", "egress_only_host"]).runs == (("east/a", "east/p"),)


def test_a_nested_host_meets_only_the_host_it_is_behind():
    assert choose(INVENTORY, ["nested_host", "ec2_host"]).runs == (("east/t", "east/a"),)


def test_a_site_of_a_region_is_asked_from_that_region_and_from_outside_any():
    assert choose(INVENTORY, ["v6_name", "dual_stack_site"]).runs == (
        ("west/a", "both.example"),
        ("o", "both.example"),
    )


def test_an_https_site_has_ipv6_whatever_else_it_has():
    sites = (*INVENTORY.sites, OLD, PRIVATE, PUBLIC)
    inventory = Inventory(environment=INVENTORY.environment, sites=sites, hosts=INVENTORY.hosts[:1])
    assert choose(inventory, ["ec2_host", "https_site"]).runs == (
        ("east/a", "v6.example"),
        ("east/a", "www.example"),
    )


def test_only_hosts_that_have_the_key_run():
    assert choose(INVENTORY, ["ec2_host", "resource_name", "v6_name"]) == Choice(
        fixtures=("ec2_host", "v6_name"), vantage=0, runs=(("east/a", "east/a"),)
    )
    assert choose(INVENTORY, ["resource_name"]).runs == (("east/a",),)


def test_regions_and_patterns_limit_the_vantage():
    assert choose(INVENTORY, ["v6_name"], regions=["west"]).runs == (("west/a",), ("o",))
    assert choose(INVENTORY, ["v6_name"], patterns=["*/t", "o"]).runs == (("east/t",), ("o",))


def test_a_test_that_asks_for_nothing_runs_once():
    assert choose(INVENTORY, ["request", "tmp_path", "cloud"]) == Choice(fixtures=(), runs=((),))


def test_what_is_missing_is_said():
    empty = Inventory(environment=INVENTORY.environment, source="prod.toml")
    assert [
        choose(empty, [name]).reason
        for name in ("nested_host", "public_host", "imds_tokens", "ipv4_only_site")
    ] == [
        'prod.toml has no [[host]] with role = "nested"',
        'prod.toml has no [[host]] with role = "instance" and a global IPv6 address (key address or ssh)',
        'prod.toml has no [[host]] with role = "instance" or "egress-only" or "nested" or "outside" or "node" '
        "and the key imds_tokens",
        'prod.toml has no [[site]] with families = ["ipv4"]',
    ]
    assert choose(INVENTORY, ["https_site"]).reason == (
        'prod has no [[site]] with families = ["ipv6"] and an https url'
    )
    assert choose(INVENTORY, ["ec2_host", "dual_stack_site"], regions=["east"]).reason == (
        "prod has no ec2_host and dual_stack_site that belong together (same region, or one behind the other)"
    )
    assert choose(INVENTORY, ["egress_only_host"], regions=["west"], patterns=["x*"]).reason == (
        "prod has no [[host]] with role = \"egress-only\" in west that v6_vantage('x*') names"
    )


def test_every_fixture_that_is_chosen_exists():
    assert [
        name for name in (*ROLES, *CLUSTERS, *TARGETS, *KEYS, FAMILY) if not hasattr(fixtures, name)
    ] == []


def container(carrier: str, name: str, **known) -> Host:
    inside = Container(name=name, **{key: known.pop(key) for key in list(known) if "port" in key})
    return Host(
        name=f"{carrier}.{name}",
        region="east",
        role=Role.CONTAINER,
        behind=carrier,
        container=inside,
        **known,
    )


ENGINES = Inventory(
    environment=Environment(name="prod", cloud="aws"),
    hosts=(
        Host(name="a", region="east", local=True),
        Host(name="b", region="east", local=True),
        Host(name="o", local=True, role=Role.OUTSIDE),
        container("a", "web", address=ADDRESS, port=80, published_port=8080),
        container("b", "plain"),
    ),
    dockers=(Docker(host="east/a"), Docker(host="east/b")),
    images=(
        Image(reference="alpine", mirror="mirror.example"),
        Image(reference="own.example/alpine", push=True),
        Image(reference="public.ecr.aws/x/y"),
    ),
    sites=(
        Site(
            name="s3.dualstack.us-west-2.amazonaws.com",
            url="http://s3.dualstack.us-west-2.amazonaws.com/",
            families=("ipv4", "ipv6"),
        ),
        Site(name="x.example", url="http://x.example/", families=("ipv4", "ipv6")),
    ),
)


def test_a_docker_host_is_one_that_an_engine_names():
    assert choose(ENGINES, ["docker_host"]).runs == (("east/a",), ("east/b",))
    assert (
        choose(INVENTORY, ["docker_host"]).reason == "prod has no [[host]] that a [[docker]] names"
    )


def test_a_container_meets_only_the_host_of_its_engine():
    assert choose(ENGINES, ["container"]).runs == (("east/a.web",), ("east/b.plain",))
    assert choose(ENGINES, ["docker_host", "container"]).runs == (
        ("east/a", "east/a.web"),
        ("east/b", "east/b.plain"),
    )


def test_a_container_without_ports_is_not_reached():
    assert choose(ENGINES, ["outside_host", "served_container"]).runs == (("o", "east/a.web"),)
    assert choose(ENGINES, ["published_container"]).runs == (("east/a.web",),)
    assert choose(INVENTORY, ["served_container"]).reason == (
        "prod has no [[container]] and the keys address and port"
    )


def test_a_container_is_no_host_by_name():
    assert choose(ENGINES, ["v6_name"]).runs == (("east/a",), ("east/b",), ("o",))


def test_images_are_chosen_by_what_is_said_of_them():
    chosen = {name: [run[0] for run in choose(ENGINES, [name]).runs] for name in IMAGES}
    assert chosen == {
        "image": ["alpine", "own.example/alpine", "public.ecr.aws/x/y"],
        "direct_image": ["own.example/alpine", "public.ecr.aws/x/y"],
        "pushable_image": ["own.example/alpine"],
        "mirrored_image": ["alpine"],
        "ecr_public_image": ["public.ecr.aws/x/y"],
    }
    assert (
        choose(INVENTORY, ["mirrored_image"]).reason == "prod has no [[image]] with the key mirror"
    )


def test_an_endpoint_of_s3_is_a_site_with_such_a_name():
    assert choose(ENGINES, ["s3_site"]).runs == (("s3.dualstack.us-west-2.amazonaws.com",),)
    assert choose(INVENTORY, ["s3_site"]).reason == (
        'prod has no [[site]] with families = ["ipv4", "ipv6"] and the name of a dual-stack S3 endpoint'
    )
