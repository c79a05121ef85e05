"""What does a registry serve? Indexes, manifests, descriptors, digests and errors, read with
bounds.

OCI Image Format 1.1 (image-index.md, manifest.md, descriptor.md), OCI Distribution 1.1 (spec.md),
and Docker Image Manifest V2, Schema 2. Pure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

MAX_MANIFEST_BYTES: Final = 1 << 20
"""Longer ones are not read; docker's own are a few kilobytes."""
MAX_LAYERS: Final = 128  # overlay2 of Docker Engine stacks no more
MAX_PLATFORMS: Final = 512
MAX_BLOB_BYTES: Final = 1 << 38
MAX_ERROR_BYTES: Final = 16384

INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT: Final = ", ".join((*INDEXES, *MANIFESTS))

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CODE = re.compile(r"[A-Z_]{1,40}")
_WORD = re.compile(r"[A-Za-z0-9._-]{0,64}")


class TooMuch(ValueError):
    """More entries or octets than anybody needs: it is not read to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """For which machines an image is: ``linux/arm64/v8``."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    def serves(self, wanted: Platform) -> bool:
        """Whether an image for this one runs on *wanted*; a variant counts only where both say
        one.
        """
        same = (self.os, self.architecture) == (wanted.os, wanted.architecture)
        return same and (not self.variant or not wanted.variant or self.variant == wanted.variant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What a manifest says of one blob or one other manifest (descriptor.md)."""

    media_type: str
    digest: str
    size_bytes: int
    platform: Platform | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A manifest list: one manifest for each platform."""

    manifests: tuple[Descriptor, ...]

    def choose(self, wanted: Platform) -> Descriptor | None:
        """The entry for *wanted*: the exact one if there is one, else the first that serves it."""
        fitting = [m for m in self.manifests if m.platform and m.platform.serves(wanted)]
        exact = (m for m in fitting if m.platform == wanted)
        return next(exact, None) or next(iter(fitting), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The manifest of one image: its configuration and its layers, lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


def platform(text: str) -> Platform:
    """Read ``linux/amd64`` or ``linux/arm/v7``. Raises ValueError."""
    parts = text.split("/")
    if len(parts) not in {2, 3} or not all(part and _WORD.fullmatch(part) for part in parts):
        raise ValueError(f"{text[:80]!r} is not a platform, such as linux/amd64")
    return Platform(os=parts[0], architecture=parts[1], variant=parts[2] if parts[2:] else "")


def parse(octets: bytes, *, media_type: str = "") -> Index | Manifest:
    """Read a manifest or an index; *media_type* is what the response's Content-Type says, the
    document's own counts more.

    Raises ValueError for anything else, TooMuch where there is too much of it.
    """
    if len(octets) > MAX_MANIFEST_BYTES:
        raise TooMuch(f"a manifest of {len(octets)} octets")
    document = _object(octets)
    kind = document.get("mediaType") or media_type.partition(";")[0].strip().lower()
    if kind in INDEXES or (kind not in MANIFESTS and "manifests" in document):
        return Index(manifests=_descriptors(document, "manifests", most=MAX_PLATFORMS))
    if document.get("schemaVersion") != 2 or "config" not in document:
        raise ValueError(f"not a manifest of version 2, but {str(kind)[:80]!r}")
    return Manifest(
        config=_descriptor(document["config"]),
        layers=_descriptors(document, "layers", most=MAX_LAYERS),
    )


def digest_of(octets: bytes) -> str:
    """The digest of *octets*: ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{sha256(octets).hexdigest()}"


def is_digest(text: str) -> bool:
    """Whether *text* is a digest that can be checked here."""
    return _DIGEST.fullmatch(text) is not None


def error_codes(octets: bytes) -> tuple[str, ...]:
    """The codes of an error's body (spec.md, "Error Codes"), at most four; none where it is
    something else.
    """
    try:
        entries = _object(octets[:MAX_ERROR_BYTES]).get("errors")
    except ValueError:
        return ()
    found = [e for e in entries[:4] if isinstance(e, dict)] if isinstance(entries, list) else []
    codes = [str(entry.get("code", "")) for entry in found]
    return tuple(code for code in codes if _CODE.fullmatch(code))


def _object(octets: bytes) -> dict[str, Any]:
    try:
        document = json.loads(octets)
    except (ValueError, RecursionError) as why:
        raise ValueError(f"not JSON: {type(why).__name__}") from why
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  bad text, not a bad type
    return document


def _descriptors(document: dict[str, Any], key: str, *, most: int) -> tuple[Descriptor, ...]:
    entries = document.get(key)
    if not isinstance(entries, list):
        raise ValueError(f"{key!r} is no list")  # noqa: TRY004  bad text, not a bad type
    if len(entries) > most:
        raise TooMuch(f"{len(entries)} {key}, at most {most} are read")
    return tuple(map(_descriptor, entries))


def _descriptor(entry: Any) -> Descriptor:
    if not isinstance(entry, dict):
        raise ValueError("a descriptor is no object")  # noqa: TRY004  bad text, not a bad type
    digest, size = entry.get("digest"), entry.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise ValueError(f"{str(digest)[:80]!r} is not a sha256 digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError(f"{str(size)[:80]!r} is not a size")
    if size > MAX_BLOB_BYTES:
        raise TooMuch(f"a blob of {size} octets")
    return Descriptor(
        media_type=str(entry.get("mediaType", ""))[:128],
        digest=digest,
        size_bytes=size,
        platform=_platform(entry.get("platform")),
    )


def _platform(entry: Any) -> Platform | None:
    if not isinstance(entry, dict):
        return None
    words = [entry.get(key, "") for key in ("os", "architecture", "variant")]
    if not all(isinstance(word, str) and _WORD.fullmatch(word) for word in words):
        return None
    return Platform(os=words[0], architecture=words[1], variant=words[2])
