"""Which shapes of lab are there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab.clouds import aws, docker, registry

if TYPE_CHECKING:
    from pytest_v6probe.lab.topology import Shape

NAMES = ("aws", "docker", "docker-one", "docker-routes", "registry")


def check(kind: str) -> None:
    """Raises LabError that lists the shapes unless *kind* is one."""
    if kind not in NAMES:
        raise LabError(f"there is no lab of shape {kind!r}; there is {', '.join(NAMES)}")


def shape(kind: str, *, name: str) -> Shape:
    """The lab of shape *kind*, called *name*. Raises LabError that lists the shapes."""
    check(kind)
    if kind == "docker-one":
        return docker.shape(name, engines=(docker.DEBIAN,))
    if kind == "docker-routes":
        return docker.shape(name, engines=docker.EVERY_ENGINE)
    whole = {"aws": aws.shape, "docker": docker.shape, "registry": registry.shape}
    return whole[kind](name)
