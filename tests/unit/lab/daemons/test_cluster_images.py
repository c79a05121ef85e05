"""Is the archive of a cluster's images as `docker save` would have made it?"""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from pytest_v6probe.lab.daemons import cluster_images


def test_each_image_has_its_layer_with_its_digest_and_its_names(tmp_path: Path):
    for name in ("plain", "python"):
        (tmp_path / f"{name}.tar").write_bytes(name.encode())
    cluster_images.make(str(tmp_path))
    cluster_images.make(str(tmp_path))  # the second node finds it there
    with tarfile.open(tmp_path / "cluster.tar") as tar:
        tar.extractall(tmp_path / "read", filter="data")
    read = {file.name: file.read_bytes() for file in (tmp_path / "read").iterdir()}
    manifest = json.loads(read["manifest.json"])
    assert {entry["Layers"][0]: entry["RepoTags"] for entry in manifest} == {
        "plain.tar": ["docker.io/v6probe/plain:lab", "docker.io/v6probe/pause:lab"],
        "python.tar": ["docker.io/v6probe/python:lab"],
    }
    for name in ("plain", "python"):
        digest = hashlib.sha256(name.encode()).hexdigest()
        config = json.loads(read[f"{name}.json"])
        assert config["rootfs"] == {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
