"""How does the docker SDK speak to an engine? Its one door: it builds the requests and reads the
answers, the connections are ours (`ways`).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from pytest_v6probe.transport.channel import printable
from pytest_v6probe.transport.docker import http
from pytest_v6probe.transport.docker.http import Request
from pytest_v6probe.transport.docker.ways import Way

T = TypeVar("T")

LABEL = "pytest-v6probe"
"""Every container and network that this project makes bears this label."""

_BASE = "http://docker:2375"
_OURS = frozenset({"connection", "content-length", "accept-encoding"})
"""Headers that `http` sets, or that would have the answer compressed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The engine's no. *status* is that of HTTP."""

    status: int
    message: str


def call(way: Way, api: str, act: Callable[[Any], T], timeout_s: float) -> T | Refusal:
    """What *act* makes of an SDK client whose every request ends within *timeout_s* from now.

    Raises VantageUnreachable or DeadlinePassed.
    """
    import docker.errors  # noqa: PLC0415  loads on first use
    import requests  # noqa: PLC0415  loads on first use

    client = docker.APIClient(base_url=_BASE, version=api)
    client.trust_env = False  # the user's proxies and .netrc are not for an engine
    client.max_redirects = 0
    door = _Door(way, monotonic() + timeout_s)
    client.mount("http://", door)
    client.mount("https://", door)
    try:
        return act(client)
    except docker.errors.APIError as why:
        return Refusal(int(why.status_code or 0), str(why.explanation))
    except (requests.RequestException, docker.errors.DockerException) as why:
        raise http.garbage(way.name, repr(why)) from why
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as why:
        raise http.garbage(way.name, f"{type(why).__name__}: {why}") from why


def version(way: Way, end: float) -> Mapping[str, Any]:
    """``GET /version``, which every engine answers whatever version the client speaks."""
    request = Request(method="GET", target="/version", headers={})
    answer = http.ask(way.connect, request, name=way.name, end=end)
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError) as why:
        raise http.garbage(way.name, repr(answer.body[:200])) from why
    if answer.status != 200 or not isinstance(said, dict):
        raise http.garbage(way.name, f"status {answer.status}: {answer.body[:200]!r}")
    return said


def agreed(said: Mapping[str, Any], name: str) -> str:
    """The newest API version that the engine, by its `version`, and the SDK both know.

    Raises VantageUnreachable if there is none.
    """
    from docker import constants  # noqa: PLC0415  loads on first use

    newest = _numbers(said.get("ApiVersion"))
    ours = _numbers(constants.DEFAULT_DOCKER_API_VERSION) or (1, 44)
    oldest = max(
        _numbers(said.get("MinAPIVersion")) or (1, 0),
        _numbers(constants.MINIMUM_DOCKER_API_VERSION) or (1, 0),
    )
    if newest is None or not oldest <= min(newest, ours):
        raise http.garbage(
            name,
            f"it speaks the API {said.get('MinAPIVersion')!r} to {said.get('ApiVersion')!r}, and "
            "the docker SDK here {}.{} to {}.{}".format(*oldest, *ours),
        )
    return "{}.{}".format(*min(newest, ours))


def container(
    client: Any,
    image: str,
    *,
    command: Sequence[str],
    name: str,
    network: str,
) -> str:
    """Make a container; its id."""
    host = client.create_host_config(network_mode=network or None)
    made = client.create_container(
        image,
        command=list(command),
        name=name or None,
        labels={LABEL: ""},
        use_config_proxy=False,
        host_config=host,
    )
    return text(made, "Id")


def attendant(client: Any, image: str, argv: Sequence[str], *, beside: str) -> str:
    """Make a container for *argv* alone, in the network namespace of *beside*; its id.

    With StdinOnce its input ends with the connection that is attached to it: a killed run leaves
    nothing.
    """
    config = client.create_container_config(
        image, list(argv[1:]), entrypoint=[argv[0]], stdin_open=True, labels={LABEL: ""}
    )
    config |= {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True, "StdinOnce": True}
    config["HostConfig"] = client.create_host_config(
        auto_remove=True, network_mode=f"container:{beside}"
    )
    return text(client.create_container_from_config(config), "Id")


def mapping(said: object) -> Mapping[str, Any]:
    """*said*, if it is a JSON object. Raises TypeError."""
    if not isinstance(said, dict):
        raise TypeError(f"an object was due, there is {printable(repr(said)[:100].encode())}")
    return said


def text(said: object, key: str) -> str:
    """The text at *key* of a JSON object. Raises TypeError or KeyError."""
    value = mapping(said)[key]
    if not isinstance(value, str) or not value:
        raise TypeError(f"{key} is no text")
    return value


class _Door:
    """What the SDK sends its requests by (an adapter of requests): ours, until *end*."""

    def __init__(self, way: Way, end: float) -> None:
        self._way = way
        self._end = end

    def send(self, request: Any, **_: object) -> Any:
        import requests  # noqa: PLC0415  loads on first use
        from requests.structures import CaseInsensitiveDict  # noqa: PLC0415  loads on first use

        body = request.body or b""
        asked = Request(
            method=request.method,
            target=request.path_url,
            headers={k: v for k, v in request.headers.items() if k.lower() not in _OURS},
            body=body.encode() if isinstance(body, str) else body,
        )
        answer = http.ask(self._way.connect, asked, name=self._way.name, end=self._end)
        said = answer.body
        if answer.status >= 400:  # the SDK trips over a refusal of any other shape
            said = json.dumps({"message": http.message(said)}).encode()
        response = requests.Response()
        response.status_code = answer.status
        response.reason = ""
        response.headers = CaseInsensitiveDict(answer.headers)
        response.encoding = "utf-8"
        response.raw = io.BytesIO(said)
        response.request, response.url = request, request.url
        return response

    def close(self) -> None:
        """Every request has closed its connection."""


def _numbers(said: object) -> tuple[int, int] | None:
    major, _, minor = said.partition(".") if isinstance(said, str) else ("", "", "")
    usable = all(part.isascii() and part.isdigit() and len(part) <= 4 for part in (major, minor))
    return (int(major), int(minor)) if usable else None
