"""Is a lab that is up written down so that another run finds it, and its cluster's kubeconfig?"""

from __future__ import annotations

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.inventory import toml
from pytest_v6probe.inventory.dump import to_toml
from pytest_v6probe.lab import environment_file, shapes
from pytest_v6probe.transport.netns import Keeper


class Told(Keeper):
    """A keeper's connection that tells of a lab of *shape*."""

    def __init__(self, shape: str) -> None:
        self.name, self.inventory = "test", shapes.shape(shape, name="test").inventory

    def request(self, message, *, timeout_s=1.0):
        if message["do"] == "kubeconfig":
            return {"ok": True, "kubeconfig": "secret"}, []
        return {"ok": True, "inventory": to_toml(self.inventory)}, []


def test_a_cluster_has_its_kubeconfig_beside_the_inventory_for_its_owner_alone(tmp_path):
    file, config = tmp_path / "lab.toml", tmp_path / "lab-kubeconfig"
    config.touch(mode=0o644)  # of an earlier lab
    environment_file.write(Told("kind"), file, timeout_s=3)
    assert (config.read_text(), config.stat().st_mode & 0o777) == ("secret", 0o600)
    (cluster,) = toml.load(file).clusters
    assert cluster.kubeconfig == str(config)


def test_a_lab_without_a_cluster_has_no_kubeconfig(tmp_path):
    environment_file.write(Told("aws"), tmp_path / "lab.toml", timeout_s=3)
    assert [file.name for file in tmp_path.iterdir()] == ["lab.toml"]


@pytest.mark.parametrize("shape", ["aws", "kind"])
def test_an_inventory_that_cannot_be_written_is_an_error_that_says_so(tmp_path, shape: str):
    with pytest.raises(
        LabError, match=r"the lab is up, but its inventory cannot be written to .*: No such file"
    ):
        environment_file.write(Told(shape), tmp_path / "none" / "lab.toml", timeout_s=3)
