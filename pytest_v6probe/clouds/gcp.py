"""What is known of Google Cloud? DNS64 and NAT64 for IPv6-only VMs, a metadata server at a ULA."""

from __future__ import annotations

from datetime import date
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from pytest_v6probe.clouds import gaps, hosts
from pytest_v6probe.clouds.model import Cloud, Cure, Metadata, Source
from pytest_v6probe.result import Layer

_CHECKED = date(2026, 11, 22)

_CURES = (
    Cure(
        layer=Layer.SYNTHESIS,
        cause="no DNS64 server policy applies to this network, or the VM is not IPv6-only",
        command="gcloud dns policies create <policy> --networks=<network> --enable-dns64-all-queries "
        "--description=DNS64",
    ),
    Cure(
        layer=Layer.TCP, verdict="dns64-without-nat64",
        cause="the Cloud NAT gateway does not translate this subnet",
        command="gcloud compute routers nats update <nat> --router=<router> --region=<region> "
        "--nat64-all-v6-subnet-ip-ranges",
    ),
    Cure(
        layer=Layer.TCP,
        cause="no firewall rule lets the connection in over IPv6",
        command="gcloud compute firewall-rules create <rule> --network=<network> --direction=INGRESS --allow=tcp:<port> "
        "--source-ranges=<from>",
    ),
    Cure(
        layer=Layer.ICMP,
        cause="no firewall rule lets ICMPv6 (protocol 58) in",
        command="gcloud compute firewall-rules create <rule> --network=<network> --direction=INGRESS --allow=58 "
        "--source-ranges=<from>",
    ),
)  # fmt: skip

GCP = Cloud(
    name="gcp",
    metadata=Metadata(
        address=IPv6Address("fd20:ce::254"),
        hostname_path="/computeMetadata/v1/instance/hostname",
        headers=(("Metadata-Flavor", "Google"),),
    ),
    metadata_ipv4=IPv4Address("169.254.169.254"),
    nat64_prefix=IPv6Network("64:ff9b::/96"),
    sources=(
        Source(
            value="metadata", checked=_CHECKED,
            where="in use by many programs for IPv6-only VMs; no page of the vendor's was seen",
        ),
        Source(
            value="metadata_ipv4", checked=_CHECKED,
            where="https://docs.cloud.google.com/compute/docs/metadata/querying-metadata",
        ),
        Source(
            value="nat64_prefix", checked=_CHECKED,
            where="https://docs.cloud.google.com/vpc/docs/ipv6-to-ipv4-overview (GA 2025-08-26; IPv6-only VMs)",
        ),
    ),
    gaps=gaps.GCP,
    cures=(*_CURES, *hosts.CURES),
)  # fmt: skip
