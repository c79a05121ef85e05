"""What is a frame of a WebSocket? A client's side of RFC 6455. Pure: no socket, clock or env."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1

VERSION = "13"  # §4.1
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA  # §5.2
MAX_CONTROL_BYTES = 125  # §5.5
MAX_FRAME_BYTES = 16 << 20
"""The longest frame that is taken; the RFC has no bound but 2^63."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # §1.3
_FINAL, _MASKED = 0x80, 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame. *final*: its message ends with it."""

    opcode: int
    payload: bytes
    final: bool = True


def request(key: str) -> tuple[tuple[str, str], ...]:
    """The headers by which a client asks for a WebSocket; *key* is 16 octets in base64 (§4.1)."""
    return (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Version", VERSION),
    )


def accepted(key: str) -> str:
    """What a server answers to the Sec-WebSocket-Key *key* (§4.2.2)."""
    return b64encode(sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()).decode()


def encoded(frame: Frame, mask: bytes) -> bytes:
    """The octets of *frame* as a client sends it, masked by the four octets of *mask* (§5.3)."""
    size = len(frame.payload)
    head = bytes([frame.opcode | (_FINAL if frame.final else 0)])
    if size <= MAX_CONTROL_BYTES:
        head += bytes([_MASKED | size])
    elif size < 1 << 16:
        head += bytes([_MASKED | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([_MASKED | 127]) + size.to_bytes(8, "big")
    return head + mask + masked(frame.payload, mask)


def masked(octets: bytes, mask: bytes) -> bytes:
    """*octets* under the four octets of *mask*; twice is not at all (§5.3)."""
    size = len(octets)
    pad = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(octets, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


class Frames:
    """Takes a server's frames apart as they come."""

    def __init__(self) -> None:
        self._held = b""
        self._begun = False

    def take(self, octets: bytes) -> list[Frame]:
        """The frames that end in *octets*. Raises ValueError for what no server may send."""
        self._held += octets
        frames, at = [], 0
        while (cut := self._cut(at)) is not None:
            start, end = cut
            first = self._held[at]
            frames.append(
                Frame(
                    opcode=first & 0x0F,
                    payload=self._held[start:end],
                    final=bool(first & _FINAL),
                )
            )
            self._check(frames[-1])
            at = end
        self._held = self._held[at:]
        return frames

    def _cut(self, at: int) -> tuple[int, int] | None:
        """Where the payload of the frame at *at* begins and ends; None while it is not all there."""
        head = self._held[at : at + 10]
        if len(head) < 2:
            return None
        if head[0] & 0x70:  # §5.2: no extension was agreed on
            raise ValueError("a frame with reserved bits")
        if head[1] & _MASKED:  # §5.1
            raise ValueError("a server's frame that is masked")
        size, length = head[1], {126: 4, 127: 10}.get(head[1], 2)
        if len(head) < length:
            return None
        size = size if length == 2 else int.from_bytes(head[2:length], "big")
        if size > MAX_FRAME_BYTES:
            raise ValueError(f"a frame of {size} octets")
        end = at + length + size
        return (at + length, end) if len(self._held) >= end else None

    def _check(self, frame: Frame) -> None:
        if frame.opcode >= CLOSE:
            if not frame.final or len(frame.payload) > MAX_CONTROL_BYTES or frame.opcode > PONG:
                raise ValueError(f"a control frame that may not be ({frame.opcode})")  # §5.5
            return
        if frame.opcode > BINARY or (frame.opcode == CONTINUATION) != self._begun:
            raise ValueError(f"a frame out of place ({frame.opcode})")  # §5.4
        self._begun = not frame.final
