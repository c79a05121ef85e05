"""How is a server asked several things on one connection? The operation, and its answers."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.result import Address

Ask = dict[str, Any]
"""One request as it travels."""

MOST = 16
"""So many requests one operation may have: what is kept of each response is as many parts of
`wire.MAX_REPLY_BYTES`.
"""


def ask(send: bytes, *, max_bytes: int = 65536, keep_bytes: int = 65536, digest: str = "") -> Ask:
    """*send* is one HTTP request; of its response at most *max_bytes* are read, the first
    *keep_bytes* returned.

    *digest* (``sha256`` or ``sha512``) adds ``body_bytes`` and, if it came whole, ``body_sha256``
    (hex) of the body, chunked coding removed, content coding kept; only the head is then returned.
    """
    return {
        "send": b64encode(send).decode("ascii"),
        "max_bytes": max_bytes,
        "keep_bytes": keep_bytes,
        "digest": digest,
    }


def requests(
    host: Address,
    port: int,
    asks: Sequence[Ask],
    *,
    tls: Mapping[str, Any] | None = None,
    line: str = "",
    keep: bool = False,
    connect_timeout_s: float = 3.0,
    timeout_s: float = 3.0,
) -> Operation:
    """Ask *host* each of *asks* (built by `ask`, at most `MOST`) in turn, the next when the response to
    the one before is whole; *timeout_s* is for all, TCP and TLS of a connection take
    *connect_timeout_s* at most.

    A connection is kept for the next request as long as its responses end within it, and let go when
    something comes that was not asked for. What is asked on a kept one and gets no response at all is
    asked again on a further one, so what stands behind another request must be safe to repeat. *tls*
    is that of `wire.stream`. With *keep* the connection outlives the operation by 2 s: another of the
    same *line*, server and *tls* goes on with it. Raises ValueError for too many.

    ``fields["answers"]`` holds one `Reply` a request, in their order, each as `wire.stream` would say
    it, with ``reused`` for one on a connection that served another before; of a kept connection the
    ends, ``connect_s``, ``tls_s`` and ``tls`` are those of its beginning. They are fewer than *asks* if
    the time is over, or if no connection came about: then the last one says why.
    """
    if not 0 < len(asks) <= MOST:
        raise ValueError(f"{len(asks)} requests in one operation, which takes 1 to {MOST}")
    return {
        "op": "requests",
        "host": str(host),
        "port": port,
        "family": host.version,
        "asks": list(asks),
        "tls": dict(tls) if tls is not None else None,
        "line": line,
        "keep": keep,
        "connect_timeout_s": connect_timeout_s,
        "timeout_s": timeout_s,
    }


def answers(reply: Reply) -> tuple[Reply, ...]:
    """What came of the requests that were made; of an operation that made none, its own reply."""
    found = reply.fields.get("answers")
    return found if isinstance(found, tuple) and found else (reply,)
