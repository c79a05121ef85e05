"""How is a lab that is up written down for other runs? Its inventory, and beside it its kubeconfig."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError
from pytest_v6probe.inventory import dump
from pytest_v6probe.lab import live

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_v6probe.transport.netns import Keeper


def write(keeper: Keeper, file: Path, *, timeout_s: float) -> None:
    """Write the inventory of the lab of *keeper* to *file*; where it has a cluster the kubeconfig
    too, to `beside` it, which only its owner may read. Raises LabError, Unobserved.
    """
    inventory = live.inventory(keeper, timeout_s=timeout_s)
    try:
        if inventory.clusters:
            said, _ = keeper.request({"do": "kubeconfig"}, timeout_s=timeout_s)
            config = beside(file)
            _write_private(config, said["kubeconfig"])
            known = (replace(cluster, kubeconfig=config.name) for cluster in inventory.clusters)
            inventory = replace(inventory, clusters=tuple(known))
        file.write_text(dump.to_toml(inventory), encoding="utf-8")
    except OSError as why:
        raise LabError(
            f"the lab is up, but its inventory cannot be written to {file}: {why.strerror}"
        ) from why


def beside(file: Path) -> Path:
    """The kubeconfig that the inventory *file* names."""
    return file.with_name(f"{file.stem}-kubeconfig")


def _write_private(file: Path, text: str) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as opened:
        os.fchmod(fd, 0o600)  # it may have been there, and open to others
        opened.write(text)
