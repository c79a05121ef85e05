"""AWS, IPv6-only subnet (BRKIPV-3927, rows A1 to A9): what must an EC2 host reach, and how?"""

from __future__ import annotations

from pytest_v6probe import (
    Cloud,
    Path,
    Site,
    Vantage,
    addresses,
    default_route,
    dns64,
    embed,
    eventually,
    http,
    imds,
    imds_without_token,
    ipv4_addresses,
    large_answer,
    lookup,
    nat64,
    nat64_prefixes,
    ntp,
    parity,
    ping,
    pmtu,
    resolv_conf,
    resolver,
    router_advertisements,
    ssh,
    tcp,
    time_daemon,
    tls,
)

NO_SUCH_NAME = "no-such-name.v6probe.invalid"  # RFC 6761 §6.4: it exists nowhere


# Row A1, an instance in an IPv6-native subnet, with resource-based naming


def test_the_host_may_use_its_global_address(ec2_host: Vantage) -> None:
    found = addresses(ec2_host, ec2_host.host.address)
    assert found.verdict == "usable"


def test_the_only_ipv4_address_of_the_host_is_link_local(ec2_host: Vantage) -> None:
    found = ipv4_addresses(ec2_host)
    assert found.verdict in {"none", "link-local"}


def test_the_resource_name_has_the_address_of_the_host(
    ec2_host: Vantage, resource_name: str
) -> None:
    answer = lookup(ec2_host, resource_name, "AAAA")
    assert answer.verdict == "answered"
    assert answer.addresses == {ec2_host.address}


def test_the_host_answers_ping_by_its_resource_name(ec2_host: Vantage, resource_name: str) -> None:
    echo = ping(ec2_host, resource_name)
    assert echo.verdict == "answered"
    assert echo.reached == ec2_host.address


# Row A2, ssh to the literal address


def test_ssh_by_literal_address_ends_at_the_known_host(public_host: Vantage) -> None:
    login = ssh(public_host)
    assert login.verdict == "logged-in"
    assert login.reached == public_host.address


# Row A3, ping -6 www.google.com


def test_a_dual_stack_site_is_reached_natively(ec2_host: Vantage, dual_stack_site: Site) -> None:
    page = http(ec2_host, dual_stack_site.url, ca=dual_stack_site.ca)
    assert page.answered
    assert page.path is Path.NATIVE
    assert page.local is not None


def test_a_dual_stack_site_answers_ping_natively(ec2_host: Vantage, dual_stack_site: Site) -> None:
    echo = ping(ec2_host, dual_stack_site.name)
    assert echo.verdict == "answered"
    assert echo.path is Path.NATIVE


def test_a_dual_stack_site_is_the_same_over_each_family(
    outside_host: Vantage, dual_stack_site: Site
) -> None:
    pages = parity(outside_host, dual_stack_site.url, ca=dual_stack_site.ca)
    assert pages.same


def test_an_https_site_proves_its_name_over_ipv6(ec2_host: Vantage, https_site: Site) -> None:
    handshake = tls(ec2_host, https_site.name, https_site.port, ca=https_site.ca)
    assert handshake.verdict == "verified"
    assert handshake.path is Path.NATIVE


# Row A4, internet gateway and egress-only internet gateway


def test_the_default_route_was_learned_from_a_router_advertisement(ec2_host: Vantage) -> None:
    route = default_route(ec2_host)
    assert route.present
    assert route.origin == "ra"


def test_one_router_alone_is_the_default_router(ec2_host: Vantage) -> None:
    route = default_route(ec2_host)
    assert len(route.gateways) == 1


def test_a_router_offers_itself_by_advertisement(ec2_host: Vantage, ra_interval_s: float) -> None:
    heard = router_advertisements(ec2_host, within_s=2 * ra_interval_s)
    assert heard.verdict == "heard"


def test_router_advertisements_keep_the_default_route_alive(
    ec2_host: Vantage, ra_interval_s: float
) -> None:
    before = default_route(ec2_host)
    assert before.present
    after = eventually(
        lambda: default_route(ec2_host),
        within_s=2 * ra_interval_s,
        until=lambda seen: seen.renewed_since(before) or not seen.present,
    )
    assert after.present
    assert after.gateway == before.gateway
    assert after.renewed_since(before)


def test_a_public_host_accepts_connections_from_outside(
    outside_host: Vantage, public_host: Vantage
) -> None:
    inbound = tcp(outside_host, public_host.address, 22)
    assert inbound.open


def test_an_egress_only_gateway_lets_connections_out(
    egress_only_host: Vantage, dual_stack_site: Site
) -> None:
    outbound = http(egress_only_host, dual_stack_site.url, ca=dual_stack_site.ca)
    assert outbound.answered
    assert outbound.path is Path.NATIVE


def test_an_egress_only_gateway_lets_no_connection_in(
    outside_host: Vantage, egress_only_host: Vantage
) -> None:
    inbound = tcp(outside_host, egress_only_host.address, 22, timeout_s=1.0)
    assert not inbound.open


# Row A5, the instance metadata service at fd00:ec2::254


def test_the_metadata_service_tells_the_hostname_with_a_token(
    ec2_host: Vantage, cloud: Cloud, resource_name: str
) -> None:
    assert cloud.metadata is not None
    answer = imds(ec2_host, cloud.metadata.hostname_path, service=cloud.metadata)
    assert answer.verdict == "answered"
    assert answer.value == resource_name
    assert answer.reached == cloud.metadata.address


