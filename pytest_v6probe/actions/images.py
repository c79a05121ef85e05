"""What does a Docker Engine do when it is told to pull or to push an image? It is asked to, and put
back.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.actions.permission import permitted
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory import literals
from pytest_v6probe.inventory.model import Image
from pytest_v6probe.linux import docker_messages
from pytest_v6probe.probes import registry_names, replies
from pytest_v6probe.probes.capture import capture
from pytest_v6probe.probes.registry_hop import layer_of
from pytest_v6probe.result import Endpoint, Finding, Layer
from pytest_v6probe.rfc import oci_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.linux.docker_config import Credentials
    from pytest_v6probe.probes.capture import Capture
    from pytest_v6probe.result import Address
    from pytest_v6probe.transport.docker.transfer import Pulled, Pushed
    from pytest_v6probe.vantage import Vantage

WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTransfer(Finding):
    """What became of a pull or a push by the engine of a host.

    Verdicts: ``pulled``, ``pushed``; ``literal-refused`` (an engine up to 24.0 takes no IPv6 literal
    for a registry); ``invalid-reference``; ``plain-http`` (the registry speaks no TLS, and is none
    of the ``insecure-registries``); ``tls-name-mismatch``, ``tls-expired``, ``tls-untrusted``,
    ``tls-unanswered``, ``tls-error``; ``token-refused``, ``unauthorised``, ``not-found``,
    ``rate-limited``, ``no-such-platform``, ``digest-mismatch``; ``nxdomain``, ``servfail``,
    ``resolver-timed-out``, …; ``no-route``, ``unreachable``, ``refused``, ``reset``, ``timed-out``,
    ``no-address``, ``incomplete``; ``failed`` (in words that are not known).
    """

    layer: ClassVar[Layer] = Layer.REGISTRY

    image: str
    error: str = ""
    """The engine's own words."""
    layers: int = 0
    digest: str = ""
    there_before: bool = False
    """Whether the engine had the image already, so that little had to be moved."""
    mirrored: bool = False
    """Whether the mirror that the inventory names was spoken with, and its registry was not."""

    @property
    def broken_layer(self) -> Layer:
        """The rung that the verdict speaks of."""
        return layer_of(self.verdict)

    @property
    def name_asked(self) -> str:
        """The name of the registry; empty for a literal, and where there is none."""
        try:
            host = oci_reference.parse(self.image).authority
        except ValueError:
            return ""
        return "" if host.startswith("[") else host.partition(":")[0]

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """What the engine's refusal of a literal means."""
        if self.verdict != "literal-refused":
            return None
        return (
            "engines up to 24.0 know no IPv6 literal in an image's name (distribution/reference)",
            "docker pull <name>:<port>/<image>  # give the registry a name, or use Engine 25.0",
        )


def engine_pull(
    host: Vantage,
    image: str | Image,
    *,
    credentials: Credentials | None = None,
    timeout_s: float = WITHIN_S,
) -> EngineTransfer:
    """Let the engine of *host* pull *image*, and remove it again unless it was there before.

    Where *image* has a mirror, a capture beside it tells whether it was used. Raises Unobserved if
    this is not allowed (``--v6-disruptive``), or the engine or the capture cannot be had.
    """
    permitted(host)
    reference, engine = _reference(image), host.engine
    before, begun = engine.has_image(reference), monotonic()
    with _mirror(host, image) as watched:
        try:
            said = engine.pull(reference, auth=_auth(credentials), timeout_s=timeout_s)
        finally:
            if not before:
                engine.remove_image(reference)
    finding = judge(
        host.name,
        reference,
        said,
        done="pulled",
        elapsed_s=monotonic() - begun,
        there_before=before,
        mirrored=watched.used if not said.error else False,
    )
    host.witness(finding)
    return finding


