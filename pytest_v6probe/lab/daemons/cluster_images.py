"""In what form do a cluster's nodes take the images of the lab? One archive, as `docker save` makes it.

Run as a program, it makes cluster.tar out of plain.tar and python.tar, which engine_images.py has made
in the directory that its argument names, unless it is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import sys
import tarfile

IMAGES = {
    "plain": ["docker.io/v6probe/plain:lab", "docker.io/v6probe/pause:lab"],
    "python": ["docker.io/v6probe/python:lab"],
}
FOREVER = ["/bin/busybox", "sleep", "2147483647"]


def make(place: str) -> None:
    """Write the archive; whoever comes first does, the others wait for it."""
    file = f"{place}/cluster.tar"
    with open(f"{place}/lock", "w", encoding="ascii") as lock:  # noqa: PTH123  pathlib takes 5 ms
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(file):  # noqa: PTH110  the same
            return
        with tarfile.open(f"{file}.new", "w") as tar:
            manifest = [add(tar, place, name, tags) for name, tags in IMAGES.items()]
            write(tar, "manifest.json", manifest)
        os.rename(f"{file}.new", file)  # noqa: PTH104  the same


def add(tar: tarfile.TarFile, place: str, name: str, tags: list[str]) -> dict[str, object]:
    """Add the image of one layer, *name*.tar: its entry of the manifest."""
    layer = f"{place}/{name}.tar"
    with open(layer, "rb") as file:  # noqa: PTH123  the same
        digest = hashlib.sha256()
        while octets := file.read(1 << 20):
            digest.update(octets)
    tar.add(layer, f"{name}.tar")
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, ""),
        "os": "linux",
        "config": {"Cmd": FOREVER, "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest.hexdigest()}"]},
    }
    write(tar, f"{name}.json", config)
    return {"Config": f"{name}.json", "RepoTags": tags, "Layers": [f"{name}.tar"]}


def write(tar: tarfile.TarFile, name: str, value: object) -> None:
    """A file with the JSON text of *value* in it."""
    octets = json.dumps(value).encode()
    member = tarfile.TarInfo(name)
    member.size = len(octets)
    tar.addfile(member, io.BytesIO(octets))


if __name__ == "__main__":
    make(sys.argv[1])
