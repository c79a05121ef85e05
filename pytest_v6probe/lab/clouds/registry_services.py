"""What runs on the servers that an image is pulled from? Registries, token services, blob hosts."""

from __future__ import annotations

from ipaddress import IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.lab.certificates import Certificate
from pytest_v6probe.lab.clouds import internet
from pytest_v6probe.lab.clouds.registry_servers import (
    ECR,
    ECR_BLOBS,
    HUB,
    HUB_BLOBS,
    HUB_TOKENS,
    MIRROR,
    OWN,
    S3,
    Server,
)
from pytest_v6probe.lab.daemons.docker_registry import DockerRegistry, Image, Realm
from pytest_v6probe.lab.daemons.nginx import Nginx
from pytest_v6probe.lab.daemons.registry_front import BlobHost, RegistryFront
from pytest_v6probe.lab.daemons.token_service import TokenService

if TYPE_CHECKING:
    from pytest_v6probe.lab.daemon import Daemon

LOOPBACK = IPv6Address("::1")
INSECURE = "docker-registry-insecure"
"""The daemon that serves the same name without TLS."""
OWN_PORT, INSECURE_PORT, MIRROR_PORT, OPERATORS_PORT = 5000, 5001, 5000, 5002
USER, PASSWORD = "v6probe", "not-a-secret"
PRIVATE_IMAGE = "v6probe/private"
ALPINE = Image(name="alpine")
TWELVE = Image(name="twelve", layers=12)
HUB_IMAGES = (
    Image(name="library/alpine", form="list"),
    Image(name="library/twelve", form="oci", layers=12),
    Image(name=PRIVATE_IMAGE),
)


def daemons() -> tuple[Daemon, ...]:
    """What runs on them. The mirror comes last: it asks the hub before it starts."""
    return (*_hub(), *_ecr(), *_own(), *_s3(), _mirror())


def _own() -> tuple[Daemon, ...]:
    secure = DockerRegistry(
        name=OWN.node,
        node=OWN.node,
        addresses=OWN.addresses,
        port=OWN_PORT,
        certificate=Certificate(name=OWN.name, addresses=OWN.addresses),
        images=(ALPINE, TWELVE),
    )
    insecure = DockerRegistry(
        name=INSECURE,
        node=OWN.node,
        addresses=OWN.addresses,
        port=INSECURE_PORT,
        images=(ALPINE,),
    )
    return (secure, insecure)


def _hub() -> tuple[Daemon, ...]:
    service = "registry.docker.io"
    tokens = TokenService(
        name=HUB_TOKENS.node,
        node=HUB_TOKENS.node,
        addresses=HUB_TOKENS.addresses,
        certificate=HUB_TOKENS.certificate,
        service=service,
        users=MappingProxyType({USER: PASSWORD}),
        public=("library/",),
    )
    registry = DockerRegistry(
        name=HUB.node,
        node=HUB.node,
        addresses=HUB.addresses,
        port=443,
        certificate=HUB.certificate,
        images=HUB_IMAGES,
        redirect=f"https://{HUB_BLOBS.name}/",
        realm=Realm(
            url=f"https://{HUB_TOKENS.name}/token", service=service, issuer=HUB_TOKENS.name
        ),
    )
    return (tokens, _blobs(HUB_BLOBS, HUB.node), registry)


def _ecr() -> tuple[Daemon, ...]:
    registry_port, token_port = 5000, 8443
    tokens = TokenService(
        name=f"{ECR.node}-tokens",
        node=ECR.node,
        addresses=(LOOPBACK,),
        port=token_port,
        certificate=ECR.certificate,
        service=ECR.name,
        public=("",),
    )
    registry = DockerRegistry(
        name=f"{ECR.node}-registry",
        node=ECR.node,
        addresses=(LOOPBACK,),
        port=registry_port,
        certificate=ECR.certificate,
        images=(Image(name="docker/library/alpine", form="oci"),),
        redirect=f"https://{ECR_BLOBS.name}/",
        realm=Realm(url=f"https://{ECR.name}/token/", service=ECR.name, issuer=ECR.name),
    )
    front = RegistryFront(
        name=ECR.node,
        node=ECR.node,
        addresses=ECR.addresses,
        certificate=ECR.certificate,
        registry_port=registry_port,
        token_port=token_port,
    )
    return (tokens, _blobs(ECR_BLOBS, registry.name), registry, front)


def _blobs(server: Server, registry: str) -> BlobHost:
    return BlobHost(
        name=server.node,
        node=server.node,
        addresses=server.addresses,
        certificate=server.certificate,
        registry=registry,
    )


def _s3() -> tuple[Daemon, ...]:
    page = internet.PAGE.format(name=S3.name)
    return (
        Nginx(name=S3.node, node=S3.node, addresses=S3.addresses, page=page),
        Nginx(
            name=f"{S3.node}-https",
            node=S3.node,
            addresses=S3.addresses,
            page=page,
            certificate=S3.certificate,
        ),
    )


def _mirror() -> DockerRegistry:
    return DockerRegistry(
        name=MIRROR.node,
        node=MIRROR.node,
        addresses=MIRROR.addresses,
        port=MIRROR_PORT,
        certificate=MIRROR.certificate,
        origin=HUB.node,
        images=HUB_IMAGES[:1],  # what a mirror has does not depend on who asked before
        remote=f"https://{HUB.name}",
        operators=(MIRROR.ipv6, OPERATORS_PORT),
    )
