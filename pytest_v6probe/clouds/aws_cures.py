"""Which command cures a broken layer on AWS? Likely causes by layer and verdict, most often seen
first.

The commands are those of the AWS CLI version 2 reference for `ec2`.
"""

from __future__ import annotations

from pytest_v6probe.clouds.model import Cure
from pytest_v6probe.result import Layer

_METADATA_OPTIONS = (
    "aws ec2 modify-instance-metadata-options --instance-id <id> --http-endpoint enabled"
)
_IMDS_ON = f"{_METADATA_OPTIONS} --http-protocol-ipv6 enabled"
_HOP_LIMIT = f"{_METADATA_OPTIONS} --http-put-response-hop-limit 2"
_TOKENS = f"{_METADATA_OPTIONS} --http-tokens optional"
_DNS64_ON = "aws ec2 modify-subnet-attribute --subnet-id <subnet> --enable-dns64"
_NAT64_ROUTE = "aws ec2 create-route --route-table-id <rtb> --destination-ipv6-cidr-block 64:ff9b::/96 --nat-gateway-id <nat>"
_DEFAULT_ROUTE = (
    "aws ec2 create-route --route-table-id <rtb> --destination-ipv6-cidr-block ::/0 --gateway-id <igw>"
    "  # or --egress-only-internet-gateway-id <eigw>"
)


def _allow(permission: str) -> str:
    return (
        "aws ec2 authorize-security-group-ingress --group-id <sg> --ip-permissions "
        f"'{permission},Ipv6Ranges=[{{CidrIpv6=<from>}}]'"
    )


