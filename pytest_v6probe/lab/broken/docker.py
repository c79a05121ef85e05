"""What can be broken in the lab "docker"? Its faults, as data."""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Any

from pytest_v6probe.lab.clouds.docker import DEBIAN, NETWORKD, NEWEST
from pytest_v6probe.lab.daemons import dockerd
from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.steps import (
    Changed,
    Filtered,
    RouteLost,
    Set,
    TwoRouters,
    Unrouted,
    Written,
    options,
)
from pytest_v6probe.lab.steps_docker import (
    DAEMON_JSON,
    Configured,
    Hooked,
    Mended,
    Refilled,
    Relearned,
    Unruled,
)

if TYPE_CHECKING:
    from pytest_v6probe.lab.clouds.docker import Engine
    from pytest_v6probe.lab.steps import Step

ROUTER, ROGUE, IMDS = "us-east-1/router", "us-east-1/rogue", "us-east-1/imds"
PRIVATE = IPv6Network("fd3a:7c51:e902:40::/64")  # RFC 4193
NO_MASQUERADE = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
OTHER_PREFIX = "2600:1f18:d:f70c:1:4000::/82"
DEAD_RESOLVER = "192.0.2.53"
STATIC_DEFAULT = """
echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_ra
ip -6 route del default proto ra
ip -6 route add default via fe80::1 dev eth0 proto static metric 1024
"""
NO_STATIC_DEFAULT = "ip -6 route del default proto static 2>/dev/null || true"
LEARN_AGAIN = "ip -6 route flush proto ra"
"""What is learned is put back with the next advertisement, by whoever handles them."""
ACCEPT_LATER = "sleep 0.5; echo 2 > /proc/sys/net/ipv6/conf/eth0/accept_ra"


def _fault(name: str, summary: str, *steps: Step, host: str = DEBIAN.node) -> Fault:
    return Fault(name=name, summary=summary, steps=steps, shape="docker", host=host)


def _accept_ra(engine: Engine, value: str, was: str = "2") -> Set:
    return Set(node=engine.node, name="ipv6/conf/eth0/accept_ra", value=value, was=was)


def _refilled(engine: Engine, **changes: Any) -> Refilled:
    return Refilled(daemon=engine.daemon, options=options(**changes))


def _unready(engine: Engine) -> tuple[Step, ...]:
    """*engine* is about to turn forwarding on, and its host does not accept advertisements then:
    https://github.com/moby/moby/issues/43466.
    """
    return (
        _accept_ra(engine, "1"),
        Set(node=engine.node, name="ipv6/conf/all/forwarding", value="0", was="1"),
        Relearned(node=engine.node),
    )


def _dropped(name: str, summary: str, rule: str) -> Fault:
    return _fault(name, summary, Filtered(node=DEBIAN.node, hook="forward", rule=rule))


CONTAINERS = (
    _fault(
        "no-route-to-container-prefix",
        "no route leads to the prefix of the containers of docker-20",
        Unrouted(node=ROUTER, to=DEBIAN.delegated),
    ),
    _fault(
        "ip6tables-off",
        "the engine of docker-20 makes no rules for IPv6",
        Configured(daemon=DEBIAN.daemon, text=DEBIAN.daemon_json(ip6tables=False)),
        Unruled(node=DEBIAN.node),
    ),
    _dropped(
        "forward-policy-drop",
        "docker-20 forwards no IPv6 packet, as a host firewall whose policy is drop",
        "meta nfproto ipv6 drop",
    ),
    _fault(
        "ula-only-network",
        "the container web of docker-20 has a unique local address only, and nothing translates it",
        _refilled(
            DEBIAN,
            subnet=PRIVATE,
            web=PRIVATE.network_address + 0x10,
            network_options=NO_MASQUERADE,
        ),
    ),
    _fault(
        "published-on-ipv4-only",
        "the port of the container web of docker-29 is published on 0.0.0.0 only",
        _refilled(NEWEST, published_on="0.0.0.0"),  # noqa: S104  that is the fault
        host=NEWEST.node,
    ),
    _fault(
        "container-without-ipv6-dns",
        "the resolver of the container web of docker-29 is one that only IPv4 would reach",
        _refilled(NEWEST, dns=(DEAD_RESOLVER,)),
        host=NEWEST.node,
    ),
    _dropped(
        "container-mtu-small",
        "packets of more than 1280 octets from and to containers of docker-20 are lost unsaid",
        "meta nfproto ipv6 meta length > 1280 drop",
    ),
    _fault(
        "metadata-two-hops",
        "the metadata service answers with hop limit 2: containers can take the host's credentials",
        Changed(daemon=IMDS, options=options(hop_limit=2)),
        host="",
    ),
    _fault(
        "engine-without-ipv6",
        "daemon.json of docker-20 says nothing of IPv6, and so has its default network none",
        Configured(
            daemon=DEBIAN.daemon,
            text=DEBIAN.daemon_json(**{"ipv6": None, "fixed-cidr-v6": None}),
        ),
    ),
    _fault(
        "engine-disagrees",
        "daemon.json of docker-20 was changed, and the engine was not restarted",
        Mended(node=DEBIAN.node, script=f"sh {dockerd.home(DEBIAN.daemon)}/restart"),
        Written(
            node=DEBIAN.node,
            name=DAEMON_JSON,
            text=DEBIAN.daemon_json(**{"fixed-cidr-v6": OTHER_PREFIX}),
        ),
    ),
)

ROUTES = (
    _fault(
        "restart-purges-route",
        "the next restart of the engine of docker-20 turns forwarding on while accept_ra is 1",
        *_unready(DEBIAN),
    ),
    _fault(
        "restart-purges-route-newest",
        "the next restart of the engine of docker-29 turns forwarding on while accept_ra is 1",
        *_unready(NEWEST),
        host=NEWEST.node,
    ),
    _fault(
        "route-is-dying",
        "docker-20 forwards and its accept_ra is 1: nothing renews the default route that is there",
        _accept_ra(DEBIAN, "1"),
    ),
    _fault(
        "restart-replaces-route",
        "the next restart of the engine of docker-20 puts a static route where the learned one was",
        Mended(node=DEBIAN.node, script=NO_STATIC_DEFAULT),
        Mended(node=DEBIAN.node, script="echo 2 > /proc/sys/net/ipv6/conf/eth0/accept_ra"),
        Hooked(daemon=DEBIAN.daemon, script=STATIC_DEFAULT),
    ),
    _fault(
        "restart-loses-route-for-a-while",
        "the next restart of the engine of docker-20 purges the default route, which comes back",
        *_unready(DEBIAN),
        Hooked(daemon=DEBIAN.daemon, script=ACCEPT_LATER),
    ),
    _fault(
        "route-was-never-there",
        "docker-20 accepts no router advertisements",
        Set(node=DEBIAN.node, name="ipv6/icmp/ratelimit", value="0", was="1000"),  # say it always
        _accept_ra(DEBIAN, "0"),
        RouteLost(node=DEBIAN.node, delete=True),
    ),
    _fault(
        "two-owners",
        "on docker-29-networkd the kernel handles router advertisements as well",
        Mended(node=NETWORKD.node, script=LEARN_AGAIN),
        _accept_ra(NETWORKD, "2", "0"),
        TwoRouters(node=NETWORKD.node),
        host=NETWORKD.node,
    ),
)

FAULTS: tuple[Fault, ...] = (*CONTAINERS, *ROUTES)