def engine_push(
    host: Vantage,
    image: str | Image,
    *,
    source: str = "",
    credentials: Credentials | None = None,
    timeout_s: float = WITHIN_S,
) -> EngineTransfer:
    """Let the engine of *host* push *image* to its registry. If the engine has none of that name,
    *source* (by default the image of its ``[[docker]]``) is given it, for as long as this takes.

    What was pushed stays in the registry. Raises Unobserved if this is not allowed
    (``--v6-disruptive``, the image's ``push``), or the engine cannot be asked.
    """
    permitted(host)
    if isinstance(image, Image) and not image.push:
        raise _unobserved(host, f"{image.reference} has no push = true", "push-not-allowed")
    reference, engine = _reference(image), host.engine
    before, begun = engine.has_image(reference), monotonic()
    if not before:
        _tag(host, source or (host.docker.image if host.docker else ""), reference)
    try:
        said = engine.push(reference, auth=_auth(credentials), timeout_s=timeout_s)
    finally:
        if not before:
            engine.remove_image(reference)
    elapsed_s = monotonic() - begun
    finding = judge(
        host.name, reference, said, done="pushed", elapsed_s=elapsed_s, there_before=before
    )
    host.witness(finding)
    return finding


def judge(
    vantage: str,
    reference: str,
    said: Pulled | Pushed,
    *,
    done: str,
    elapsed_s: float = 0.0,
    there_before: bool = False,
    mirrored: bool = False,
) -> EngineTransfer:
    """Read what the engine said. Pure."""
    verdict = docker_messages.verdict(said.error) if said.error else done
    if verdict == "invalid-reference" and "[" in reference:
        verdict = "literal-refused"
    dialled = docker_messages.dialled(said.error)
    remote = Endpoint(dialled) if dialled is not None else None
    words = replies.shown(said.error) if said.error else f"{said.layers} layers, {said.digest}"
    return EngineTransfer(
        vantage=vantage,
        asked=f"{'pull' if done == 'pulled' else 'push'} {reference} by the engine",
        verdict=verdict,
        image=reference,
        error=words if said.error else "",
        layers=said.layers,
        digest=said.digest,
        there_before=there_before,
        mirrored=mirrored,
        remote=remote,
        path=replies.path_of(remote, ()),
        elapsed_s=elapsed_s,
        evidence=(words,),
    )


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A capture beside a pull: *mirror* and *registry* are their addresses."""

    mirror: frozenset[Address] = frozenset()
    registry: frozenset[Address] = frozenset()
    seen: Capture | None = None

    @property
    def used(self) -> bool:
        """Whether the mirror said something, and no connection to the registry itself was made: then,
        if the pull succeeded, it was from there.
        """
        if self.seen is None:
            return False
        found = self.seen.packets
        return bool(found.received_from(self.mirror)) and not found.connected_to(self.registry)


@contextmanager
def _mirror(host: Vantage, image: str | Image) -> Iterator[_Watched]:
    if not isinstance(image, Image) or not image.mirror:
        yield _Watched()
        return
    registry = oci_reference.parse(image.reference).authority
    mirror, own = _addresses(host, [image.mirror, registry])
    with capture(host, peers=mirror | own) as seen:
        yield _Watched(mirror=mirror, registry=own - mirror, seen=seen)


def _addresses(host: Vantage, authorities: list[str]) -> list[frozenset[Address]]:
    """The addresses of both families of each host (and port), all asked in one batch."""
    hosts = [literals.destination(authority)[0] for authority in authorities]
    places = registry_names.look_up(host.agent, hosts)
    return [frozenset({*place.addresses, *place.ipv4_addresses}) for place in places]


def _tag(host: Vantage, source: str, reference: str) -> None:
    if not source:
        raise _unobserved(
            host, f"the engine has no {reference}, and its [[docker]] no image", "no-image-given"
        )
    refused = host.engine.tag(source, reference)
    if refused is not None:
        why = f"{source} cannot be named {reference}: {replies.shown(refused.message)}"
        raise _unobserved(host, why, "no-image-given")


def _reference(image: str | Image) -> str:
    return image.reference if isinstance(image, Image) else image


def _auth(credentials: Credentials | None) -> dict[str, str] | None:
    """As the API's X-Registry-Auth wants them."""
    if credentials is None:
        return None
    if credentials.identity_token:
        return {"identitytoken": credentials.identity_token}
    return {"username": credentials.username, "password": credentials.password}


def _unobserved(host: Vantage, why: str, reason: str) -> Unobserved:
    return Unobserved(f"{host.name}: {why}", reason=reason, vantage=host.name)
