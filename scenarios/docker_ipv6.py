"""Docker on IPv6 (BRKIPV-3927, rows G1 and G2): do containers have IPv6, and does the host keep its
own?
"""

from __future__ import annotations

import pytest

from pytest_v6probe import (
    Cloud,
    Path,
    Site,
    Vantage,
    addresses,
    capture,
    daemon_json,
    docker_engine,
    docker_network,
    first_ipv6_network,
    http,
    imds,
    neighbour_proxy,
    new_container,
    ping,
    pmtu,
    ra_owner,
    resolver,
    restart_engine,
    route_survival,
    url_at,
)

pytestmark = pytest.mark.v6_lab("docker")

LOG_SIZE = {"log-opts": {"max-size": "5m"}}  # a change of daemon.json that no packet notices


# Row G1, daemon.json with ipv6 and fixed-cidr-v6


def test_the_engine_runs_as_daemon_json_says(docker_host: Vantage) -> None:
    engine = docker_engine(docker_host)
    assert engine.verdict == "agrees"
    assert engine.ipv6


def test_the_engine_filters_ipv6(docker_host: Vantage) -> None:
    engine = docker_engine(docker_host)
    assert engine.ip6tables


def test_the_default_network_has_the_prefix_of_daemon_json(docker_host: Vantage) -> None:
    engine = docker_engine(docker_host)
    network = docker_network(docker_host, "bridge")
    assert network.verdict == "ipv6"
    assert engine.fixed_cidr_v6 in network.prefixes


@pytest.mark.disruptive
def test_a_new_container_has_a_usable_address_in_the_prefix(docker_host: Vantage) -> None:
    network = docker_network(docker_host, "bridge")
    with new_container(docker_host) as fresh:
        assert fresh.address is not None
        echo = ping(docker_host, fresh.address)
    assert echo.verdict == "answered"
    assert any(fresh.address in prefix for prefix in network.prefixes)


# Row G1, what a container reaches


def test_a_container_may_use_its_global_address(container: Vantage) -> None:
    found = addresses(container, container.host.address)
    assert found.verdict == "usable"


def test_a_container_gets_answers_from_the_resolver(container: Vantage, cloud: Cloud) -> None:
    answer = resolver(container, cloud.resolver)
    assert answer.verdict == "answered"


def test_a_container_reaches_a_dual_stack_site_natively(
    container: Vantage, dual_stack_site: Site
) -> None:
    page = http(container, dual_stack_site.url, ca=dual_stack_site.ca)
    assert page.answered
    assert page.path is Path.NATIVE


def test_a_container_reaches_an_ipv4_only_site_through_nat64(
    container: Vantage, ipv4_only_site: Site
) -> None:
    page = http(container, ipv4_only_site.url, ca=ipv4_only_site.ca)
    assert page.status == 200
    assert page.path is Path.NAT64


def test_large_packets_reach_a_container(container: Vantage, dual_stack_site: Site) -> None:
    transfer = pmtu(
        container, dual_stack_site.url, large_url=dual_stack_site.large_url, ca=dual_stack_site.ca
    )
    assert transfer.whole


def test_metadata_that_may_travel_one_hop_does_not_reach_a_container(
    container: Vantage, cloud: Cloud
) -> None:
    assert cloud.metadata is not None
    answer = imds(container, cloud.metadata.hostname_path, service=cloud.metadata, timeout_s=1.0)
    assert answer.verdict == "token-unanswered"


# Row G1, how a container is reached


def test_a_container_is_reached_from_outside_on_its_own_address(
    outside_host: Vantage, served_container: Vantage
) -> None:
    page = http(outside_host, url_at(served_container.address, served_container.container.port))
    assert page.answered
    assert page.reached == served_container.address


def test_packets_for_a_container_get_to_its_host_by_route_or_by_proxy(
    docker_host: Vantage, served_container: Vantage
) -> None:
    found = neighbour_proxy(docker_host, served_container.address)
    assert found.verdict in {"routed", "proxied"}


def test_a_published_port_answers_on_the_address_of_the_host(
    outside_host: Vantage, docker_host: Vantage, published_container: Vantage
) -> None:
    port = published_container.container.published_port
    page = http(outside_host, url_at(docker_host.address, port))
    assert page.answered
    assert page.reached == docker_host.address


def test_a_server_in_a_container_sees_who_asks_it(
    outside_host: Vantage, docker_host: Vantage, published_container: Vantage
) -> None:
    port = published_container.container.published_port
    with capture(published_container, ports=[published_container.container.port]) as seen:
        page = http(outside_host, url_at(docker_host.address, port))
    assert page.answered
    assert outside_host.address in seen.packets.addresses


# Row G2, the default route learned from router advertisements


def test_one_program_alone_handles_router_advertisements(docker_host: Vantage) -> None:
    found = ra_owner(docker_host)
    assert found.verdict == "one-owner"


@pytest.mark.disruptive
def test_the_default_route_survives_a_restart_of_the_engine(
    docker_host: Vantage, ra_interval_s: float
) -> None:
    route = route_survival(docker_host, restart_engine(), within_s=2 * ra_interval_s)
    assert route.verdict == "renewed"
    assert not route.refused


@pytest.mark.disruptive
def test_the_default_route_survives_the_first_ipv6_network(
    docker_host: Vantage, ra_interval_s: float
) -> None:
    route = route_survival(docker_host, first_ipv6_network(), within_s=2 * ra_interval_s)
    assert route.verdict == "renewed"
    assert not route.refused


@pytest.mark.disruptive
def test_the_default_route_survives_a_change_of_daemon_json(
    docker_host: Vantage, ra_interval_s: float
) -> None:
    route = route_survival(docker_host, daemon_json(LOG_SIZE), within_s=2 * ra_interval_s)
    assert route.verdict == "renewed"
    assert not route.refused