CURES = (
    Cure(
        layer=Layer.ADDRESS, verdict="none",
        cause="the interface has no IPv6 address assigned, or DHCPv6 did not give it",
        command="aws ec2 assign-ipv6-addresses --network-interface-id <eni> --ipv6-address-count 1",
    ),
    Cure(
        layer=Layer.ADDRESS, verdict="absent",
        cause="the instance has another address than the inventory says",
        command="aws ec2 describe-instances --instance-ids <id> --query "
        "'Reservations[].Instances[].NetworkInterfaces[].Ipv6Addresses'",
    ),
    Cure(
        layer=Layer.ROUTE, verdict="absent",
        cause="the host has no default route: no router advertisement was taken, or it was purged when forwarding "
        "was turned on",
        command="sysctl net.ipv6.conf.<if>.accept_ra net.ipv6.conf.<if>.forwarding && rdisc6 <if>",
    ),
    Cure(
        layer=Layer.ROUTE,
        cause="the subnet's route table has no route there",
        command=_DEFAULT_ROUTE,
    ),
    Cure(
        layer=Layer.RA, verdict="not-heard",
        cause="no router advertisement comes in: the host's firewall drops ICMPv6 type 134",
        command="nft add rule inet filter input icmpv6 type nd-router-advert ip6 hoplimit 255 accept",
    ),
    Cure(
        layer=Layer.RA, verdict="lifetime-zero",
        cause="the router does not offer itself as a default router (RFC 4861 §6.2.5: lifetime 0)",
        command="rdisc6 <if>  # and look at what sends it: the VPC's own router has a lifetime",
    ),
    Cure(
        layer=Layer.RESOLVER,
        cause="the VPC resolver fd00:ec2::253 does not answer: it is there on Nitro instances, with DNS support on",
        command="aws ec2 modify-vpc-attribute --vpc-id <vpc> --enable-dns-support",
    ),
    Cure(
        layer=Layer.RESOLVER, verdict="large-udp-lost",
        cause="large DNS answers are lost on the way: fragments are dropped",
        command="dig +bufsize=1232 AAAA <name> @fd00:ec2::253  # and let TCP port 53 through",
    ),
    Cure(
        layer=Layer.ANSWER,
        cause="the resource name has no AAAA: the option is off for this instance",
        command="aws ec2 modify-private-dns-name-options --instance-id <id> --enable-resource-name-dns-aaaa-record",
    ),
    Cure(
        layer=Layer.SYNTHESIS,
        cause="DNS64 is off for this subnet",
        command=_DNS64_ON,
    ),
    Cure(
        layer=Layer.SYNTHESIS, verdict="wrong-prefix",
        cause="another DNS64 than Amazon's answers, with a prefix that the NAT gateway does not translate",
        command="aws ec2 describe-dhcp-options  # domain-name-servers is to be AmazonProvidedDNS",
    ),
    Cure(
        layer=Layer.SYNTHESIS, verdict="other-prefix",
        cause="another DNS64 than Amazon's answers, with a prefix that the NAT gateway does not translate",
        command="aws ec2 describe-dhcp-options  # domain-name-servers is to be AmazonProvidedDNS",
    ),
    Cure(
        layer=Layer.SYNTHESIS, verdict="embedded-mismatch",
        cause="the resolver makes addresses that lead elsewhere than the A records",
        command="dig AAAA <name> @fd00:ec2::253; dig A <name> @fd00:ec2::253",
    ),
    Cure(
        layer=Layer.SYNTHESIS, verdict="mixed",
        cause="a resolver synthesises although there is a native AAAA (against RFC 6147 §5.1.1)",
        command="aws ec2 describe-dhcp-options  # domain-name-servers is to be AmazonProvidedDNS",
    ),
    Cure(
        layer=Layer.TCP, verdict="dns64-without-nat64",
        cause="DNS64 is on, and the subnet has no route for its prefix to a NAT gateway",
        command=_NAT64_ROUTE,
    ),
    Cure(
        layer=Layer.ROUTE, verdict="dns64-without-nat64",
        cause="DNS64 is on, and the subnet has no route for its prefix to a NAT gateway",
        command=_NAT64_ROUTE,
    ),
    Cure(
        layer=Layer.ICMP,
        cause="a security group does not let ICMPv6 echo in",
        command=_allow("IpProtocol=icmpv6,FromPort=128,ToPort=0"),
    ),
    Cure(
        layer=Layer.PATH_MTU,
        cause="packet-too-big messages are lost: a security group or network ACL drops them",
        command=_allow("IpProtocol=icmpv6,FromPort=2,ToPort=0")
        + "  # and in the IPv4 half behind the NAT gateway: icmp,FromPort=3,ToPort=4",
    ),
    Cure(
        layer=Layer.TCP,
        cause="a security group or network ACL does not let the connection in over IPv6, or no route leads there",
        command=_allow("IpProtocol=tcp,FromPort=<port>,ToPort=<port>"),
    ),
    Cure(
        layer=Layer.SSH,
        cause="a security group does not let SSH in over IPv6",
        command=_allow("IpProtocol=tcp,FromPort=22,ToPort=22"),
    ),
    Cure(
        layer=Layer.HTTP, verdict="off",
        cause="the metadata service is turned off for this instance, or its IPv6 endpoint is",
        command=_IMDS_ON,
    ),
    Cure(
        layer=Layer.HTTP, verdict="token-required",
        cause="the metadata service wants a token (IMDSv2): tell the program to use one; or allow it without",
        command=_TOKENS,
    ),
    Cure(
        layer=Layer.HTTP, verdict="token-unanswered",
        cause="the response hop limit is 1: a token never reaches a container one hop behind the host",
        command=_HOP_LIMIT,
    ),
    Cure(
        layer=Layer.NTP,
        cause="the time service fd00:ec2::123 does not answer: it is there on Nitro instances only",
        command="chronyc ntpdata fd00:ec2::123",
    ),
    Cure(
        layer=Layer.CONFIGURATION, verdict="other-servers",
        cause="the time daemon is not told to use Amazon's time service over IPv6",
        command="echo 'server fd00:ec2::123 prefer iburst minpoll 4 maxpoll 4' >> /etc/chrony.conf"
        " && systemctl restart chronyd",
    ),
)  # fmt: skip
