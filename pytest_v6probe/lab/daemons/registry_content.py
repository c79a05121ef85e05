"""What is in a registry's storage? Images, laid out as distribution 2 keeps them on disk.

Run as a program with a JSON file of options and, behind it, the command line of the registry, which
it becomes. Imports only the standard library. The layout is that of
https://github.com/distribution/distribution/blob/v2.8.2/registry/storage/paths.go
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCKER = {
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}  # Image Manifest Version 2, Schema 2
OCI = {
    "index": "application/vnd.oci.image.index.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}  # OCI image-spec 1.1, media-types.md
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PROGRAMS = (Path("/bin/busybox"), Path("/usr/bin/busybox"))
"""Debian's busybox-static has the first, a merged /usr the second."""
LIBRARY = Path(os.__file__).parent
LEFT_OUT = frozenset({"site-packages", "dist-packages", "test", "tests", "__pycache__"})
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/os-release": 'ID=alpine\nNAME="Alpine Linux"\nPRETTY_NAME="v6probe lab image"\n',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Octets that are named by their digest."""

    octets: bytes
    kind: str = ""

    @property
    def digest(self) -> str:
        """As an image refers to it."""
        return f"sha256:{hashlib.sha256(self.octets).hexdigest()}"

    def descriptor(self, **more: Any) -> dict[str, Any]:
        """What refers to it (OCI image-spec 1.1, descriptor.md)."""
        size = len(self.octets)
        return {"mediaType": self.kind, "digest": self.digest, "size": size, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A registry's root directory. A *spoiled* one gets every blob with another last octet."""

    root: Path
    spoiled: Path | None = None

    def put(self, blob: Blob) -> None:
        """Keep the octets of *blob*."""
        self._write(self.root, blob, blob.octets)
        if self.spoiled is not None:
            self._write(self.spoiled, blob, blob.octets[:-1] + bytes([blob.octets[-1] ^ 1]))

    def link(self, repository: str, place: str, blob: Blob) -> None:
        """Let *place* of *repository* refer to *blob*."""
        directory = self.root / "docker/registry/v2/repositories" / repository / place
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "link").write_text(blob.digest, encoding="ascii")

    def _write(self, root: Path, blob: Blob, octets: bytes) -> None:
        hexadecimal = blob.digest.removeprefix("sha256:")
        directory = root / "docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "data").write_bytes(octets)


def add(storage: Storage, image: dict[str, Any]) -> None:
    """Put *image* (its name, tag, number of layers, form: ``docker``, ``list`` or ``oci``, and where
    it comes from) into *storage*.
    """
    kinds = OCI if image["form"] == "oci" else DOCKER
    own = ARCHITECTURES.get(platform.machine(), platform.machine())
    top = manifest(storage, image, kinds, own, layers(image))
    if image["form"] != "docker":
        entries = [entry(top, own)]
        for other in sorted({*ARCHITECTURES.values()} - {own}):
            foreign = [tar({"etc/platform": f"{other} {image['origin']}".encode()})]
            entries.append(entry(manifest(storage, image, kinds, other, foreign), other))
        value = {"schemaVersion": 2, "mediaType": kinds["index"], "manifests": entries}
        top = Blob(octets=encoded(value), kind=kinds["index"])
        keep(storage, image["name"], top)
    for place in ("current", f"index/sha256/{top.digest.removeprefix('sha256:')}"):
        storage.link(image["name"], f"_manifests/tags/{image['tag']}/{place}", top)


def manifest(
    storage: Storage,
    image: dict[str, Any],
    kinds: dict[str, str],
    architecture: str,
    archives: list[bytes],
) -> Blob:
    """Store one platform's manifest, its configuration and layers."""
    packed = [Blob(octets=gzip.compress(tar, 1, mtime=0), kind=kinds["layer"]) for tar in archives]
    setup = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [Blob(octets=tar).digest for tar in archives]},
        "history": [{"created_by": image["name"]} for _ in archives],
    }
    config = Blob(octets=encoded(setup), kind=kinds["config"])
    for blob in (config, *packed):
        storage.put(blob)
        hexadecimal = blob.digest.removeprefix("sha256:")
        storage.link(image["name"], f"_layers/sha256/{hexadecimal}", blob)
    value = {
        "schemaVersion": 2,
        "mediaType": kinds["manifest"],
        "config": config.descriptor(),
        "layers": [blob.descriptor() for blob in packed],
    }
    made = Blob(octets=encoded(value), kind=kinds["manifest"])
    keep(storage, image["name"], made)
    return made


def keep(storage: Storage, repository: str, blob: Blob) -> None:
    """Store a manifest or an index as a revision of *repository*."""
    storage.put(blob)
    hexadecimal = blob.digest.removeprefix("sha256:")
    storage.link(repository, f"_manifests/revisions/sha256/{hexadecimal}", blob)


def entry(blob: Blob, architecture: str) -> dict[str, Any]:
    """One platform's line of an index."""
    return blob.descriptor(platform={"architecture": architecture, "os": "linux"})


def layers(image: dict[str, Any]) -> list[bytes]:
    """The archives of *image*: busybox and its names, and Python's standard library in as many parts
    as there are layers left. No two images have one in common: an engine that has one of them still
    has to fetch the other.
    """
    mark = f"{image['origin']}/{image['name']}:{image['tag']}\n"
    more = image["layers"] - 1
    found = library() if more else []
    parts = [found[at::more] for at in range(more)]
    return [
        busybox(mark),
        *(tar({f"srv/{at}": mark.encode(), **dict(part)}) for at, part in enumerate(parts)),
    ]


def library() -> list[tuple[str, bytes]]:
    """The files of Python's standard library: as many and as small ones as real layers have."""
    return [
        (f"usr/lib/python3/{place}", (LIBRARY / place).read_bytes())
        for place in sorted(file.relative_to(LIBRARY) for file in LIBRARY.rglob("*.py"))
        if not LEFT_OUT.intersection(place.parts)
    ]


def busybox(mark: str) -> bytes:
    """A root file system of one static program, under all its names, and of a *mark*."""
    program = next(path for path in PROGRAMS if path.exists())
    listed = subprocess.run((program, "--list"), capture_output=True, check=True, text=True)
    files = {name: text.encode() for name, text in {**FILES, "etc/motd": mark}.items()}
    names = [f"bin/{name}" for name in listed.stdout.split() if name != "busybox"]
    return tar({**files, "bin/busybox": program.read_bytes()}, links=names)


def tar(files: dict[str, bytes], *, links: list[str] | None = None) -> bytes:
    """An archive of *files*, all executable, and of *links* to busybox."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, octets in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(octets), 0o755
            archive.addfile(member, io.BytesIO(octets))
        for name in links or ():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(member)
    return made.getvalue()


def encoded(value: object) -> bytes:
    """JSON, always the same for the same value."""
    return json.dumps(value, sort_keys=True, indent=1).encode()


def main() -> None:
    """Fill the storage, unless an earlier start has, and become the registry."""
    options = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    root = Path(options["storage"])
    spoiled = Path(options["spoiled"]) if options["spoiled"] else None
    if not root.exists():
        for image in options["images"]:
            add(Storage(root=root, spoiled=spoiled), image)
    root.mkdir(exist_ok=True)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main()
