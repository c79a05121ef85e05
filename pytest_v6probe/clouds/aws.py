"""What is known of AWS? Link-local-like services at fd00:ec2::/32, DNS64's prefix; each with source
and date.
"""

from __future__ import annotations

from datetime import date
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from pytest_v6probe.clouds import aws_cures, gaps, hosts
from pytest_v6probe.clouds.model import Cloud, Metadata, Source

_CHECKED = date(2026, 11, 22)
_DOCS = "https://docs.aws.amazon.com"

TOKEN_SECONDS = 60
"""How long a token that v6probe asks for lives; IMDSv2 allows 1 second to 6 hours."""

METADATA = Metadata(
    address=IPv6Address("fd00:ec2::254"),
    hostname_path="/latest/meta-data/hostname",
    token_path="/latest/api/token",  # noqa: S106 a path, not a password
    token_headers=(("X-aws-ec2-metadata-token-ttl-seconds", str(TOKEN_SECONDS)),),
    token_header="X-aws-ec2-metadata-token",  # noqa: S106 a header's name
)

AWS = Cloud(
    name="aws",
    resolver=IPv6Address("fd00:ec2::253"),
    time_server=IPv6Address("fd00:ec2::123"),
    pod_identity=IPv6Address("fd00:ec2::23"),
    metadata=METADATA,
    metadata_ipv4=IPv4Address("169.254.169.254"),
    nat64_prefix=IPv6Network("64:ff9b::/96"),
    sources=(
        Source(
            value="resolver", checked=_CHECKED,
            where=f"{_DOCS}/vpc/latest/userguide/AmazonDNS-concepts.html (Nitro only)",
        ),
        Source(
            value="time_server", checked=_CHECKED,
            where=f"{_DOCS}/AWSEC2/latest/UserGuide/configure-ec2-ntp.html (Nitro only)",
        ),
        Source(
            value="pod_identity", checked=_CHECKED,
            where="https://github.com/aws/eks-pod-identity-agent, configuration/config.go",
        ),
        Source(
            value="metadata", checked=_CHECKED,
            where=f"{_DOCS}/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html; off by default over IPv6",
        ),
        Source(
            value="metadata_ipv4", checked=_CHECKED,
            where=f"{_DOCS}/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html",
        ),
        Source(
            value="nat64_prefix", checked=_CHECKED,
            where=f"{_DOCS}/vpc/latest/userguide/nat-gateway-nat64-dns64.html",
        ),
    ),
    gaps=gaps.AWS,
    cures=(*aws_cures.CURES, *hosts.CURES),
)  # fmt: skip
