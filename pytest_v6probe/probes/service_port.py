"""Does something answer at one port of a service? A connection, or where it speaks HTTP a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.agent import wire
from pytest_v6probe.probes import http
from pytest_v6probe.rfc import rfc9112

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.result import Address


def operation(
    host: Address | str, port: int, *, version: int, page: str, speaks: bool, timeout_s: float
) -> Operation:
    """Connect to *host* over IP of *version*, and where it *speaks* HTTP ask for *page*."""
    if not speaks:
        return wire.stream(host, port, family=version, timeout_s=timeout_s)
    literal = f"[{host}]" if ":" in str(host) else str(host)
    return wire.stream(
        host,
        port,
        family=version,
        send=rfc9112.request("GET", f"{literal}:{port}", page, http.HEADERS),
        until="http",
        timeout_s=timeout_s,
    )


def read(reply: Reply, *, speaks: bool) -> tuple[str, bool]:
    """What became of it, and whether that is an answer: a connection, or a page of any status."""
    if not speaks:
        answered = reply.outcome == "answered"
        return "open" if answered else reply.outcome, answered
    verdict, response = http.read(reply, secure=False)
    return verdict, response is not None
