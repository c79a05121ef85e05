"""When is what a peer says complete? The agent's frames: fed octets as they come, they end where the
message does.
"""

import struct

from pytest_v6probe.agent.payload import Ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Generator, List

    from pytest_v6probe.agent.payload import Seen

    Frame = Generator[bool, bytes, Any]

MAX_HEAD_BYTES = 65536
FRAMING = (b"content-length", b"transfer-encoding")
DIGESTS = ("sha256", "sha512")


def line_of(rest: bytes) -> "Frame":
    """Wait for a whole line; return it with its end, and what came behind it."""
    while b"\n" not in rest:
        if len(rest) > MAX_HEAD_BYTES:
            raise Ended("too-large", "a line without an end")
        rest += yield False
    at = rest.index(b"\n") + 1
    return rest[:at], rest[at:]


def until_u16() -> "Frame":
    rest = b""
    while len(rest) < 2:
        rest += yield False
    missing = struct.unpack("!H", rest[:2])[0] + 2 - len(rest)
    while missing > 0:
        missing -= len((yield False))


def until_eof() -> "Frame":
    while True:
        yield True


class Response:
    """One HTTP response as it comes (RFC 9112 §6.3): where its head ends, how long its body is, of
    which the *digest* that was asked for is made, and whether the connection outlives it.
    """

    def __init__(self, digest: str = "") -> None:
        self.digest, self.hash = digest, None
        if digest:
            import hashlib

            if digest not in DIGESTS:
                raise ValueError(digest)
            self.hash = hashlib.new(digest)
        self.head_bytes = self.body_bytes = 0
        self.lasts = False

    def frame(self) -> "Frame":
        """Its end; what does not begin as a response ends at once."""
        status, read_bytes, rest = b"100", 0, b""
        fields: "Dict[bytes, List[bytes]]" = {}
        while status[:1] == b"1" and status != b"101":
            text, rest = yield from line_of(rest)
            if not text.startswith(b"HTTP/"):
                return
            status, lasts, fields = text[9:12], text.startswith(b"HTTP/1.1"), {}
            while text.strip():
                read_bytes += len(text)
                if read_bytes > MAX_HEAD_BYTES:
                    raise Ended("too-large", "a head without an end")
                text, rest = yield from line_of(rest)
                name, _, value = text.strip().lower().partition(b":")
                lasts = lasts and (name != b"connection" or b"close" not in value)
                fields.setdefault(name, []).append(value.strip())
            read_bytes += len(text)
        self.head_bytes = read_bytes
        lasts = lasts and sum(len(fields.get(name, [])) for name in FRAMING) < 2  # §6.3, item 3
        if status not in (b"101", b"204", b"304"):
            rest = yield from self.body(rest, fields)
        self.lasts = lasts and status != b"101" and not rest

    def body(self, rest: bytes, fields: "Dict[bytes, List[bytes]]") -> "Frame":
        """The body that a head with these *fields* announces; return what came behind it."""
        coding, lengths = fields.get(b"transfer-encoding", [b""]), fields.get(b"content-length", [])
        if coding[-1].endswith(b"chunked"):
            return (yield from self.chunks(rest))
        if lengths and lengths[-1].isdigit():
            return (yield from self.part(rest, int(lengths[-1])))
        while True:
            self.take(rest)
            rest = yield True

    def chunks(self, rest: bytes) -> "Frame":
        """A body in chunks (RFC 9112 §7.1)."""
        size = 1
        while size:
            text, rest = yield from line_of(rest)
            size = int(text.split(b";")[0], 16)
            if size < 0:
                raise ValueError("a chunk of less than nothing")
            if size:
                rest = yield from self.part(rest, size)
                text, rest = yield from line_of(rest)
                if text.strip():
                    raise ValueError("a chunk of more than it said")
        while text.strip():
            text, rest = yield from line_of(rest)
        return rest

    def part(self, rest: bytes, count: int) -> "Frame":
        """The next *count* octets of the body."""
        while len(rest) < count:
            self.take(rest)
            count -= len(rest)
            rest = yield False
        self.take(rest[:count])
        return rest[count:]

    def take(self, octets: bytes) -> None:
        """These are the next octets of the body."""
        self.body_bytes += len(octets)
        if self.hash:
            self.hash.update(octets)

    def tell(self, seen: "Seen", outcome: str) -> None:
        """Of a body that is hashed: the number of octets, of one that came whole the digest; its
        octets are not returned.
        """
        if self.hash:
            seen["body_bytes"] = self.body_bytes
            if self.head_bytes:
                del seen["payload"][self.head_bytes :]
            if outcome == "answered":
                seen["body_" + self.digest] = self.hash.hexdigest()


FRAMES = {"line": lambda: line_of(b""), "u16": until_u16, "eof": until_eof}
