"""Which clouds are known? By the names that an inventory uses."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_v6probe.clouds.aws import AWS
from pytest_v6probe.clouds.azure import AZURE
from pytest_v6probe.clouds.gaps import KUBERNETES
from pytest_v6probe.clouds.gcp import GCP

if TYPE_CHECKING:
    from pytest_v6probe.clouds.model import Cloud, KnownGap

CLOUDS = MappingProxyType({cloud.name: cloud for cloud in (AWS, AZURE, GCP)})
"""Name to cloud."""


def cloud(name: str) -> Cloud:
    """The cloud called *name*. Raises KeyError."""
    return CLOUDS[name]


def known_gaps() -> tuple[KnownGap, ...]:
    """Every known gap, of all clouds and of what runs on any of them."""
    return tuple(gap for known in CLOUDS.values() for gap in known.gaps) + KUBERNETES