def test_the_metadata_service_treats_requests_without_token_as_configured(
    ec2_host: Vantage, cloud: Cloud, imds_tokens: str
) -> None:
    assert cloud.metadata is not None
    answer = imds_without_token(ec2_host, cloud.metadata.hostname_path, service=cloud.metadata)
    assert answer.verdict == {"optional": "allowed", "required": "token-required"}[imds_tokens]


def test_a_metadata_token_reaches_a_container(nested_host: Vantage, cloud: Cloud) -> None:
    assert cloud.metadata is not None
    answer = imds(nested_host, cloud.metadata.hostname_path, service=cloud.metadata)
    assert answer.verdict == "answered"


# Row A6, the time service at fd00:ec2::123


def test_the_time_service_is_synchronised(ec2_host: Vantage, cloud: Cloud) -> None:
    assert cloud.time_server is not None
    answer = ntp(ec2_host, cloud.time_server)
    assert answer.verdict == "synchronised"


def test_the_time_daemon_is_configured_with_the_time_service(
    ec2_host: Vantage, cloud: Cloud
) -> None:
    assert cloud.time_server is not None
    configuration = time_daemon(ec2_host, cloud.time_server)
    assert configuration.verdict == "configured"


# Row A7, the resolver at fd00:ec2::253


def test_the_resolver_answers_over_udp(ec2_host: Vantage, cloud: Cloud) -> None:
    answer = resolver(ec2_host, cloud.resolver, over="udp")
    assert answer.verdict == "answered"


def test_the_resolver_answers_over_tcp(ec2_host: Vantage, cloud: Cloud) -> None:
    answer = resolver(ec2_host, cloud.resolver, over="tcp")
    assert answer.verdict == "answered"


def test_the_resolver_gets_a_large_answer_through(ec2_host: Vantage, cloud: Cloud) -> None:
    answer = large_answer(ec2_host, cloud.resolver, name="google.com", rtype="TXT")
    assert answer.verdict == "answered"
    assert answer.edns_bytes is not None


def test_the_host_asks_resolvers_over_ipv6_only(ec2_host: Vantage) -> None:
    configuration = resolv_conf(ec2_host)
    assert configuration.verdict == "ipv6-only"


# Row A8, DNS64


def test_an_ipv4_only_name_gets_addresses_made_from_its_a_records(
    ec2_host: Vantage, ipv4_only_site: Site, cloud: Cloud
) -> None:
    answer = dns64(ec2_host, ipv4_only_site.name, prefix=cloud.nat64_prefix)
    assert answer.synthesised
    assert answer.embedded == answer.ipv4_addresses
    assert answer.verdict == "synthesised"


def test_prefix_discovery_finds_the_prefix_of_the_cloud(ec2_host: Vantage, cloud: Cloud) -> None:
    found = nat64_prefixes(ec2_host, cloud.nat64_prefix)
    assert found.verdict == "discovered"
    assert found.prefixes == {cloud.nat64_prefix}


def test_a_name_with_a_native_address_is_not_synthesised(
    ec2_host: Vantage, dual_stack_site: Site
) -> None:
    answer = dns64(ec2_host, dual_stack_site.name)
    assert answer.verdict == "native"


def test_a_name_that_does_not_exist_gets_no_address(ec2_host: Vantage) -> None:
    answer = lookup(ec2_host, NO_SUCH_NAME, "AAAA")
    assert answer.verdict == "nxdomain"


# Row A9, NAT64


def test_an_ipv4_only_site_is_reached_through_nat64_by_name(
    ec2_host: Vantage, ipv4_only_site: Site
) -> None:
    page = http(ec2_host, ipv4_only_site.url, ca=ipv4_only_site.ca)
    assert page.status == 200
    assert page.path is Path.NAT64


def test_an_ipv4_only_site_is_reached_through_nat64_by_literal(
    ec2_host: Vantage, ipv4_only_site: Site, cloud: Cloud
) -> None:
    answer = lookup(ec2_host, ipv4_only_site.name, "A")
    assert answer.ipv4_addresses
    assert cloud.nat64_prefix is not None
    literal = embed(min(answer.ipv4_addresses), cloud.nat64_prefix)
    page = http(ec2_host, ipv4_only_site.url, address=literal, ca=ipv4_only_site.ca)
    assert page.status == 200
    assert page.reached == literal


def test_an_ipv4_only_site_answers_ping_through_nat64(
    ec2_host: Vantage, ipv4_only_site: Site
) -> None:
    echo = ping(ec2_host, ipv4_only_site.name)
    assert echo.verdict == "answered"
    assert echo.path is Path.NAT64


def test_large_packets_pass_the_translator_both_ways(
    ec2_host: Vantage, ipv4_only_site: Site
) -> None:
    transfer = pmtu(
        ec2_host, ipv4_only_site.url, large_url=ipv4_only_site.large_url, ca=ipv4_only_site.ca
    )
    assert transfer.whole
    assert transfer.path is Path.NAT64


def test_dns64_and_the_route_to_the_translator_go_together(
    ec2_host: Vantage, ipv4_only_site: Site, cloud: Cloud
) -> None:
    answer = lookup(ec2_host, ipv4_only_site.name, "A")
    assert answer.ipv4_addresses
    found = nat64(
        ec2_host, min(answer.ipv4_addresses), ipv4_only_site.port, prefix=cloud.nat64_prefix
    )
    assert found.verdict == "working"
