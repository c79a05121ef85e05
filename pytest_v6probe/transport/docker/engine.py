"""What does a Docker Engine do when it is asked by its API?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

from pytest_v6probe.errors import Unobserved, VantageUnreachable
from pytest_v6probe.inventory.model import Docker
from pytest_v6probe.transport.channel import Channel, Transport
from pytest_v6probe.transport.docker import http, sdk, transfer, ways
from pytest_v6probe.transport.docker.http import Answer, Request
from pytest_v6probe.transport.docker.progress import split_reference
from pytest_v6probe.transport.docker.sdk import Refusal
from pytest_v6probe.transport.docker.transfer import Pulled, Pushed
from pytest_v6probe.transport.docker.ways import Way

T = TypeVar("T")

CALL_S = 20.0
"""How long an ordinary call may take altogether."""
PULL_S = 120.0

_JSON = {"Content-Type": "application/json"}


def open_engine(
    docker: Docker,
    *,
    host_id: str,
    through: Transport | None,
    sudo: bool = False,
    timeout_s: float = 10.0,
    python: str = "python3",
) -> Engine:
    """Find a way to the engine and agree on an API version.

    The way is *docker*'s url; else its socket, on this machine where *through* is None, or by
    ``docker system dial-stdio`` on the host (by *python* where there is no docker command). Raises
    VantageUnreachable (``docker-unreachable``, ``docker-forbidden``, ``docker-certificates``,
    ``docker-garbage``) or
    DeadlinePassed; *timeout_s* is for all of it.
    """
    end = monotonic() + timeout_s
    why: Unobserved | None = None
    for way in ways.ways(docker, host_id=host_id, through=through, sudo=sudo, python=python):
        try:
            return Engine(way, host_id=host_id, version=sdk.version(way, end))
        except VantageUnreachable as failed:
            why = failed
            if failed.reason != "docker-no-cli":
                raise
    raise VantageUnreachable(str(why), reason="docker-unreachable", vantage=host_id) from why


class Engine:
    """One engine. Every call has a connection of its own and a total *timeout_s*; threads may
    share it.

    Every call raises VantageUnreachable or DeadlinePassed where the engine cannot be asked; where
    it says no, that is a `Refusal`.
    """

    def __init__(self, way: Way, *, host_id: str, version: Mapping[str, Any]) -> None:
        self._way = way
        self._host_id = host_id
        self._api = sdk.agreed(version, way.name)

    @property
    def name(self) -> str:
        """How people call it, with the way that leads there."""
        return self._way.name

    @property
    def host_id(self) -> str:
        """The id of the host it runs on."""
        return self._host_id

    @property
    def api_version(self) -> str:
        """The API version that both sides speak: ``1.41``."""
        return self._api

    def remove_network(self, name: str, *, timeout_s: float = CALL_S) -> Refusal | None:
        """Remove a network."""
        return self._done(lambda client: client.remove_network(name), timeout_s)

    def containers(
        self, *, everything: bool = False, timeout_s: float = CALL_S
    ) -> tuple[Mapping[str, Any], ...]:
        """The running containers, or all of them."""
        return self._must(
            lambda client: tuple(map(sdk.mapping, client.containers(all=everything))), timeout_s
        )

    def inspect(self, container: str, *, timeout_s: float = CALL_S) -> Mapping[str, Any] | Refusal:
        """``GET /containers/ID/json``."""
        return self._call(
            lambda client: sdk.mapping(client.inspect_container(container)), timeout_s
        )

    def run(
        self,
        image: str,
        *,
        command: Sequence[str],
        name: str = "",
        network: str = "",
        timeout_s: float = CALL_S,
    ) -> str | Refusal:
        """Create and start a container; its id. *image* must be there already. What cannot be
        started is removed.
        """
        end = monotonic() + timeout_s
        made = self._call(
            lambda client: sdk.container(
                client, image, command=command, name=name, network=network
            ),
            timeout_s,
        )
        return made if isinstance(made, Refusal) else self._started(made, end)

    def remove_container(self, container: str, *, timeout_s: float = CALL_S) -> Refusal | None:
        """Kill and remove a container, with its volumes."""
        return self._done(
            lambda client: client.remove_container(container, force=True, v=True), timeout_s
        )

    def has_image(self, reference: str, *, timeout_s: float = CALL_S) -> bool:
        """Whether the engine holds an image by this name or id."""
        said = self._call(lambda client: sdk.mapping(client.inspect_image(reference)), timeout_s)
        return not isinstance(said, Refusal)

    def remove_image(self, reference: str, *, timeout_s: float = CALL_S) -> Refusal | None:
        """Remove an image, or one name of it."""
        return self._done(lambda client: client.remove_image(reference, force=True), timeout_s)

    def tag(self, image: str, reference: str, *, timeout_s: float = CALL_S) -> Refusal | None:
        """Give *image* another name."""
        name, tag = split_reference(reference)
        return self._done(lambda client: client.tag(image, name, tag), timeout_s)

    def pull(
        self,
        reference: str,
        *,
        auth: Mapping[str, str] | None = None,
        timeout_s: float = PULL_S,
    ) -> Pulled:
        """Let the engine pull *reference*; *auth* is ``{"username", "password"}``, never taken from
        this machine's own configuration.
        """
        return transfer.pull(self._way, self._api, reference, auth=auth, timeout_s=timeout_s)

    def push(
        self,
        reference: str,
        *,
        auth: Mapping[str, str] | None = None,
        timeout_s: float = PULL_S,
    ) -> Pushed:
        """Let the engine push *reference*; *auth* as for `pull`."""
        return transfer.push(self._way, self._api, reference, auth=auth, timeout_s=timeout_s)

    def execute(
        self, container: str, argv: Sequence[str], *, timeout_s: float = CALL_S
    ) -> tuple[str, Channel, bytes] | Refusal:
        """Start *argv* in *container*: the exec's id, its connection, and what came already."""
        end = monotonic() + timeout_s
        made = self._call(
            lambda client: sdk.text(client.exec_create(container, list(argv), stdin=True), "Id"),
            timeout_s,
        )
        if isinstance(made, Refusal):
            return made
        taken = self._taken_over(f"/exec/{quote(made, safe='')}/start", b'{"Detach":false}', end)
        return taken if isinstance(taken, Refusal) else (made, *taken)

    def executed(self, exec_id: str, *, timeout_s: float = CALL_S) -> Mapping[str, Any] | Refusal:
        """``GET /exec/ID/json``."""
        return self._call(lambda client: sdk.mapping(client.exec_inspect(exec_id)), timeout_s)

    def attend(
        self, container: str, image: str, argv: Sequence[str], *, timeout_s: float = CALL_S
    ) -> tuple[str, Channel, bytes] | Refusal:
        """Run *argv* as the one program of a new container of *image*, in the network namespace of
        *container*; as `execute`, with the new container's id. It goes when its connection does.
        """
        end = monotonic() + timeout_s
        made = self._call(
            lambda client: sdk.attendant(client, image, argv, beside=container), timeout_s
        )
        if isinstance(made, Refusal):
            return made
        target = f"/containers/{quote(made, safe='')}/attach?stream=1&stdin=1&stdout=1&stderr=1"
        taken = self._taken_over(target, b"", end)
        if isinstance(taken, Refusal):
            return taken
        started = self._started(made, end)
        if isinstance(started, Refusal):
            taken[0].close()
            return started
        return made, *taken

    def _started(self, made: str, end: float) -> str | Refusal:
        """Start a container that was made; one that does not start is removed."""
        refused = self._done(lambda client: client.start(made), end - monotonic())
        if refused is not None:
            self.remove_container(made)
            return refused
        return made

    def _taken_over(self, target: str, body: bytes, end: float) -> tuple[Channel, bytes] | Refusal:
        request = Request(method="POST", target=f"/v{self._api}{target}", headers=_JSON, body=body)
        taken = http.upgrade(self._way.connect, request, name=self.name, end=end)
        if isinstance(taken, Answer):
            return Refusal(taken.status, http.message(taken.body))
        return taken

    def _call(self, act: Callable[[Any], T], timeout_s: float) -> T | Refusal:
        return sdk.call(self._way, self._api, act, timeout_s)

    def _done(self, act: Callable[[Any], object], timeout_s: float) -> Refusal | None:
        said = self._call(act, timeout_s)
        return said if isinstance(said, Refusal) else None

    def _must(self, act: Callable[[Any], T], timeout_s: float) -> T:
        """What every engine answers to everybody who may ask it at all."""
        said = self._call(act, timeout_s)
        if isinstance(said, Refusal):
            raise http.garbage(self.name, f"status {said.status}: {said.message}")
        return said
