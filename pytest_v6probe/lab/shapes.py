"""Which shapes of lab are there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab.clouds import aws, cluster, clusters, docker, registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.topology import Shape

NAMES = ("aws", "docker", "docker-one", "docker-routes", "registry", *clusters.PLANS)
PATIENCE_S, CLUSTER_PATIENCE_S = 30.0, 120.0
"""How long a lab may take to come up, whatever else the machine does."""


def kind(word: str) -> str:
    """The shape that *word* names: all of it, or what stands before its options, as in
    ``kubernetes:family=ipv6,nodes=3``.
    """
    return word.partition(":")[0]


def options(word: str) -> dict[str, str]:
    """The options in *word*."""
    _, _, said = word.partition(":")
    pairs = (part.partition("=") for part in said.split(",") if part)
    return {key: value for key, _, value in pairs}


def word(kind: str, options: Mapping[str, str]) -> str:
    """*kind* with *options*, as one word: it travels to the keeper."""
    said = ",".join(f"{key}={value}" for key, value in options.items())
    return f"{kind}:{said}" if said else kind


def patience_s(word: str) -> float:
    """How long a lab of the shape *word* may take to come up, in seconds."""
    return CLUSTER_PATIENCE_S if kind(word) in clusters.PLANS else PATIENCE_S


def check(word: str) -> None:
    """Raises LabError that lists the shapes, or their options, unless *word* is one."""
    if kind(word) not in NAMES:
        raise LabError(f"there is no lab of shape {kind(word)!r}; there is {', '.join(NAMES)}")
    if kind(word) in clusters.PLANS:
        clusters.planned(kind(word), options(word))
    elif options(word):
        raise LabError(f"a lab of shape {kind(word)} takes no options")


def shape(word: str, *, name: str) -> Shape:
    """The lab of the shape *word*, called *name*. Raises LabError that lists the shapes."""
    check(word)
    if kind(word) in clusters.PLANS:
        return cluster.shape(name, kind(word), options(word))
    if word == "docker-one":
        return docker.shape(name, engines=(docker.DEBIAN,))
    if word == "docker-routes":
        return docker.shape(name, engines=docker.EVERY_ENGINE)
    whole = {"aws": aws.shape, "docker": docker.shape, "registry": registry.shape}
    return whole[word](name)
