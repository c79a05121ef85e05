"""What becomes of an image that an engine is told to pull or push?"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from urllib.parse import quote, urlencode

from pytest_v6probe.errors import DeadlinePassed
from pytest_v6probe.transport.docker import http, sdk
from pytest_v6probe.transport.docker.http import Request
from pytest_v6probe.transport.docker.progress import Progress, split_reference
from pytest_v6probe.transport.docker.ways import Way

MAX_PROGRESS_BYTES = 64 << 20
STILL_THERE_S = 3.0
"""How long an engine may take to say that it lives, whose pull did not come to an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What became of a pull. *error* is the engine's, ``timed-out: …`` if it did not end; empty if
    it succeeded.
    """

    error: str = ""
    layers: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What became of a push, as `Pulled`."""

    error: str = ""
    layers: int = 0
    digest: str = ""


def pull(
    way: Way, api: str, reference: str, *, auth: Mapping[str, str] | None, timeout_s: float
) -> Pulled:
    """Let the engine pull *reference*."""
    name, tag = split_reference(reference)
    target = f"/v{api}/images/create?{urlencode({'fromImage': name, 'tag': tag})}"
    seen = _transfer(way, target, auth, timeout_s)
    return Pulled(error=seen.error, layers=len(seen.layers), digest=seen.digest)


def push(
    way: Way, api: str, reference: str, *, auth: Mapping[str, str] | None, timeout_s: float
) -> Pushed:
    """Let the engine push *reference*; the API wants credentials, if empty ones."""
    name, tag = split_reference(reference)
    target = f"/v{api}/images/{quote(name, safe='/:')}/push?{urlencode({'tag': tag})}"
    seen = _transfer(way, target, auth or {}, timeout_s)
    return Pushed(error=seen.error, layers=len(seen.layers), digest=seen.digest)


def _transfer(way: Way, target: str, auth: Mapping[str, str] | None, timeout_s: float) -> Progress:
    """Put a pull or push. One that has no end is told from an engine that has died."""
    headers = {}
    if auth is not None:
        octets = urlsafe_b64encode(json.dumps(dict(auth)).encode())
        headers["X-Registry-Auth"] = octets.decode("ascii")
    request = Request(method="POST", target=target, headers=headers)
    seen, end = Progress(), monotonic() + timeout_s
    try:
        answer = http.ask(
            way.connect,
            request,
            name=way.name,
            end=end,
            max_bytes=MAX_PROGRESS_BYTES,
            take=seen.take,
        )
        seen.end()
    except DeadlinePassed:
        sdk.version(way, monotonic() + STILL_THERE_S)
        seen.error = seen.error or f"timed-out: no end within {timeout_s:.1f} s"
        return seen
    except ValueError as why:
        raise http.garbage(way.name, str(why)) from why
    if answer.status >= 300:
        seen.error = http.message(answer.body) or f"status {answer.status}"
    return seen
