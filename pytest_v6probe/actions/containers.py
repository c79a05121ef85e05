"""What address does a container get that is started now? One is, and is removed again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_v6probe.actions.permission import permitted
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.transport.docker.sdk import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_v6probe.vantage import Vantage

LIFE = ("sleep", "300")
"""What it runs: it ends by itself if this program cannot remove it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContainer(Finding):
    """A container that was started on one network of an engine.

    Verdicts: ``addressed``; ``no-address`` (it runs, without a global IPv6 address); ``refused``
    (the engine's word is in the evidence).
    """

    layer: ClassVar[Layer] = Layer.ENGINE

    address: IPv6Address | None = None


@contextmanager
def new_container(
    host: Vantage, *, network: str = "bridge", timeout_s: float = 30.0
) -> Iterator[NewContainer]:
    """Start a container on *network* of the engine of *host*, from the image that its ``[[docker]]``
    names, and remove it afterwards.

    Raises Unobserved if this is not allowed (``--v6-disruptive``), no image is named, or the engine
    cannot be asked.
    """
    permitted(host)
    image = host.docker.image if host.docker is not None else ""
    if not image:
        raise Unobserved(
            f"no [[docker]] of {host.name} has the key image: a container is started of it",
            reason="no-image-given",
            vantage=host.name,
        )
    started = host.engine.run(image, command=LIFE, network=network, timeout_s=timeout_s)
    if isinstance(started, Refusal):
        finding = _finding(host, image, network, verdict="refused", evidence=(str(started),))
        host.witness(finding)
        yield finding
        return
    try:
        finding = _judged(host, image, network, host.engine.inspect(started, timeout_s=timeout_s))
        host.witness(finding)
        yield finding
    finally:
        host.engine.remove_container(started, timeout_s=timeout_s)


def _judged(
    host: Vantage, image: str, network: str, inspected: Mapping[str, Any] | Refusal
) -> NewContainer:
    if isinstance(inspected, Refusal):
        return _finding(host, image, network, verdict="refused", evidence=(str(inspected),))
    try:
        said = inspected["NetworkSettings"]["Networks"][network]["GlobalIPv6Address"]
        address = IPv6Address(str(said))
    except (KeyError, TypeError, ValueError):
        return _finding(host, image, network, verdict="no-address")
    return _finding(host, image, network, verdict="addressed", address=address)


def _finding(host: Vantage, image: str, network: str, **found: Any) -> NewContainer:
    return NewContainer(vantage=host.name, asked=f"a new {image} on network {network}", **found)
