"""What became of a pull or a push? The engine's progress messages, read as they come; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

MAX_MESSAGE_BYTES = 1 << 20
MAX_LAYERS = 4096
SHOWN_CHARACTERS = 1000

_GOT = frozenset({"Pull complete", "Already exists", "Download complete"})
_PUT = frozenset({"Pushed", "Layer already exists", "Mounted from"})
_DIGEST = re.compile(r"[dD]igest: ?(sha256:[0-9a-f]{64})\b")


@dataclass(slots=True)
class Progress:
    """Collects one stream of messages: JSON objects, one a line (API, ``POST /images/create``)."""

    error: str = ""
    digest: str = ""
    layers: set[str] = field(default_factory=set)
    _rest: bytes = b""

    def take(self, octets: bytes) -> None:
        """Read what is whole of it. Raises ValueError for what is no such stream."""
        *lines, self._rest = (self._rest + octets).split(b"\n")
        if len(self._rest) > MAX_MESSAGE_BYTES:
            raise ValueError("a progress message of more than a mebibyte")
        for line in lines:
            self._message(line)

    def end(self) -> None:
        """Read what came after the last line end. Raises ValueError."""
        self._message(self._rest)
        self._rest = b""

    def _message(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            said = json.loads(line)
        except RecursionError as why:
            raise ValueError("a progress message nested too deep") from why
        if not isinstance(said, dict):
            raise ValueError("a progress message that is no object")  # noqa: TRY004  as its callers expect
        if "error" in said or "errorDetail" in said:
            self.error = self.error or _error(said)
        status = str(said.get("status", ""))[:SHOWN_CHARACTERS]
        if status in _GOT or status.startswith(tuple(_PUT)):
            self._count(said.get("id"))
        if (found := _DIGEST.search(status)) is not None:
            self.digest = found[1]

    def _count(self, layer: object) -> None:
        if isinstance(layer, str) and layer and len(self.layers) < MAX_LAYERS:
            self.layers.add(layer[:80])


def _error(said: dict[str, object]) -> str:
    detail = said.get("errorDetail")
    inner = detail.get("message") if isinstance(detail, dict) else None
    text = str(inner or said.get("error") or "an error without words")
    return " ".join(text[:SHOWN_CHARACTERS].split()) or "an error without words"


def split_reference(reference: str) -> tuple[str, str]:
    """An image reference as the API wants it: the name, and its tag or digest (``latest`` if
    neither is given).
    """
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    head, slash, last = reference.rpartition("/")
    last, _, tag = last.partition(":")
    return head + slash + last, tag or "latest"
