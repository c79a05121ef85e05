"""What can be broken in the lab "aws"? Its faults, as data."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface, IPv6Network

from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.clouds import aws, internet, vpc
from pytest_v6probe.lab.daemons.radvd import Radvd
from pytest_v6probe.lab.fault import Fault
from pytest_v6probe.lab.running import SPARE_KEY
from pytest_v6probe.lab.steps import (
    Added,
    Addressed,
    Changed,
    Duplicated,
    Filtered,
    Forgotten,
    OneRouter,
    Opened,
    RouteLost,
    Set,
    Stopped,
    TwoRouters,
    Unrouted,
    Written,
    options,
)
from pytest_v6probe.rfc import rfc6052

ROUTER, WEB_1, ROGUE = aws.EAST.router, "us-east-1/web-1", "us-east-1/rogue"
RESOLVER, IMDS, RADVD = "us-east-1/resolver", "us-east-1/imds", "us-east-1/radvd"
PUBLIC = dict(aws.EAST.subnets)["public"]
PATH = (
    WEB_1,
    "us-east-1/private-1",
    "us-east-1/ecs-1",
    aws.TASK,
    ROUTER,
    internet.CORE,
    internet.CARRIER,
    internet.COMPUTE,
)
WRONG_PREFIX = IPv6Network("2001:db8:64::/96")
WRONG_EMBEDDED = rfc6052.embed(internet.COMPUTE_IPV4 + 256, vpc.PREFIX)  # routed nowhere
HIJACK = f"{internet.SOA}*. 300 A {internet.COMPUTE_IPV4}\n"
REWRITE = (
    f"{internet.SOA}{internet.COMPUTE_NAME} 300 A {internet.COMPUTE_IPV4}\n"
    f"{internet.COMPUTE_NAME} 300 AAAA {WRONG_EMBEDDED}\n"
)


def _dns(name: str, summary: str, **changes: object) -> Fault:
    return Fault(
        name=name, summary=summary, steps=(Changed(daemon=RESOLVER, options=options(**changes)),)
    )


def _dropped(name: str, summary: str, rule: str, *, hook: str = "input") -> Fault:
    return Fault(
        name=name, summary=summary, steps=(Filtered(node=ROUTER, hook=hook, rule=f"{rule} drop"),)
    )


def _certified(name: str, summary: str, certificate: Certificate) -> Fault:
    return Fault(
        name=name,
        summary=summary,
        region="",
        steps=(Changed(daemon=internet.HTTPS, options=options(certificate=certificate)),),
    )


def _imds(name: str, summary: str, **changes: object) -> Fault:
    return Fault(
        name=name, summary=summary, steps=(Changed(daemon=IMDS, options=options(**changes)),)
    )


FAULTS: tuple[Fault, ...] = (
    _dns("no-synthesis", "the subnet's resolver does not do DNS64", dns64=None),
    _dns(
        "synthesis-from-wrong-prefix",
        "DNS64 uses a prefix that no translator serves",
        dns64=WRONG_PREFIX,
    ),
    _dns(
        "synthesis-despite-native-aaaa",
        "DNS64 ignores the AAAA that a name really has",
        ignore_native=True,
    ),
    _dns(
        "nxdomain-becomes-answer",
        "the resolver gives an address for names that do not exist",
        redirect=HIJACK,
    ),
    _dropped(
        "resolver-silent",
        "nothing comes back from the resolver",
        f"ip6 daddr {vpc.RESOLVER} meta l4proto {{ tcp, udp }} th dport 53",
    ),
    _dropped(
        "resolver-without-tcp",
        "the resolver answers over UDP only",
        f"ip6 daddr {vpc.RESOLVER} tcp dport 53",
    ),
    _dropped(
        "resolver-drops-large-answers",
        "UDP answers of more than 512 octets are lost",
        f"ip6 saddr {vpc.RESOLVER} udp sport 53 udp length > 520",
        hook="output",
    ),
    Fault(
        name="nat64-route-missing",
        summary="no route leads to the NAT64 prefix",
        steps=(Unrouted(node=ROUTER, to=vpc.PREFIX),),
    ),
    Fault(
        name="translator-down",
        summary="the route to the NAT64 prefix leads to a translator that is not there",
        steps=(Stopped(daemon="us-east-1/tayga"),),
    ),
    _dropped(
        "translator-drops-icmp",
        "echo does not pass the translator, TCP does",
        'oifname "nat64" icmpv6 type echo-request',
        hook="forward",
    ),
    Fault(
        name="packet-too-big-lost",
        summary="the translator's path has a small MTU and nobody is told",
        steps=(
            Filtered(
                node=ROUTER,
                hook="forward",
                rule='oifname "nat64" icmp type destination-unreachable icmp code 4 drop',
            ),
            Filtered(
                node=internet.CARRIER,
                hook="output",  # the destination inside the packet complained about
                rule="icmp type destination-unreachable icmp code 4 "
                f"@th,192,24 0x{int(aws.EAST.pool.network_address) >> 8:06x} drop",
            ),
            Forgotten(nodes=PATH),
        ),
    ),
    _dns(
        "embedded-address-wrong",
        "the AAAA embeds another address than the A record has",
        rewrite=REWRITE,
    ),
    _imds("metadata-off", "the metadata service is switched off", endpoint="disabled"),
    _imds(
        "metadata-only-over-ipv4",
        "the metadata service does not listen on IPv6",
        addresses=(vpc.IMDS_IPV4,),
    ),
    _imds("metadata-hop-limit-1", "the answer to a token request lives for one hop", hop_limit=1),
    _imds("metadata-token-required", "requests without a token are refused", tokens="required"),
    _imds("metadata-garbage", "the metadata service does not speak HTTP", garbage=True),
    _dropped(
        "ntp-silent",
        "nothing comes back from the time server",
        f"ip6 daddr {vpc.NTP} udp dport 123",
    ),
    Fault(
        name="ntp-unsynchronised",
        summary="the time server says that it does not know the time",
        steps=(Changed(daemon="us-east-1/chronyd", options=options(stratum=None)),),
    ),
    Fault(
        name="time-daemon-other-server",
        summary="chrony on web-1 is configured with another server",
        steps=(
            Written(
                node=WEB_1,
                name="chrony.conf",
                text="server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4\n",
            ),
        ),
    ),
    Fault(
        name="ipv4-left-over",
        summary="web-1 still has an IPv4 address that is not link-local",
        steps=(Addressed(node=WEB_1, interface="eth0", address=IPv4Interface("172.31.16.19/20")),),
    ),
    Fault(
        name="ipv4-nameserver",
        summary="web-1 may ask a resolver over IPv4 as well",
        steps=(
            Written(
                node=WEB_1,
                name="resolv.conf",
                text=f"{vpc.RESOLV}nameserver 169.254.169.253\n",
            ),
        ),
    ),
    Fault(
        name="no-ra",
        summary="the router has stopped sending advertisements",
        steps=(Stopped(daemon=RADVD),),
    ),
    Fault(
        name="ra-lifetime-zero",
        summary="the router advertises that it is no default router (RFC 4861 §6.3.4)",
        steps=(
            Changed(daemon=RADVD, options=options(lifetime_s=0)),
            *(RouteLost(node=f"us-east-1/{instance.name}") for instance in aws.EAST.instances),
        ),
    ),
    Fault(
        name="rogue-router",
        summary="a second node advertises itself as a router of the public subnet",
        steps=(
            OneRouter(node=WEB_1),
            OneRouter(node="us-east-1/ecs-1"),
            Added(
                daemon=Radvd(
                    name="us-east-1/rogue/radvd",
                    node=ROGUE,
                    links=(("eth0", PUBLIC),),
                    preference="low",
                    autonomous=False,
                )
            ),
            TwoRouters(node=WEB_1),
            TwoRouters(node="us-east-1/ecs-1"),
        ),
    ),
    Fault(
        name="accept-ra-off",
        summary="web-1 does not accept router advertisements",
        steps=(
            Set(node=WEB_1, name="ipv6/conf/eth0/accept_ra", value="0", was="1"),
            RouteLost(node=WEB_1, delete=True),
        ),
    ),
    Fault(
        name="duplicate-address",
        summary="another machine has the address of web-1",
        steps=(
            Duplicated(
                node=WEB_1,
                squatter=ROGUE,
                interface="eth0",
                address=IPv6Interface((aws.EAST.address(aws.WEB_1), 64)),
            ),
            Forgotten(nodes=(ROUTER,)),
        ),
    ),
    _dns(
        "resource-name-without-aaaa",
        "the resource name of web-1 has no AAAA",
        zones={"ec2.internal": aws.EAST.names(without_aaaa="web-1")},
    ),
    _dropped(
        "native-site-black-holed",
        "packets to the dual-stack site vanish over IPv6",
        f"ip6 daddr {internet.GOOGLE_IPV6}",
        hook="forward",
    ),
    Fault(
        name="inbound-open",
        summary="the egress-only gateway lets connections in",
        steps=(
            Opened(node=ROUTER, chain="egress_only", rule='iifname "wan" oifname "private" drop'),
        ),
    ),
    _dropped(
        "inbound-closed",
        "web-1's security group lets nobody in",
        f'iifname "wan" ip6 daddr {aws.EAST.address(aws.WEB_1)} ct state new',
        hook="forward",
    ),
    Fault(
        name="ssh-host-key-changed",
        summary="web-1 has another host key than the one that is known",
        steps=(Changed(daemon="us-east-1/web-1/sshd", options=options(host_key=SPARE_KEY)),),
    ),
    Fault(
        name="different-content",
        summary="the dual-stack site serves another page over IPv6 than over IPv4",
        region="",
        steps=(
            Changed(
                daemon=internet.GOOGLE,
                options=options(
                    other_pages={internet.GOOGLE_IPV6: "<!doctype html><title>Old page</title>\n"}
                ),
            ),
        ),
    ),
    _certified(
        "certificate-of-another-name",
        "the https site shows a certificate for another name",
        Certificate(name=internet.GOOGLE_NAME),
    ),
    _certified(
        "certificate-expired",
        "the certificate of the https site expired yesterday",
        Certificate(name=internet.HTTPS_NAME, days=-1),
    ),
)
