"""Is what a registry's storage is filled with what an engine takes, and the same for every lab?"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pytest_v6probe.lab.daemons import registry_content
from pytest_v6probe.lab.daemons.registry_content import Storage, add

TOP = "docker/registry/v2"


def image(name: str = "alpine", **more: Any) -> dict[str, Any]:
    return {"name": name, "tag": "latest", "form": "docker", "layers": 1, "origin": "own", **more}


def stored(root: Path, digest: str) -> bytes:
    hexadecimal = digest.removeprefix("sha256:")
    return (root / TOP / "blobs/sha256" / hexadecimal[:2] / hexadecimal / "data").read_bytes()


def top(root: Path, name: str) -> dict[str, Any]:
    link = root / TOP / "repositories" / name / "_manifests/tags/latest/current/link"
    found: dict[str, Any] = json.loads(stored(root, link.read_text()))
    return found


def manifests(root: Path, name: str) -> list[dict[str, Any]]:
    first = top(root, name)
    if "layers" in first:
        return [first]
    return [json.loads(stored(root, entry["digest"])) for entry in first["manifests"]]


def layers(root: Path, name: str) -> list[str]:
    return [layer["digest"] for layer in manifests(root, name)[0]["layers"]]


@pytest.mark.parametrize("form", ["docker", "list", "oci"])
def test_every_link_leads_to_octets_of_its_digest(form: str, tmp_path: Path):
    add(Storage(root=tmp_path), image(form=form))
    links = [link.read_text() for link in tmp_path.rglob("link")]
    assert len(links) == {"docker": 5, "list": 9, "oci": 9}[form]
    for digest in links:
        assert f"sha256:{hashlib.sha256(stored(tmp_path, digest)).hexdigest()}" == digest


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("docker", "application/vnd.docker.distribution.manifest.v2+json"),
        ("list", "application/vnd.docker.distribution.manifest.list.v2+json"),
        ("oci", "application/vnd.oci.image.index.v1+json"),
    ],
)
def test_an_image_has_the_form_that_was_asked_for(form: str, kind: str, tmp_path: Path):
    add(Storage(root=tmp_path), image(form=form))
    first = top(tmp_path, "alpine")
    platforms = [entry["platform"]["architecture"] for entry in first.get("manifests", ())]
    assert first["mediaType"] == kind
    assert sorted(platforms) == ([] if form == "docker" else ["amd64", "arm64"])


def test_a_configuration_names_the_layers_as_they_are_unpacked(tmp_path: Path):
    add(Storage(root=tmp_path), image(form="oci", layers=3))
    for manifest in manifests(tmp_path, "alpine"):
        config = json.loads(stored(tmp_path, manifest["config"]["digest"]))
        unpacked = [gzip.decompress(stored(tmp_path, one["digest"])) for one in manifest["layers"]]
        assert config["rootfs"]["diff_ids"] == [
            f"sha256:{hashlib.sha256(octets).hexdigest()}" for octets in unpacked
        ]


def test_the_first_layer_is_a_root_file_system_that_runs(tmp_path: Path):
    add(Storage(root=tmp_path), image())
    octets = gzip.decompress(stored(tmp_path, layers(tmp_path, "alpine")[0]))
    with tarfile.open(fileobj=io.BytesIO(octets)) as archive:
        assert archive.getmember("bin/sh").linkname == "busybox"
        assert archive.getmember("bin/busybox").mode == 0o755


def test_no_two_images_have_a_layer_in_common(tmp_path: Path):
    images = [image(), image("twelve", layers=12), image("far/alpine"), image("x", layers=2)]
    for one in images:
        add(Storage(root=tmp_path), one)
    add(Storage(root=tmp_path / "other"), image(origin="other"))
    found = [digest for one in images for digest in layers(tmp_path, one["name"])]
    found += layers(tmp_path / "other", "alpine")
    assert len(found) == 1 + 12 + 1 + 2 + 1
    assert len(set(found)) == len(found)


def test_the_layers_behind_the_first_are_the_standard_library_and_a_mark(tmp_path: Path):
    add(Storage(root=tmp_path), image("twelve", layers=12))
    names = []
    for digest in layers(tmp_path, "twelve")[1:]:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(stored(tmp_path, digest)))) as archive:
            mark, *part = archive.getnames()
            names += part
            assert mark.startswith("srv/")
    assert "usr/lib/python3/json/decoder.py" in names
    assert sorted(names) == sorted(name for name, _ in registry_content.library())


def test_a_mirror_is_filled_with_the_very_octets_of_its_origin(tmp_path: Path):
    for place in ("hub", "mirror"):
        add(Storage(root=tmp_path / place), image(form="list", layers=2))
    assert top(tmp_path / "hub", "alpine") == top(tmp_path / "mirror", "alpine")


def test_a_spoiled_blob_is_as_long_as_the_right_one_and_another(tmp_path: Path):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    add(Storage(root=right, spoiled=wrong), image())
    for digest in layers(right, "alpine"):
        good, bad = stored(right, digest), stored(wrong, digest)
        assert (len(good), good[:-1]) == (len(bad), bad[:-1])
        assert good != bad


def test_a_storage_that_is_there_is_left_as_it_is(tmp_path: Path, monkeypatch):
    options = {"storage": str(tmp_path / "storage"), "spoiled": "", "images": [image()]}
    (tmp_path / "content.json").write_text(json.dumps(options))
    (tmp_path / "storage").mkdir()
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execvp", lambda _, argv: became.append(argv))
    argv = ["x", str(tmp_path / "content.json"), "registry", "serve"]
    monkeypatch.setattr(sys, "argv", argv)
    registry_content.main()
    assert (became, list((tmp_path / "storage").iterdir())) == ([["registry", "serve"]], [])
