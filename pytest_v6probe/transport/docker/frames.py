"""Which octets of a container's stream are its output, which its errors? Engine API, "Stream
format"; pure.
"""

from __future__ import annotations

from collections.abc import Iterator

HEAD_BYTES = 8
ERRORS = frozenset({2, 3})
"""Standard error, and the engine's own word on a failure (moby, stdcopy: systemerr)."""

_STREAMS = frozenset({0, 1, 2, 3})


class Frames:
    """Takes a stream apart as it comes, holding no more of it than an unfinished head."""

    def __init__(self) -> None:
        self._head = b""
        self._stream = 0
        self._left = 0

    def parts(self, octets: bytes) -> Iterator[tuple[int, bytes]]:
        """The pieces in *octets* with the number of their stream, a frame of any length in as many
        as came. Raises ValueError for what is not frames.
        """
        while octets:
            if not self._left:
                wanted = HEAD_BYTES - len(self._head)
                self._head, octets = self._head + octets[:wanted], octets[wanted:]
                if len(self._head) == HEAD_BYTES:
                    self._begin()
                continue
            part, octets = octets[: self._left], octets[self._left :]
            self._left -= len(part)
            yield self._stream, part

    def _begin(self) -> None:
        self._stream, padding = self._head[0], self._head[1:4]
        if self._stream not in _STREAMS or padding != bytes(3):
            raise ValueError(f"{self._head!r} does not begin a frame")
        self._left = int.from_bytes(self._head[4:], "big")
        self._head = b""
