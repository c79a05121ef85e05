"""Which registries have IPv6, at which of their hosts? Dated and sourced; nothing here was resolved
live.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

CHECKED = date(2026, 11, 22)

_S3_PART = r"(?:[a-z0-9.-]+\.)?"
_REGION = r"[a-z]{2}(?:-[a-z]+)+-[0-9]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """What is known of one registry. *ipv6* is ``yes``, ``no``, ``partly`` or ``unknown``."""

    id: str
    hosts: tuple[str, ...]
    """Regular expressions that match the whole of its hosts' names: registry, realm, blobs."""
    ipv6: str
    note: str
    instead: str = ""
    """The dual-stack name of the same registry, where this one has none."""
    seen: str
    """When somebody last saw it so: a month or a year."""
    source: str
    sure: bool
    """Whether the source is the registry's own; else it is a user's report."""
    checked: date = CHECKED


REGISTRIES = (
    Registry(
        id="docker-hub", ipv6="yes", seen="2023-10", sure=True,
        hosts=(r"(?:docker\.io|index\.docker\.io|registry-1\.docker\.io)", r"auth\.docker\.io", r"production\.cloudflare\.docker\.com"),
        note="registry, realm and blobs are dual-stack",
        source="docker/hub-feedback#2349",
    ),
    Registry(
        id="docker-hub-ipv6", ipv6="unknown", seen="2023", sure=False, instead="registry-1.docker.io",
        hosts=(r"registry\.ipv6\.docker\.com",),
        note="the IPv6 beta's own name, from before the main ones were dual-stack; nothing newer is known of it",
        source="the talk of 2023; docker/hub-feedback#2165, #2349",
    ),
    Registry(
        id="ecr-public", ipv6="no", seen="2026", sure=False, instead="ecr-public.aws.com",
        hosts=(r"public\.ecr\.aws",),
        note="A records only; ecr-public.aws.com is its dual-stack name",
        source="awslabs/amazon-ecr-credential-helper#1054; argoproj/argo-helm#3326",
    ),
    Registry(
        id="ecr-public-dual-stack", ipv6="yes", seen="2025-05", sure=False,
        hosts=(r"ecr-public\.aws\.com",),
        note="the dual-stack name of public.ecr.aws",
        source="awslabs/amazon-ecr-credential-helper#1054",
    ),
    Registry(
        id="ecr-private", ipv6="no", seen="2025-04-30", sure=True, instead="<account>.dkr-ecr.<region>.on.aws",
        hosts=(rf"[0-9]{{12}}\.dkr\.ecr\.{_REGION}\.amazonaws\.com(?:\.cn)?",),
        note="A records only; <account>.dkr-ecr.<region>.on.aws is its dual-stack name",
        source="boto/botocore 1.38.6 CHANGELOG; aws/containers-roadmap#2287",
    ),
    Registry(
        id="ecr-private-dual-stack", ipv6="yes", seen="2025-04-30", sure=True,
        hosts=(rf"[0-9]{{12}}\.dkr-ecr\.{_REGION}\.on\.aws", rf"ecr\.{_REGION}\.api\.aws"),
        note="dual-stack since 2025-04-30; layers come from S3, whose dual-stack name must be reached too",
        source="boto/botocore 1.38.6 CHANGELOG; aws/containers-roadmap#2287",
    ),
    Registry(
        id="google", ipv6="yes", seen="2023-11", sure=False,
        hosts=(r"(?:[a-z]+\.)?gcr\.io", r"[a-z0-9-]+-docker\.pkg\.dev", r"storage\.googleapis\.com"),
        note="Container Registry and Artifact Registry are dual-stack",
        source="prometheus-operator/prometheus-operator#6059; external-secrets/external-secrets#4977",
    ),
    Registry(
        id="kubernetes", ipv6="yes", seen="2023-11", sure=False,
        hosts=(r"registry\.k8s\.io",),
        note="dual-stack; the hosts that its blobs are redirected to were not checked",
        source="kubernetes-sigs/aws-load-balancer-controller#3466",
    ),
    Registry(
        id="github", ipv6="no", seen="2025-12", sure=False,
        hosts=(r"ghcr\.io", r"pkg-containers\.githubusercontent\.com"),
        note="ghcr.io has A records only",
        source="rybbit-io/rybbit#712; kyverno/kyverno#13257; kube-vip/kube-vip#1165",
    ),
    Registry(
        id="quay", ipv6="yes", seen="2023-11", sure=False,
        hosts=(r"quay\.io", r"cdn[0-9]*\.quay\.io"),
        note="dual-stack; the hosts that its blobs are redirected to were not checked",
        source="prometheus-operator/prometheus-operator#6059",
    ),
    Registry(
        id="microsoft", ipv6="partly", seen="2026-05", sure=False,
        hosts=(r"mcr\.microsoft\.com", r"[a-z0-9-]+\.data\.mcr\.microsoft\.com"),
        note="it has AAAA records, and users report that its IPv6 paths do not work everywhere",
        source="microsoft/containerregistry#165, #175",
    ),
    Registry(
        id="s3-dual-stack", ipv6="yes", seen="2026", sure=True,
        hosts=(rf"{_S3_PART}s3\.dualstack\.{_REGION}\.amazonaws\.com(?:\.cn)?",),
        note="S3's dual-stack endpoint",
        source="docs.aws.amazon.com/AmazonS3/latest/API/dual-stack-endpoints.html",
    ),
    Registry(
        id="s3", ipv6="no", seen="2026", sure=True, instead="s3.dualstack.<region>.amazonaws.com",
        hosts=(rf"{_S3_PART}s3[.-]{_REGION}\.amazonaws\.com(?:\.cn)?", rf"{_S3_PART}s3\.amazonaws\.com"),
        note="an endpoint of S3 without AAAA; s3.dualstack.<region>.amazonaws.com has them",
        source="docs.aws.amazon.com/AmazonS3/latest/API/dual-stack-endpoints.html",
    ),
)  # fmt: skip


def of(host: str) -> Registry | None:
    """What is known of the registry that *host* (a name, without a port) belongs to."""
    name = host.lower().removesuffix(".")
    if len(name) > 253:
        return None
    return next((r for r in REGISTRIES if any(re.fullmatch(p, name) for p in r.hosts)), None)
