"""What can clouds and tools not do over IPv6 yet? Dated and sourced; the rows are those of the
talk's demos.

A closed gap stays in the list: its row then asserts that the thing works.
"""

from __future__ import annotations

from datetime import date

from pytest_v6probe.clouds.model import KnownGap

CHECKED = date(2026, 11, 22)

AWS = (
    KnownGap(
        id="aws-imds-ipv6-off-by-default", row="A-gap", since="2021", checked=CHECKED,
        statement="The metadata service answers at fd00:ec2::254 only after HttpProtocolIpv6 is enabled, even in an "
        "IPv6-only subnet; account defaults have no switch for it.",
        source="EC2 User Guide, configuring-IMDS-existing-instances; botocore 1.43.67 ec2",
        notice="ModifyInstanceMetadataDefaults gains an IPv6 member; a fresh instance answers at fd00:ec2::254.",
    ),
    KnownGap(
        id="aws-public-ecr-without-aaaa", row="A-gap", since="2023", checked=CHECKED,
        statement="public.ecr.aws has no AAAA; the dual-stack name is ecr-public.aws.com.",
        source="amazon-ecr-credential-helper#1054; argo-helm#3326 (secondary sources)",
        notice="public.ecr.aws has a native AAAA.",
    ),
    KnownGap(
        id="aws-instance-connect-needs-public-ipv4", row="A-gap", since="2023", checked=CHECKED, closed="2025",
        statement="EC2 Instance Connect reaches only instances with a public IPv4 address.",
        source="EC2 User Guide, ec2-instance-connect-prerequisites",
        notice="A browser connects to a host without IPv4.",
    ),
    KnownGap(
        id="aws-alb-without-ipv6-only", row="B-gap", since="2023", checked=CHECKED, closed="2024-05-17",
        statement="An application load balancer cannot do without public IPv4 "
        "(now: dualstack-without-public-ipv4, with private IPv4 inside).",
        source="botocore 1.34.108 elbv2",
        notice="Its name has AAAA and no public A.",
    ),
    KnownGap(
        id="aws-nlb-without-ipv6-only", row="B-gap", since="2023", checked=CHECKED,
        statement="A network load balancer is ipv4 or dualstack, never IPv6 only.",
        source="botocore 1.43.67 elbv2 (2026-08)",
        notice="SetIpAddressType takes a third value for a network load balancer.",
    ),
)  # fmt: skip

AZURE = (
    KnownGap(
        id="azure-no-ipv6-only-vm", row="E3", since="2023", checked=CHECKED,
        statement="Every network interface needs an IPv4 configuration.",
        source="Microsoft Learn, ip-services/ipv6-overview (secondary copies since 2023)",
        notice="A network interface with only an IPv6 configuration is accepted.",
    ),
    KnownGap(
        id="azure-no-nat64", row="E3", since="2023", checked=CHECKED, closed="2026-08",
        statement="There is no NAT64 (now: NAT gateway of SKU StandardV2, off by default; a load balancer has none).",
        source="azure-cli#33646; Azure update 568409",
        notice="natGateway.properties.nat64 is Enabled, and a TCP connection to [64:ff9b::…] stands.",
    ),
)  # fmt: skip

GCP = (
    KnownGap(
        id="gcp-gke-load-balancer-without-external-ipv6", row="F4", since="2023", checked=CHECKED, closed="2025-11-14",
        statement="A GKE Service of type LoadBalancer gets no external IPv6 address.",
        source="kubernetes/ingress-gce pkg/flags, PR#1825, #2995, #2704",
        notice="status.loadBalancer.ingress has an IPv6 address.",
    ),
)  # fmt: skip

KUBERNETES = (
    KnownGap(
        id="istio-dual-stack-off-by-default", row="I-gap", since="2023", checked=date(2026, 11, 23),
        statement="Sidecars of Istio have one family until ISTIO_DUAL_STACK is set for istiod and in proxyMetadata "
        "(experimental in 1.17, alpha in 1.24, beta in 1.28).",
        source="istio releasenotes dual-stack-alpha, dual-stack-beta; pilot/pkg/features/experimental.go (2026-08)",
        notice="The flag's default flips; listeners have additional addresses without it.",
    ),
    KnownGap(
        id="linkerd-no-ipv6", row="I-gap", since="2023", checked=CHECKED, closed="2024-08-05",
        statement="Linkerd has no IPv6 (now: opt-in since 2.16, disableIPv6 is still true by default).",
        source="linkerd2 PR#12576, #12663; values.yaml 2026-08",
        notice="The default flips; IPv6 between pods is proxied.",
    ),
    KnownGap(
        id="minikube-no-ipv6", row="I-gap", since="2023", checked=CHECKED,
        statement="Minikube makes no cluster with IPv6.",
        source="minikube#8535; its FAQ (1.38.1, 2026-02)",
        notice="`minikube start --help` knows --ip-family.",
    ),
)  # fmt: skip
