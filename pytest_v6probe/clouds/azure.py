"""What is known of Azure? Its local services speak IPv4 only; NAT64 is a feature of one NAT gateway
SKU.
"""

from __future__ import annotations

from datetime import date
from ipaddress import IPv4Address, IPv6Network

from pytest_v6probe.clouds import gaps, hosts
from pytest_v6probe.clouds.model import Cloud, Cure, Source
from pytest_v6probe.result import Layer

_CHECKED = date(2026, 11, 22)

_CURES = (
    Cure(
        layer=Layer.TCP,
        cause="a network security group does not let the connection in over IPv6",
        command="az network nsg rule create --resource-group <rg> --nsg-name <nsg> --name allow-ipv6 --priority <n> "
        "--direction Inbound --access Allow --protocol Tcp --source-address-prefixes <from> "
        "--destination-port-ranges <port>",
    ),
    Cure(
        layer=Layer.ADDRESS, verdict="none",
        cause="the network interface has no IPv6 configuration",
        command="az network nic ip-config create --resource-group <rg> --nic-name <nic> --name ipv6 "
        "--private-ip-address-version IPv6 --vnet-name <vnet> --subnet <subnet>",
    ),
)  # fmt: skip

AZURE = Cloud(
    name="azure",
    metadata_ipv4=IPv4Address("169.254.169.254"),
    nat64_prefix=IPv6Network("64:ff9b::/96"),
    sources=(
        Source(
            value="metadata_ipv4", checked=_CHECKED,
            where="https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service; cloud-init "
            "sources/azure/imds.py knows no other (2026-08)",
        ),
        Source(
            value="nat64_prefix", checked=_CHECKED,
            where="azure-cli#33646: NAT gateway StandardV2, nat64 Enabled; the well-known prefix of RFC 6052",
        ),
    ),
    gaps=gaps.AZURE,
    cures=(*_CURES, *hosts.CURES),
)  # fmt: skip
